/* Who a request is from: credentials against the token file (aicertd(8)). */
#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

#include "serve/http.h"
#include "serve/principal.h"

/* http_route.access: any one of these PRINCIPAL_* rights is enough, or: */
#define ACCESS_OPEN 0x100u      /* no credential is asked for */
#define ACCESS_PUBLIC 0x200u    /* without one, or the right, only what is public; the handler judges */
#define ACCESS_ANY 0x400u       /* any principal */

struct access;

/* token_file: read again whenever it changes; while it cannot be read nobody is known. */
int access_new(const char *token_file, struct access **ret, struct err *e) MUST_CHECK;
/* Those in the list, which is taken over, and never others. */
int access_new_fixed(struct principal_list *list, struct access **ret, struct err *e) MUST_CHECK;
void access_free(struct access *a);

enum access_answer {
	ACCESS_GRANTED,
	ACCESS_REPLIED              /* 401, 403 or 429: the answer is made */
};
/* *ret: the principal; its name stays "" for ACCESS_OPEN, for a Unix socket (with all
 * rights), and where ACCESS_PUBLIC was asked without a credential: *ret_known. */
int access_judge(struct access *a, struct http_call *c, unsigned wanted, struct principal *ret,
    bool *ret_known, enum access_answer *ret_answer, struct err *e) MUST_CHECK;
/* 403 for who has none of these rights. */
int access_lacks(struct http_call *c, const struct principal *p, unsigned wanted,
    struct err *e) MUST_CHECK;
/* 401 for who gave no credential. */
int access_demand(struct http_call *c, struct err *e) MUST_CHECK;
/* Credentials that were refused since the start. */
uint64_t access_failures(struct access *a);

#endif
