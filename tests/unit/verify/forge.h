/*
 * Certificates as a runner would make them, honest or lying: events chosen
 * freely, then measured, sealed and quoted by a software AK whose every member
 * can be set.  No sandbox, no store.
 */
#ifndef UNIT_VERIFY_FORGE_H
#define UNIT_VERIFY_FORGE_H

#include "object/certificate.h"
#include "pki.h"
#include "evidence/ak-public.h"
#include "evidence/attest.h"
#include "verify/verify.h"

#define FORGE_EVENTS_MAX 48
#define FORGE_OBJECTS_MAX 512
#define FORGE_TIME 1795000000       /* the time of verification: 2026-11-18 */
#define FORGE_WEIGHTS "weights of a model"

/* Places of the events of forge_new(). */
enum forge_place {
	FORGE_REQUEST, FORGE_IMAGE, FORGE_CODE, FORGE_DATA, FORGE_SEALED,
	FORGE_STARTED, FORGE_MODEL, FORGE_CKPT, FORGE_FINISHED, FORGE_END, FORGE_COUNT
};

/* Objects that can be fetched. */
struct forge_objects {
	struct { struct oid id; struct buf data; } all[FORGE_OBJECTS_MAX];
	size_t count;
	enum err_code fail;         /* ERR_NONE, or what every fetch fails with */
	size_t fetched;
};

struct forge {
	struct pki *ak;
	struct buf ak_public;       /* of ak; may be replaced before forge_quote() */
	unsigned scheme;            /* TPM_ALG of the ak's signatures */
	enum ak_hierarchy hierarchy;
	struct key *run_key;
	unsigned char nonce[32];
	struct event events[FORGE_EVENTS_MAX];
	size_t count;
	bool sha256, sha384;        /* banks of the TPM */
	bool lie_started;           /* run_started keeps the value it has */
	struct certificate_pcrs start_pcrs, pcrs;
	struct attest start, final; /* clock and firmware are used; the rest is filled in */
	void (*tweak)(struct attest *start, struct attest *final); /* last touch before signing */
	struct certificate cert;
	struct buf bytes;
	struct oid id;
};

/* A good run of two inputs and two outputs (a file and a tree), not yet measured. */
void forge_new(struct forge *f);
void forge_free(struct forge *f);
/* The input at FORGE_DATA is output `path` of that certificate, with the model's content. */
void forge_made_by(struct forge *f, const struct oid *certificate, const char *path);
/* The spec of run_request, so that it can be changed with the events. */
struct run_spec *forge_spec(struct forge *f);

/* Numbers the events, writes their texts and the PCR values that follow. */
void forge_number(struct forge *f);
void forge_measure(struct forge *f);
void forge_replay(struct forge *f);
void forge_seal(struct forge *f);   /* statement, envelope */
void forge_sign(struct forge *f);   /* the envelope again, over its payload as it is */
void forge_quote(struct forge *f);
void forge_encode(struct forge *f);
/* measure, seal, quote, encode */
void forge_finish(struct forge *f);

void forge_event(struct event *ret, const char *json); /* from any JSON text */
void forge_remove(struct forge *f, size_t at);
void forge_swap(struct forge *f, size_t a, size_t b);
void forge_repeat(struct forge *f, size_t at);

void forge_keep(struct forge_objects *o, const void *data, size_t len, struct oid *ret);
/* The tree of the output ckpt: step/weights, notes.txt and a link. */
void forge_keep_tree(struct forge_objects *o, struct oid *ret, uint64_t *ret_size);
void forge_objects_free(struct forge_objects *o);
int forge_fetch(void *arg, const struct oid *id, size_t max, struct buf *ret, struct err *e);

/* A request at FORGE_TIME for level simulated. */
struct verify_request forge_request(const struct forge *f);
/* Verifies; the caller frees. */
struct verdict *forge_judge(const struct verify_request *rq);
static inline void forge_verdict_freep(struct verdict **v) { verdict_free(*v); }

/* The request passes / fails in exactly this check / is undecided by exactly it. */
void forge_passes(const struct verify_request *rq);
void forge_fails(const struct verify_request *rq, enum verdict_check c, const char *found);
void forge_undecided(const struct verify_request *rq, enum verdict_check c, const char *found);
/* Finishes f, then forge_fails(); frees f. */
void forge_refused(struct forge *f, enum verdict_check c, const char *found);

#endif
