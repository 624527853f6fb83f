#include "store/odb-present.h"

#include "store/elsewhere.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"

#define ODB_PRESENT_FIRST 256       /* asked one by one before all are read */
#define ODB_PRESENT_DOUBT 4         /* of the questions expected, this part is counted on */
#define ODB_PRESENT_AHEAD 8         /* of the one that is looked up */
#define ODB_PRESENT_KEEP 512        /* ids given to the lease at once */

static int
odb_present_keep(struct store *s, const struct odb_present_question *q, size_t n, struct err *e)
{
	struct oid ids[ODB_PRESENT_KEEP];

	for (size_t done = 0; done < n;) {
		size_t k = 0;

		for (; k < ODB_PRESENT_KEEP && done < n; k++, done++)
			ids[k] = q[done].id;
		if (odb_keep(s, ids, k, e) != 0)
			return -1;
	}
	return 0;
}

/* Ids that are current, when it pays to read them. */
static int
odb_present_load(struct odb_present *p, size_t n, struct err *e)
{
	int64_t version;
	size_t likely;
	bool pays;

	/* in the transaction of the batch: every look-up by itself would take locks */
	if (!store_read_only(p->s) && odb_small_lock(p->s, e) != 0)
		return -1;
	if (odb_small_version(p->s, &version, e) != 0)
		return -1;
	if (p->loaded && version == p->version)
		return 0;
	odb_present_free(p);
	p->asked += n;
	likely = p->asked + p->expected / ODB_PRESENT_DOUBT;
	if (odb_small_ids_pay(p->s, likely, &pays, e) != 0)
		return -1;
	if (likely < ODB_PRESENT_FIRST || !pays)
		return 0;
	p->version = version;
	p->asked = 0;
	if (odb_small_ids(p->s, &p->ids, e) != 0)
		return -1;
	p->loaded = true;
	return 0;
}

static int
odb_present_small(const struct odb_present *p, const struct oid *id, struct err *e)
{
	return p->loaded ? oid_set_has(&p->ids, id) : odb_small_has(p->s, id, e);
}

static int
odb_present_large(const struct odb_present *p, const struct odb_present_question *q, struct err *e)
{
	uint64_t found;
	struct err damage;
	int rc = odb_file_size(p->s, &q->id, &found, &damage);

	/* what is no file, or has another length, is damage: the bytes are put again */
	if (rc != 1 || found != q->size)
		return 0;
	return store_read_only(p->s) || odb_file_settle(p->s, &q->id, e) == 0 ? 1 : -1;
}

/* Large ones alone: small ones are always kept in the store. */
static int
odb_present_elsewhere(const struct odb_present *p, const struct odb_present_question *q, struct err *e)
{
	CLEANUP(source_close) struct source found = SOURCE_INIT;
	int rc = p->elsewhere && q->size > ODB_SMALL_MAX ? elsewhere_find(p->s, &q->id, 0, &found, e) : 0;

	return rc == 1 && (!found.steady || found.size != q->size) ? 0 : rc;
}

/* 1: it is there, 0: it is not. */
static int
odb_present_one(const struct odb_present *p, const struct odb_present_question *q, struct err *e)
{
	bool small = q->size <= ODB_SMALL_MAX;
	int rc = small ? odb_present_small(p, &q->id, e) : odb_present_large(p, q, e);

	if (rc == 0) /* the bound between the two may have been another one */
		rc = small ? odb_present_large(p, q, e) : odb_present_small(p, &q->id, e);
	return rc == 0 ? odb_present_elsewhere(p, q, e) : rc;
}

int
odb_present_find(struct odb_present *p, struct odb_present_question *q, size_t n, struct err *e)
{
	int rc;

	if (odb_present_keep(p->s, q, n, e) != 0 || odb_present_load(p, n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p->loaded && i + ODB_PRESENT_AHEAD < n)
			oid_set_ahead(&p->ids, &q[i + ODB_PRESENT_AHEAD].id);
		rc = odb_present_one(p, &q[i], e);
		if (rc < 0)
			return -1;
		q[i].has = rc == 1;
	}
	return 0;
}

void
odb_present_free(struct odb_present *p)
{
	oid_set_free(&p->ids);
	p->loaded = false;
}
