#include "remote/bucket-manifest.h"

#include <inttypes.h>
#include <string.h>
#include "base/array.h"
#include "remote/pack.h"

#define BUCKET_MANIFEST_LINE 1200

static const char bucket_manifest_magic[] = "aicert bucket 1";

void
bucket_manifest_free(struct bucket_manifest *m)
{
	free(m->packs);
	remote_refs_free(&m->refs);
	*m = (struct bucket_manifest){0};
}

static int
bucket_manifest_bad(size_t line, const char *why, struct err *e)
{
	return err_set(e, ERR_FORMAT, "the remote's manifest, line %zu: %s", line, why);
}

int
bucket_manifest_add_pack(struct bucket_manifest *m, const struct bucket_manifest_pack *p,
    struct err *e)
{
	for (size_t i = m->pack_count; i > 0; i--)
		if (oid_equal(&m->packs[i - 1].id, &p->id))
			return 0;
	if (m->pack_count >= BUCKET_MANIFEST_PACKS_MAX)
		return err_set(e, ERR_LIMIT, "the remote has more than %u packs", BUCKET_MANIFEST_PACKS_MAX);
	if (ARRAY_ROOM(m->packs, m->pack_count, m->pack_cap, e) != 0)
		return -1;
	m->packs[m->pack_count++] = *p;
	return 0;
}

/* The next word of *at, ended by a blank or the end; "" when there is none. */
static const char *
bucket_manifest_word(char **at)
{
	char *word = *at, *blank = strchr(word, ' ');

	if (blank != NULL) {
		*blank = '\0';
		*at = blank + 1;
	} else {
		*at = word + strlen(word);
	}
	return word;
}

static bool
bucket_manifest_number(const char *word, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (*word == '\0' || (word[0] == '0' && word[1] != '\0'))
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		n = n * 10 + (uint64_t)(*word - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return true;
}

static int
bucket_manifest_pack_line(struct bucket_manifest *m, char *at, size_t line, struct err *e)
{
	struct bucket_manifest_pack p;
	size_t before = m->pack_count;

	if (m->refs.count > 0)
		return bucket_manifest_bad(line, "a pack after the refs", e);
	if (oid_from_hex(&p.id, bucket_manifest_word(&at), NULL) != 0 ||
	    !bucket_manifest_number(bucket_manifest_word(&at), PACK_HEAD_MAX, &p.head_len) ||
	    !bucket_manifest_number(bucket_manifest_word(&at), PACK_BYTES_MAX, &p.total) || *at != '\0' ||
	    p.head_len == 0 || p.total < p.head_len)
		return bucket_manifest_bad(line, "it describes no pack", e);
	if (bucket_manifest_add_pack(m, &p, e) != 0)
		return -1;
	return m->pack_count > before ? 0 : bucket_manifest_bad(line, "the pack is there twice", e);
}

static int
bucket_manifest_ref_line(struct bucket_manifest *m, char *at, size_t line, struct err *e)
{
	const char *name = bucket_manifest_word(&at);
	struct object_ref ref;

	if (oid_type_parse(bucket_manifest_word(&at), &ref.type, NULL) != 0 ||
	    oid_from_text(&ref.id, bucket_manifest_word(&at), NULL) != 0 || *at != '\0')
		return bucket_manifest_bad(line, "it is no ref", e);
	if (m->refs.count > 0 && strcmp(m->refs.items[m->refs.count - 1].name, name) >= 0)
		return bucket_manifest_bad(line, "the refs are not sorted", e);
	return remote_refs_add(&m->refs, name, &ref, e);
}

static int
bucket_manifest_line(struct bucket_manifest *m, char *at, size_t line, struct err *e)
{
	const char *what;

	if (line == 1)
		return strcmp(at, bucket_manifest_magic) == 0 ? 0 :
		    bucket_manifest_bad(line, "it is no manifest of this version", e);
	what = bucket_manifest_word(&at);
	if (strcmp(what, "pack") == 0)
		return bucket_manifest_pack_line(m, at, line, e);
	if (strcmp(what, "ref") == 0)
		return bucket_manifest_ref_line(m, at, line, e);
	if (strcmp(what, "head") != 0 || line != 2 || strncmp(at, "refs/heads/", 11) != 0)
		return bucket_manifest_bad(line, "it begins with no word that is known", e);
	m->refs.head = buf_strdup(at, e);
	return m->refs.head != NULL ? 0 : -1;
}

static int
bucket_manifest_lines(const char *data, size_t len, struct bucket_manifest *m, struct err *e)
{
	char text[BUCKET_MANIFEST_LINE];
	size_t line = 0;

	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end != NULL ? (size_t)(end - data) : len;

		line++;
		if (end == NULL || n == 0 || n >= sizeof text || data[n - 1] == ' ' || memchr(data, '\0', n) != NULL)
			return bucket_manifest_bad(line, "the line is empty, too long, or does not end as it must", e);
		memcpy(text, data, n);
		text[n] = '\0';
		if (bucket_manifest_line(m, text, line, e) != 0)
			return -1;
		data += n + 1;
		len -= n + 1;
	}
	return line > 0 ? 0 : bucket_manifest_bad(1, "it is empty", e);
}

int
bucket_manifest_decode(const void *data, size_t len, struct bucket_manifest *ret, struct err *e)
{
	struct bucket_manifest m = {0};

	if (bucket_manifest_lines(data, len, &m, e) != 0) {
		bucket_manifest_free(&m);
		return -1;
	}
	*ret = m;
	return 0;
}

int
bucket_manifest_encode(const struct bucket_manifest *m, struct buf *ret, struct err *e)
{
	char hex[OID_HEX_SIZE], text[OID_TEXT_SIZE];

	buf_addf(ret, "%s\n", bucket_manifest_magic);
	if (m->refs.head != NULL)
		buf_addf(ret, "head %s\n", m->refs.head);
	for (size_t i = 0; i < m->pack_count; i++) {
		oid_hex(&m->packs[i].id, hex);
		buf_addf(ret, "pack %s %" PRIu64 " %" PRIu64 "\n", hex, m->packs[i].head_len,
		    m->packs[i].total);
	}
	for (size_t i = 0; i < m->refs.count; i++) {
		oid_text(&m->refs.items[i].target.id, text);
		buf_addf(ret, "ref %s %s %s\n", m->refs.items[i].name,
		    oid_type_name(m->refs.items[i].target.type), text);
	}
	return buf_check(ret, e);
}

int
bucket_manifest_set_ref(struct bucket_manifest *m, const char *name,
    const struct object_ref *target, struct err *e)
{
	size_t at = 0;

	while (at < m->refs.count && strcmp(m->refs.items[at].name, name) != 0)
		at++;
	if (at < m->refs.count && target != NULL) {
		m->refs.items[at].target = *target;
		return 0;
	}
	if (at < m->refs.count) {
		free(m->refs.items[at].name);
		m->refs.count--;
		memmove(&m->refs.items[at], &m->refs.items[at + 1],
		    (m->refs.count - at) * sizeof *m->refs.items);
		return 0;
	}
	if (target == NULL)
		return 0;
	if (remote_refs_add(&m->refs, name, target, e) != 0)
		return -1;
	if (m->refs.head == NULL && strncmp(name, "refs/heads/", 11) == 0)
		m->refs.head = buf_strdup(name, e);
	return remote_refs_finish(&m->refs, e);
}
