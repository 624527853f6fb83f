#include "serve/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/path.h"
#include "store/config.h"
#include "store/store.h"

void
place_free(struct place *p)
{
	free(p->store);
	free(p->ledger);
	free(p->logs);
	*p = (struct place){0};
}

/* The directory that holds .aicert. */
static int
place_worktree(const char *dir, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = buf_strdup(dir, e);
	const char *base;

	if (copy == NULL)
		return -1;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	base = path_base(copy);
	if (strcmp(base, STORE_NAME) == 0)
		*ret = base == copy ? buf_strdup(".", e) : buf_strfmt(e, "%.*s", (int)(base - copy), copy);
	else
		*ret = buf_strdup(copy, e);
	return *ret != NULL ? 0 : -1;
}

static int
place_serve(struct store *s, struct err *e)
{
	if ((mkdirat(store_dirfd(s), "serve", 0700) != 0 && errno != EEXIST) ||
	    (mkdirat(store_dirfd(s), "serve/logs", 0700) != 0 && errno != EEXIST))
		return err_sys(e, "%s/serve: cannot create", store_path(s));
	return 0;
}

int
place_prepare(const char *dir, struct place *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *worktree = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(store_closep) struct store *s = NULL;
	struct place p = {0};
	bool created;

	if (*dir == '\0')
		return err_set(e, ERR_USAGE, "--store: a directory is needed");
	if (place_worktree(dir, &worktree, e) != 0 || config_dir_make(worktree, e) != 0 ||
	    store_init(worktree, &created, e) != 0 ||
	    (path = buf_strfmt(e, "%s/" STORE_NAME, worktree)) == NULL ||
	    store_open(path, 0, &s, e) != 0 || place_serve(s, e) != 0)
		return -1;
	p.store = buf_strdup(store_path(s), e);
	p.ledger = buf_strfmt(e, "%s/serve/ledger.db", store_path(s));
	p.logs = buf_strfmt(e, "%s/serve/logs", store_path(s));
	if (p.store == NULL || p.ledger == NULL || p.logs == NULL) {
		place_free(&p);
		return err_nomem(e);
	}
	*ret = p;
	return 0;
}
