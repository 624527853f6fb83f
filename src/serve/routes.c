#include "serve/routes.h"

#include "serve/hub.h"
#include "serve/identity.h"
#include "serve/objects.h"
#include "serve/packs.h"
#include "serve/runs.h"
#include "serve/session.h"

static int
routes_health(struct http_call *c, struct err *e)
{
	return http_reply(c, 200, "text/plain", "ok\n", 3, e);
}

static int
routes_metrics(struct http_call *c, struct err *e)
{
	const struct session_app *app = session_app(c);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct metrics_gauges g = {.connections = http_connections(c)};

	if (app->access != NULL)
		g.failed_credentials = access_failures(app->access);
	if (app->table != NULL)
		run_table_load(app->table, &g.queued, &g.running);
	if (metrics_text(app->metrics, &g, &text, e) != 0)
		return -1;
	return http_reply(c, 200, "text/plain; version=0.0.4", text.data, text.len, e);
}

static const struct http_stream routes_put_object = {
	.begin = objects_put_begin,
	.data = objects_put_data,
	.drop = objects_put_drop,
};

#define R_OBJECTS (PRINCIPAL_READ | PRINCIPAL_WRITE | PRINCIPAL_RUN)
#define R_REFS (PRINCIPAL_READS | ACCESS_PUBLIC)

static const struct http_route routes[] = {
	{"GET", "/healthz", routes_health, NULL, ACCESS_OPEN, false, false},
	{"GET", "/metrics", routes_metrics, NULL, ACCESS_ANY, false, false},
	{"GET", "/v1/identity", identity_get, NULL, ACCESS_OPEN, false, false},
	{"POST", "/v1/objects/missing", objects_missing, NULL, R_OBJECTS, true, true},
	{"POST", "/v1/objects/get", packs_get, NULL, R_OBJECTS | ACCESS_PUBLIC, true, true},
	{"POST", "/v1/packs", packs_put, NULL, PRINCIPAL_WRITE | PRINCIPAL_RUN, true, false},
	{"POST", "/v1/history", packs_history, NULL, R_REFS, true, true},
	{"GET", "/v1/objects/*", objects_get, NULL, R_OBJECTS | ACCESS_PUBLIC, false, false},
	{"PUT", "/v1/objects/*", objects_put, &routes_put_object, PRINCIPAL_WRITE | PRINCIPAL_RUN, false, false},
	{"POST", "/v1/runs", runs_post, NULL, PRINCIPAL_RUN, true, false},
	{"GET", "/v1/runs", runs_list, NULL, PRINCIPAL_RUN, false, false},
	{"GET", "/v1/runs/*", runs_get, NULL, PRINCIPAL_RUN, false, false},
	{"DELETE", "/v1/runs/*", runs_delete, NULL, PRINCIPAL_RUN, false, false},
	{"GET", "/v1/runs/*/log", runs_log, NULL, PRINCIPAL_RUN, false, false},
	{"GET", "/v1/runs/*/certificate", runs_certificate, NULL, PRINCIPAL_RUN, false, false},
	{"GET", "/v1/refs", hub_list, NULL, R_REFS, false, false},
	{"GET", "/v1/refs/**", hub_get, NULL, R_REFS, false, false},
	{"PUT", "/v1/refs/**", hub_put, NULL, PRINCIPAL_WRITE | PRINCIPAL_FORCE, true, false},
	{"DELETE", "/v1/refs/**", hub_delete, NULL, PRINCIPAL_FORCE, false, false},
	{NULL, NULL, NULL, 0, false, NULL, false},
};

const struct http_route *
routes_table(void)
{
	return routes;
}
