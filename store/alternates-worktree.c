#include "store/alternates-worktree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/buf.h"
#include "base/fd.h"
#include "store/source.h"

#define WORKTREE_FILE_MAX 8192
#define WORKTREE_PART "/.git/worktrees/"

/* The one line of a file that git writes, after its prefix; "" when it is none, or there is
 * no such file. */
static int
worktree_line(int dirfd, const char *path, const char *prefix, char **ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const char *line;
	struct stat st;
	size_t len;

	if (fd < 0 && !source_absent(e))
		return -1;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > WORKTREE_FILE_MAX) {
		*ret = buf_strdup("", e);
		return *ret == NULL ? -1 : 0;
	}
	if (fd_read_all(fd, 2 * WORKTREE_FILE_MAX, &text, path, e) != 0)
		return -1;
	line = buf_str(&text);
	len = strcspn(line, "\n");
	if (strncmp(line, prefix, strlen(prefix)) != 0 || text.len > len + 1)
		len = 0;
	*ret = buf_strfmt(e, "%.*s", len == 0 ? 0 : (int)(len - strlen(prefix)),
	    len == 0 ? "" : line + strlen(prefix));
	return *ret == NULL ? -1 : 0;
}

/* gitdir is "<main>/.git/worktrees/<name>", and has a file that names our .git. */
static int
worktree_known(struct store *s, const char *gitdir, bool *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *ours = buf_strfmt(e, "%s/.git", store_worktree(s));
	CLEANUP(cleanup_free) char *back = NULL;
	CLEANUP(cleanup_close) int fd = open(gitdir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = false;
	if (ours == NULL)
		return -1;
	if (fd < 0) {
		err_sys(e, "%s: cannot open", gitdir);
		return e->sys == ENOENT || e->sys == ELOOP || source_absent(e) ? 0 : -1;
	}
	if (worktree_line(fd, "gitdir", "", &back, e) != 0)
		return -1;
	*ret = strcmp(back, ours) == 0;
	return 0;
}

int
alternates_worktree(struct store *s, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *gitdir = NULL;
	const char *part;
	bool known;

	*ret = NULL;
	if (worktree_line(store_worktree_fd(s), ".git", "gitdir: ", &gitdir, e) != 0)
		return -1;
	part = gitdir[0] == '/' ? strstr(gitdir, WORKTREE_PART) : NULL;
	if (part == NULL || part == gitdir || strchr(part + strlen(WORKTREE_PART), '/') != NULL)
		return 0;
	if (worktree_known(s, gitdir, &known, e) != 0)
		return -1;
	if (!known)
		return 0;
	*ret = buf_strfmt(e, "%.*s", (int)(part - gitdir), gitdir);
	return *ret == NULL ? -1 : 0;
}
