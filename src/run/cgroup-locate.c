#include "run/cgroup.h"

#include <string.h>
#include "base/buf.h"

/* Two files implement cgroup.h: this one finds, cgroup.c makes. */

static const char *const cgroup_names[CGROUP_KINDS] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_CPU] = "cpu",
	[CGROUP_CPUACCT] = "cpuacct",
	[CGROUP_PIDS] = "pids",
};

/* Is name one of the comma-separated words of list (up to end)? */
static bool
cgroup_listed(const char *list, const char *end, const char *name)
{
	size_t n = strlen(name);

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma != NULL ? comma : end;

		if ((size_t)(stop - list) == n && memcmp(list, name, n) == 0)
			return true;
		list = stop + 1;
	}
	return false;
}

/* One line of mountinfo: "id parent major:minor root mountpoint options ... - type source super" */
struct cgroup_mount {
	const char *root, *root_end, *point, *point_end, *type, *super, *line_end;
};

static const char *
cgroup_field(const char *p, const char *end, int n)
{
	while (n-- > 0) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (p == NULL)
			return NULL;
		p++;
	}
	return p;
}

static bool
cgroup_mount_parse(const char *line, const char *end, struct cgroup_mount *ret)
{
	const char *dash = memmem(line, (size_t)(end - line), " - ", 3);

	ret->root = cgroup_field(line, end, 3);
	ret->point = cgroup_field(line, end, 4);
	if (dash == NULL || ret->root == NULL || ret->point == NULL || ret->point > dash)
		return false;
	ret->root_end = ret->point - 1;
	ret->point_end = memchr(ret->point, ' ', (size_t)(end - ret->point));
	ret->type = dash + 3;
	ret->super = cgroup_field(ret->type, end, 2);
	ret->line_end = end;
	return ret->point_end != NULL && ret->super != NULL;
}

/*
 * Our path in a hierarchy: the line "<id>:<controllers>:<path>" that lists
 * name, or for v2 (name NULL) "0::<path>".
 */
static const char *
cgroup_own_path(const char *own, const char *name, size_t *ret_len)
{
	while (*own != '\0') {
		const char *end = strchrnul(own, '\n');
		const char *list = memchr(own, ':', (size_t)(end - own));
		const char *path = list != NULL ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;

		if (path != NULL && (name != NULL ? cgroup_listed(list + 1, path, name) :
		    (path == list + 1 && own[0] == '0'))) {
			*ret_len = (size_t)(end - path - 1);
			return path + 1;
		}
		own = *end != '\0' ? end + 1 : end;
	}
	return NULL;
}

/* Mount point + our path without the mounted root in front. */
static int
cgroup_join(const struct cgroup_mount *m, const char *path, size_t len, char **ret, struct err *e)
{
	size_t root = (size_t)(m->root_end - m->root);

	if (root == 1)
		root = 0; /* "/" */
	if (len < root || memcmp(path, m->root, root) != 0) {
		path += len; /* we are outside what is mounted: its top is all we see */
		len = 0;
	} else {
		path += root;
		len -= root;
	}
	while (len > 0 && path[len - 1] == '/')
		len--;
	*ret = buf_strfmt(e, "%.*s%.*s", (int)(m->point_end - m->point), m->point, (int)len, path);
	return *ret != NULL ? 0 : -1;
}

static int
cgroup_take(const struct cgroup_mount *m, const char *own, struct cgroup *v1, char **v2,
    struct err *e)
{
	size_t len;
	const char *path;

	if (strncmp(m->type, "cgroup2 ", 8) == 0) {
		path = cgroup_own_path(own, NULL, &len);
		return path == NULL || *v2 != NULL ? 0 : cgroup_join(m, path, len, v2, e);
	}
	if (strncmp(m->type, "cgroup ", 7) != 0)
		return 0;
	for (int i = 0; i < CGROUP_KINDS; i++) {
		if (v1->dirs[i] != NULL || !cgroup_listed(m->super, m->line_end, cgroup_names[i]))
			continue;
		path = cgroup_own_path(own, cgroup_names[i], &len);
		if (path != NULL && cgroup_join(m, path, len, &v1->dirs[i], e) != 0)
			return -1;
	}
	return 0;
}

int
cgroup_locate(const char *mountinfo, const char *own, struct cgroup *ret, struct err *e)
{
	CLEANUP(cgroup_free) struct cgroup found = CGROUP_INIT;
	CLEANUP(cleanup_free) char *v2 = NULL;
	bool v1 = false;

	for (const char *line = mountinfo; *line != '\0';) {
		const char *end = strchrnul(line, '\n');
		struct cgroup_mount m;

		if (cgroup_mount_parse(line, end, &m) && cgroup_take(&m, own, &found, &v2, e) != 0)
			return -1;
		line = *end != '\0' ? end + 1 : end;
	}
	for (int i = 0; i < CGROUP_KINDS; i++)
		v1 = v1 || found.dirs[i] != NULL;
	/* where both exist, controllers live in v1 and v2 has none of ours */
	if (!v1 && v2 != NULL) {
		found.unified = true;
		for (int i = 0; i < CGROUP_KINDS; i++) {
			found.dirs[i] = buf_strdup(v2, e);
			if (found.dirs[i] == NULL)
				return -1;
		}
	}
	*ret = found;
	found = (struct cgroup)CGROUP_INIT;
	return 0;
}

void
cgroup_free(struct cgroup *c)
{
	for (int i = 0; i < CGROUP_KINDS; i++) {
		free(c->dirs[i]);
		c->dirs[i] = NULL;
	}
}
