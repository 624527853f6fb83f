#include "run/oci-config.h"

#include <string.h>
#include "run/seccomp.h"

/* As every container runtime hides or freezes them. */
static const char *const oci_config_masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/cmdline", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
	"/proc/timer_stats", NULL
};
static const char *const oci_config_readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL
};
static const char *const oci_config_environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/tmp/home", "LANG=C.UTF-8", "TZ=UTC", NULL
};

static struct jcs *
oci_config_strings(const char *const *list)
{
	struct jcs *a = jcs_new_array();

	for (; *list != NULL; list++)
		jcs_append(a, jcs_new_string(*list));
	return a;
}

static struct jcs *
oci_config_mount(const char *type, const char *source, const char *destination,
    const char *const *options)
{
	struct jcs *m = jcs_new_object();

	jcs_set_string(m, "destination", destination);
	jcs_set_string(m, "source", source);
	jcs_set_string(m, "type", type);
	jcs_set(m, "options", oci_config_strings(options));
	return m;
}

static bool
oci_config_declares(const struct run_spec *s, const char *assignment)
{
	for (size_t i = 0; i < s->env_count; i++) {
		size_t n = strlen(s->env[i].name);

		if (strncmp(assignment, s->env[i].name, n) == 0 && assignment[n] == '=')
			return true;
	}
	return false;
}

static int
oci_config_env(const struct run_spec *s, struct jcs *process, struct err *e)
{
	struct jcs *env = jcs_new_array();

	jcs_set(process, "env", env);
	for (const char *const *v = oci_config_environment; *v != NULL; v++)
		if (!oci_config_declares(s, *v))
			jcs_append(env, jcs_new_string(*v));
	for (size_t i = 0; i < s->env_count; i++) {
		CLEANUP(cleanup_free) char *text = buf_strfmt(e, "%s=%s", s->env[i].name,
		    s->env[i].value);

		if (text == NULL)
			return -1;
		jcs_append(env, jcs_new_string(text));
	}
	return 0;
}

static struct jcs *
oci_config_user(void)
{
	struct jcs *u = jcs_new_object();

	jcs_set_int(u, "uid", OCI_CONFIG_UID);
	jcs_set_int(u, "gid", OCI_CONFIG_UID);
	return u;
}

static struct jcs *
oci_config_capabilities(void)
{
	static const char *const sets[] = {
		"ambient", "bounding", "effective", "inheritable", "permitted"
	};
	struct jcs *c = jcs_new_object();

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		jcs_set(c, sets[i], jcs_new_array());
	return c;
}

static void
oci_config_rlimit(struct jcs *list, const char *type, uint64_t value)
{
	struct jcs *limit = jcs_new_object();

	jcs_set_string(limit, "type", type);
	jcs_set_int(limit, "hard", (int64_t)value);
	jcs_set_int(limit, "soft", (int64_t)value);
	jcs_append(list, limit);
}

static struct jcs *
oci_config_rlimits(const struct oci_config *c)
{
	struct jcs *list = jcs_new_array();

	oci_config_rlimit(list, "RLIMIT_CORE", 0);
	if (c->file_bytes_max != 0)
		oci_config_rlimit(list, "RLIMIT_FSIZE", c->file_bytes_max);
	return list;
}

static int
oci_config_process(const struct oci_config *c, struct jcs *root, struct err *e)
{
	const struct run_spec *s = c->spec;
	struct jcs *p = jcs_new_object();
	struct jcs *args = jcs_new_array();

	jcs_set(root, "process", p);
	for (size_t i = 0; i < s->command_count; i++)
		jcs_append(args, jcs_new_string(s->command[i]));
	jcs_set(p, "args", args);
	jcs_set_bool(p, "terminal", false);
	jcs_set_bool(p, "noNewPrivileges", true);
	jcs_set_string(p, "cwd", "/workspace");
	jcs_set(p, "user", oci_config_user());
	jcs_set(p, "capabilities", oci_config_capabilities());
	jcs_set(p, "rlimits", oci_config_rlimits(c));
	return oci_config_env(s, p, e);
}

static int
oci_config_shm(const struct run_spec *s, struct jcs *mounts, struct err *e)
{
	CLEANUP(cleanup_free) char *size = NULL;
	const char *options[] = {"nosuid", "noexec", "nodev", "mode=1777", NULL, NULL};

	if (s->limits.shm_bytes != 0) {
		size = buf_strfmt(e, "size=%llu", (unsigned long long)s->limits.shm_bytes);
		if (size == NULL)
			return -1;
		options[4] = size;
	}
	jcs_append(mounts, oci_config_mount("tmpfs", "shm", "/dev/shm", options));
	return 0;
}

static int
oci_config_inputs(const struct run_spec *s, struct jcs *mounts, struct err *e)
{
	static const char *const options[] = {"rbind", "ro", "nosuid", "nodev", NULL};

	for (size_t i = 0; i < s->input_count; i++) {
		CLEANUP(cleanup_free) char *from = buf_strfmt(e, OCI_CONFIG_DIR "/inputs/%zu", i);
		CLEANUP(cleanup_free) char *to = NULL;

		if (from == NULL)
			return -1;
		to = buf_strfmt(e, "/workspace/%s", s->inputs[i].thing.path);
		if (to == NULL)
			return -1;
		jcs_append(mounts, oci_config_mount("bind", from, to, options));
	}
	return 0;
}

static int
oci_config_mounts(const struct oci_config *c, struct jcs *root, struct err *e)
{
	static const char *const proc[] = {"nosuid", "noexec", "nodev", NULL};
	static const char *const dev[] = {"nosuid", "noexec", "strictatime", "mode=755",
	    "size=65536k", NULL};
	static const char *const tmp[] = {"nosuid", "nodev", "mode=1777", NULL};
	static const char *const home[] = {"nosuid", "nodev", "mode=1777", NULL};
	static const char *const file[] = {"rbind", "ro", "nosuid", "nodev", NULL};
	/* also what the host has mounted beneath, say a tmpfs in /opt */
	static const char *const directory[] = {"rbind", "ro", "rro", "nosuid", "nodev", NULL};
	static const char *const hidden[] = {"ro", "nosuid", "nodev", "noexec", "mode=000", "size=4k", NULL};
	static const char *const scratch[] = {"bind", "rw", "nosuid", "nodev", NULL};
	struct jcs *mounts = jcs_new_array();

	jcs_set(root, "mounts", mounts);
	jcs_append(mounts, oci_config_mount("proc", "proc", "/proc", proc));
	jcs_append(mounts, oci_config_mount("tmpfs", "tmpfs", "/dev", dev));
	if (oci_config_shm(c->spec, mounts, e) != 0)
		return -1;
	for (size_t i = 0; i < c->rootfs->count; i++) {
		const struct rootfs_bind *b = &c->rootfs->binds[i];

		jcs_append(mounts, b->hidden ? oci_config_mount("tmpfs", "tmpfs", b->path, hidden) :
		    oci_config_mount("bind", b->path, b->path, b->directory ? directory : file));
	}
	jcs_append(mounts, oci_config_mount("tmpfs", "tmpfs", "/tmp", tmp));
	jcs_append(mounts, oci_config_mount("tmpfs", "tmpfs", "/tmp/home", home));
	jcs_append(mounts, oci_config_mount("bind", OCI_CONFIG_DIR "/scratch", "/workspace", scratch));
	return oci_config_inputs(c->spec, mounts, e);
}

static void
oci_config_map(struct jcs *map, int64_t inside, int64_t outside)
{
	struct jcs *m = jcs_new_object();

	jcs_set_int(m, "containerID", inside);
	jcs_set_int(m, "hostID", outside);
	jcs_set_int(m, "size", 1);
	jcs_append(map, m);
}

static void
oci_config_maps(const struct oci_config *c, struct jcs *l)
{
	struct jcs *uids = jcs_new_array();
	struct jcs *gids = jcs_new_array();

	if (c->root_mapped) {
		oci_config_map(uids, 0, 0);
		oci_config_map(gids, 0, 0);
	}
	oci_config_map(uids, OCI_CONFIG_UID, c->host_uid);
	oci_config_map(gids, OCI_CONFIG_UID, c->host_gid);
	jcs_set(l, "uidMappings", uids);
	jcs_set(l, "gidMappings", gids);
}

static void
oci_config_linux(const struct oci_config *c, struct jcs *root)
{
	static const char *const kinds[] = {"cgroup", "ipc", "mount", "network", "pid", "uts", "user"};
	struct jcs *l = jcs_new_object();
	struct jcs *namespaces = jcs_new_array();
	size_t n = sizeof kinds / sizeof *kinds - (c->user_namespace ? 0 : 1);

	jcs_set(root, "linux", l);
	for (size_t i = 0; i < n; i++) {
		struct jcs *ns = jcs_new_object();

		jcs_set_string(ns, "type", kinds[i]);
		jcs_append(namespaces, ns);
	}
	jcs_set(l, "namespaces", namespaces);
	if (c->user_namespace)
		oci_config_maps(c, l);
	jcs_set(l, "maskedPaths", oci_config_strings(oci_config_masked));
	jcs_set(l, "readonlyPaths", oci_config_strings(oci_config_readonly));
	jcs_set(l, "seccomp", seccomp_profile());
}

int
oci_config_encode(const struct oci_config *c, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *root = jcs_new_object();
	struct jcs *fs = jcs_new_object();

	jcs_set_string(root, "ociVersion", "1.0.0");
	jcs_set_string(root, "hostname", "aicert");
	jcs_set_string(fs, "path", OCI_CONFIG_DIR "/rootfs");
	jcs_set_bool(fs, "readonly", true);
	jcs_set(root, "root", fs);
	if (oci_config_process(c, root, e) != 0 || oci_config_mounts(c, root, e) != 0)
		return -1;
	oci_config_linux(c, root);
	return jcs_encode(root, ret, e);
}
