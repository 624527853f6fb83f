/* A local runner over a store of its own, and specs for it. */
#ifndef UNIT_RUNNER_FIXTURE_H
#define UNIT_RUNNER_FIXTURE_H

#include "object/run-spec.h"
#include "provider/local.h"
#include "runner/runner.h"

struct fixture {
	struct store *store;
	struct local *local;
	struct runner *runner;
};

struct store *fixture_store(const char *name);
/* A daemon on fixture_store(name) and a runner connected to it, not yet identified. */
void fixture_start(struct fixture *f, const char *name, const struct runner_options *o);
void fixture_stop(struct fixture *f);
/* A session with what listens at socket: patience of 2 s, nobody is told anything. */
void fixture_link(struct link *ret, const char *socket);

/* `sh -c script` with the output out.txt, and, when tree is set, the directory out/. */
void fixture_spec(struct run_spec *ret, const char *script, bool tree);
/* Adds an input of that content, put into s. */
void fixture_input(struct run_spec *spec, struct store *s, const char *path, const char *content);

#endif
