#include "serve/routes.h"

#include "serve/identity.h"
#include "serve/objects.h"
#include "serve/runs.h"

static int
routes_health(struct http_call *c, struct err *e)
{
	return http_reply(c, 200, "text/plain", "ok\n", 3, e);
}

static const struct http_stream routes_put_object = {
	.begin = objects_put_begin,
	.data = objects_put_data,
	.drop = objects_put_drop,
};

static const struct http_route routes[] = {
	{"GET", "/healthz", routes_health, false, NULL},
	{"GET", "/v1/identity", identity_get, false, NULL},
	{"POST", "/v1/objects/missing", objects_missing, true, NULL},
	{"GET", "/v1/objects/*", objects_get, false, NULL},
	{"PUT", "/v1/objects/*", objects_put, false, &routes_put_object},
	{"POST", "/v1/runs", runs_post, true, NULL},
	{"GET", "/v1/runs/*", runs_get, false, NULL},
	{"DELETE", "/v1/runs/*", runs_delete, false, NULL},
	{"GET", "/v1/runs/*/log", runs_log, false, NULL},
	{"GET", "/v1/runs/*/certificate", runs_certificate, false, NULL},
	{NULL, NULL, NULL, false, NULL},
};

const struct http_route *
routes_table(void)
{
	return routes;
}
