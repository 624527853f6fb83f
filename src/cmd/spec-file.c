#include "cmd/spec-file.h"

#include <fcntl.h>
#include "base/fd.h"
#include "codec/yaml.h"
#include "store/config.h"
#include "store/history.h"

int
spec_file_read(struct store *s, const char *file, struct spec *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	int dirfd = file != NULL ? AT_FDCWD : store_worktree_fd(s);

	if (fd_read_file(dirfd, file != NULL ? file : "aicert.yaml", YAML_SIZE_MAX, &text, e) != 0) {
		if (file == NULL && e->code == ERR_NOTFOUND)
			return err_set(e, ERR_SPEC, "%s/aicert.yaml: no such file; write one"
			    " (aicert.yaml(5)) or name another with -f", store_worktree(s));
		if (e->code == ERR_NOTFOUND)
			e->code = ERR_SPEC;
		return -1;
	}
	return spec_decode(file != NULL ? file : "aicert.yaml", text.data, text.len, ret, e);
}

/* The newest successful run reachable from HEAD that made this content. */
static int
spec_file_made_by(void *arg, struct resource_input *in, struct err *e)
{
	struct history_producer p;

	if (history_producer(arg, &in->thing, HISTORY_HEAD_ONLY | HISTORY_QUICK, &p, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	in->made_by = calloc(1, sizeof *in->made_by);
	if (in->made_by == NULL) {
		history_producer_free(&p);
		return err_nomem(e);
	}
	in->made_by->certificate = p.certificate;
	in->made_by->path = p.path;
	p.path = NULL;
	history_producer_free(&p);
	return 0;
}

int
spec_file_resolve(struct store *s, const struct spec *spec, bool hash_only,
    const struct ingest_options *ingest, struct run_spec *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *cache = NULL;
	struct progress p;
	struct resolve_options o = {
		.store = s,
		.made_by = spec_file_made_by,
		.arg = s,
		.progress = &p,
		.hash_only = hash_only,
		.ingest = ingest,
	};
	int rc;

	if (config_dir_cache(&cache, e) != 0)
		return -1;
	o.cache_dir = cache;
	progress_start(&p, stderr, "hashing inputs", 0);
	rc = resolve_spec(spec, &o, ret, e);
	progress_end(&p);
	return rc;
}
