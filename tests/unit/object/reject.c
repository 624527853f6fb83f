/*
 * Every member of every document: taken away, null, of another type, joined by
 * one that is unknown; every byte flipped; every length cut.  Each is refused,
 * or is another valid document with bytes, and so an id, of its own.
 */
#include "golden.h"

#include <string.h>
#include "codec/jcs.h"

enum reject_op { REJECT_REMOVE, REJECT_NULL, REJECT_TYPE, REJECT_ADD, REJECT_OPS_ };

struct reject {
	enum reject_op op;
	size_t target;      /* the node to change, in the order of the walk */
	size_t seen;
	bool done;
	char path[256];     /* of the changed node */
};

static struct jcs *reject_walk(const struct jcs *v, const char *path, struct reject *r);

/* What stands in the place of a changed node; NULL to leave it out. */
static struct jcs *
reject_changed(const struct jcs *v, const char *path, struct reject *r)
{
	struct jcs *other = NULL;

	r->done = true;
	snprintf(r->path, sizeof r->path, "%s", path);
	switch (r->op) {
	case REJECT_NULL:
		return jcs_new_null();
	case REJECT_TYPE:
		if (jcs_type(v) == JCS_STRING)
			return jcs_new_int(7);
		return jcs_type(v) == JCS_OBJECT ? jcs_new_array() : jcs_new_string("x");
	case REJECT_ADD:
		other = jcs_copy(v);
		if (jcs_type(v) == JCS_OBJECT)
			jcs_set_int(other, "zz", 1);
		else if (jcs_type(v) == JCS_ARRAY)
			jcs_append(other, jcs_new_bool(true));
		return other;
	case REJECT_REMOVE:
	case REJECT_OPS_:
		break;
	}
	return NULL;
}

static struct jcs *
reject_children(const struct jcs *v, const char *path, struct reject *r)
{
	bool object = jcs_type(v) == JCS_OBJECT;
	struct jcs *copy = object ? jcs_new_object() : jcs_new_array();

	for (size_t i = 0; i < jcs_length(v); i++) {
		const char *name = "[]";
		const struct jcs *member = object ? jcs_member(v, i, &name) : jcs_at(v, i);
		char below[256];
		struct jcs *child;

		snprintf(below, sizeof below, "%s/%s", path, name);
		child = reject_walk(member, below, r);
		if (child == NULL)
			continue;
		if (object)
			jcs_set(copy, name, child);
		else
			jcs_append(copy, child);
	}
	return copy;
}

static struct jcs *
reject_walk(const struct jcs *v, const char *path, struct reject *r)
{
	if (r->seen++ == r->target)
		return reject_changed(v, path, r);
	if (jcs_type(v) != JCS_OBJECT && jcs_type(v) != JCS_ARRAY)
		return jcs_copy(v);
	return reject_children(v, path, r);
}

/*
 * Changes that give another valid document.  The path ends with one of these;
 * anything under "annotations" is free.
 */
static const struct {
	const char *decoder;    /* prefix of the document's name */
	enum reject_op op;
	const char *end;
} reject_valid[] = {
	/* lists and free objects that may be shorter */
	{"", REJECT_REMOVE, "/command/[]"}, {"", REJECT_REMOVE, "/inputs/[]"},
	{"", REJECT_REMOVE, "/outputs/[]"}, {"", REJECT_REMOVE, "/parents/[]"},
	{"", REJECT_REMOVE, "/devices/[]"}, {"", REJECT_REMOVE, "/chain/[]"},
	{"", REJECT_REMOVE, "/events/[]"},
	{"", REJECT_REMOVE, "/env/SEED"}, {"", REJECT_REMOVE, "/env/_a"}, {"", REJECT_REMOVE, "/env/A9"},
	{"", REJECT_REMOVE, "/config/queue"}, {"", REJECT_REMOVE, "/config/log"},
	/* optional members */
	{"", REJECT_REMOVE, "/digests/sha384"}, {"", REJECT_REMOVE, "/digests/sha512"},
	{"", REJECT_REMOVE, "/digests/blake3"}, {"event-", REJECT_REMOVE, "/pcr14/sha256"},
	{"event-", REJECT_REMOVE, "/pcr14/sha384"}, {"certificate-", REJECT_REMOVE, "/pcrs/sha256"},
	{"certificate-", REJECT_REMOVE, "/pcrs/sha384"}, {"commit-", REJECT_REMOVE, "/annotations"},
	{"commit-", REJECT_REMOVE, "/signature"},
	/* members that may be null */
	{"", REJECT_NULL, "/source"}, {"", REJECT_NULL, "/license"}, {"", REJECT_NULL, "/madeBy"},
	{"", REJECT_NULL, "/ignored"},
	{"", REJECT_NULL, "Millis"}, {"", REJECT_NULL, "Bytes"}, {"", REJECT_NULL, "Seconds"},
	{"event-", REJECT_NULL, "/image/version"}, {"event-", REJECT_NULL, "/verity"},
	{"certificate-", REJECT_NULL, "/bootLog"}, {"certificate-", REJECT_NULL, "/hardware"},
	{"commit-", REJECT_NULL, "/code"},
	/* whether an end agrees with its reason is a question of the grammar */
	{"event-", REJECT_NULL, "/exitCode"}, {"event-", REJECT_NULL, "/signal"},
	/* any text is a source, licence or version */
	{"event-", REJECT_TYPE, "/image/version"}, {"", REJECT_TYPE, "/source"},
	{"", REJECT_TYPE, "/license"},
	/* objects that are texts by name */
	{"event-", REJECT_ADD, "/config"},
};

static bool
reject_may_pass(const char *name, const struct reject *r)
{
	size_t len = strlen(r->path);

	if (strstr(r->path, "/annotations/") != NULL)
		return true;
	if (r->op == REJECT_ADD && strstr(r->path, "/annotations"))
		return true;
	for (size_t i = 0; i < sizeof reject_valid / sizeof *reject_valid; i++) {
		size_t end = strlen(reject_valid[i].end);

		if (reject_valid[i].op == r->op && len >= end &&
		    strcmp(r->path + len - end, reject_valid[i].end) == 0 &&
		    strncmp(name, reject_valid[i].decoder, strlen(reject_valid[i].decoder)) == 0)
			return true;
	}
	return false;
}

/* One changed document; false once there is no such node. */
static bool
reject_one(const char *name, const struct jcs *v, enum reject_op op, size_t target)
{
	static const char *const ops[] = {"remove", "null", "type", "add"};
	struct reject r = {.op = op, .target = target};
	CLEANUP(jcs_freep) struct jcs *changed = reject_walk(v, "", &r);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf original = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct err e;

	if (!r.done)
		return false;
	if (changed == NULL) /* the document itself was taken away */
		return true;
	UNIT_OK(jcs_encode(changed, &text, &e), &e);
	UNIT_OK(jcs_encode(v, &original, &e), &e);
	if (strcmp(buf_str(&text), buf_str(&original)) == 0)
		return true; /* null was null before, or the change does not apply */
	if (golden_decoder(name)(text.data, text.len, &again, &e) == 0) {
		ck_assert_msg(reject_may_pass(name, &r), "%s: %s %s passed", name, ops[op], r.path);
		ck_assert_str_eq(buf_str(&again), buf_str(&text));
	} else {
		ck_assert_msg(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED, "%s: %s %s: %s", name,
		    ops[op], r.path, e.msg);
	}
	return true;
}

static bool
reject_is_json(const char *name)
{
	return golden_decoder(name) != NULL && strstr(name, ".json") != NULL;
}

START_TEST(reject_members)
{
	char hex[65];
	char *name;

	for (size_t i = 0; (name = golden_name(i, hex)) != NULL; i++, free(name)) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		CLEANUP(jcs_freep) struct jcs *v = NULL;
		struct err e;

		if (!reject_is_json(name))
			continue;
		golden_read(name, &data);
		UNIT_OK(jcs_decode(data.data, data.len, data.len, &v, &e), &e);
		for (int op = 0; op < REJECT_OPS_; op++)
			for (size_t target = 0; reject_one(name, v, (enum reject_op)op, target); target++)
				continue;
	}
}
END_TEST

static void
reject_flip(golden_again *decoder, const char *name, struct buf *data, size_t at, int mask)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct err e;

	data->data[at] = (unsigned char)(data->data[at] ^ mask);
	if (decoder(data->data, data->len, &again, &e) == 0) {
		ck_assert_msg(again.len == data->len && memcmp(again.data, data->data, data->len) == 0,
		    "%s: byte %zu is not part of what was read", name, at);
	}
	data->data[at] = (unsigned char)(data->data[at] ^ mask);
}

START_TEST(reject_flips)
{
	char hex[65];
	char *name;

	for (size_t i = 0; (name = golden_name(i, hex)) != NULL; i++, free(name)) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		golden_again *decoder = golden_decoder(name);

		if (decoder == NULL)
			continue;
		golden_read(name, &data);
		/* every byte of the short ones, some hundred of the long */
		for (size_t at = 0; at < data.len; at += 1 + data.len / 2048 * 5)
			for (int mask = 1; mask < 256; mask <<= data.len > 2048 ? 5 : 1)
				reject_flip(decoder, name, &data, at, mask);
	}
}
END_TEST

/* A tree cut at the end of a line is a smaller tree; all else is refused. */
START_TEST(reject_truncated)
{
	char hex[65];
	char *name;

	for (size_t i = 0; (name = golden_name(i, hex)) != NULL; i++, free(name)) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		CLEANUP(buf_free) struct buf again = BUF_INIT;
		golden_again *decoder = golden_decoder(name);
		struct err e;

		if (decoder == NULL)
			continue;
		golden_read(name, &data);
		for (size_t len = 0; len < data.len; len += 1 + data.len / 2048 * 5) {
			if (decoder == golden_tree && len > 0 && data.data[len - 1] == '\n')
				continue;
			UNIT_FAILS(decoder(data.data, len, &again, &e), &e, ERR_FORMAT);
		}
		buf_addc(&data, '\n');
		UNIT_FAILS(decoder(data.data, data.len, &again, &e), &e, ERR_FORMAT);
	}
}
END_TEST

UNIT_SUITE(reject)
{
	tcase_add_test(tc, reject_members);
	tcase_add_test(tc, reject_flips);
	tcase_add_test(tc, reject_truncated);
}
