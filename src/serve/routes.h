/* The routes of aicert-protocol(5) as one table. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "serve/http.h"

/* Ended by a NULL method; static. */
const struct http_route *routes_table(void);

#endif
