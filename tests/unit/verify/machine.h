/* A certificate of a machine that has everything: a chain, a boot log, a reference record. */
#ifndef UNIT_VERIFY_MACHINE_H
#define UNIT_VERIFY_MACHINE_H

#include "evidence/boot-log.h"
#include "verify/forge.h"
#include "verify/reference.h"

struct machine {
	struct forge f;
	struct boot_log log;        /* SHA-256 and SHA-384 */
	struct forge_objects objects;
	struct pki *root, *ca;
	struct trust_entry entry;   /* of the root, purpose ak, grants vtpm */
	struct trust trust;
	struct reference_set references;
	struct verify_request rq;
};

/* A device with the typical boot log, its PCRs quoted, its image's verity hash known. */
void machine_new(struct machine *m);
void machine_free(struct machine *m);
/* PCR 0-13 of start and end as the log gives them. */
void machine_pcrs(struct machine *m);
/* The log becomes an object that the certificate names. */
void machine_log(struct machine *m);
/* The AK's certificate, by these options, from the intermediate. */
void machine_chain(struct machine *m, const struct pki_options *leaf);
/* A record with the values of the log, of one bank; taken as it is to be changed. */
void machine_record(const struct machine *m, enum hash_alg bank, const char *platform,
    struct reference *ret);
/* A document of these records, encoded; the records are freed. */
void machine_document(struct reference *records, size_t n, struct buf *ret);
void machine_know(struct machine *m, struct reference *records, size_t n);
/* Finishes the certificate; m->rq demands vtpm. */
void machine_finish(struct machine *m);
/* The verdict has this level, this answer, and c (unless CHECK_COUNT) this result and words. */
void machine_is(struct machine *m, enum verdict_level level, enum verdict_answer answer);
void machine_check(struct machine *m, enum verdict_check c, enum verdict_result r,
    const char *found);

#endif
