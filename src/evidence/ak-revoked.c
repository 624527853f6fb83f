#include "evidence/ak-revoked.h"

struct ak_revoked_lists {
	struct x509_crl *lists[AK_REVOKED_LISTS_MAX];
	size_t n;
};

static void
ak_revoked_lists_free(struct ak_revoked_lists *l)
{
	while (l->n > 0)
		x509_crl_free(l->lists[--l->n]);
}

static int
ak_revoked_decode(const struct buf *lists, size_t n, struct ak_revoked_lists *l, struct err *e)
{
	if (n > AK_REVOKED_LISTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d revocation lists", AK_REVOKED_LISTS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (x509_crl_decode(lists[i].data, lists[i].len, &l->lists[i], e) != 0)
			return err_prefix(e, "list %zu", i);
		l->n++;
	}
	return 0;
}

/* The strongest answer of all lists, with why. */
static int
ak_revoked_one(const struct ak_revoked_lists *l, const struct x509_cert *c,
    const struct x509_cert *issuer, int64_t time, enum x509_crl_answer *ret, struct buf *why,
    struct err *e)
{
	*ret = X509_CRL_OTHER;
	for (size_t i = 0; issuer != NULL && i < l->n; i++) {
		CLEANUP(buf_free) struct buf reason = BUF_INIT;
		enum x509_crl_answer found;

		if (x509_crl_judge(l->lists[i], c, issuer, time, &found, &reason, e) != 0)
			return -1;
		if (found > *ret)
			buf_reset(why);
		if (found > *ret || (*ret == X509_CRL_OTHER && why->len == 0))
			buf_adds(why, buf_str(&reason));
		if (found > *ret)
			*ret = found;
	}
	if (*ret == X509_CRL_OTHER && why->len == 0)
		buf_adds(why, "no revocation list of its issuer");
	return buf_check(why, e);
}

int
ak_revoked(const struct ak_chain_path *path, const struct buf *lists, size_t n, int64_t time,
    enum ak_revoked_result *ret, struct buf *notes, struct err *e)
{
	CLEANUP(ak_revoked_lists_free) struct ak_revoked_lists l = {0};
	enum ak_revoked_result result = AK_REVOKED_NONE;

	if (ak_revoked_decode(lists, n, &l, e) != 0)
		return -1;
	for (size_t i = 0; i < path->n; i++) {
		const struct x509_cert *issuer = i + 1 < path->n ? path->certs[i + 1] : path->anchor;
		CLEANUP(buf_free) struct buf why = BUF_INIT;
		enum x509_crl_answer found;

		if (ak_revoked_one(&l, path->certs[i], issuer, time, &found, &why, e) != 0)
			return -1;
		if (found == X509_CRL_CLEAN)
			continue;
		if (found == X509_CRL_REVOKED) {
			buf_reset(notes);
			buf_addf(notes, "certificate %zu of the chain: %s", i, buf_str(&why));
			*ret = AK_REVOKED_SOME;
			return buf_check(notes, e);
		}
		buf_addf(notes, "%scertificate %zu of the chain: %s", notes->len > 0 ? "; " : "", i,
		    buf_str(&why));
		result = AK_REVOKED_UNKNOWN;
	}
	*ret = path->n > 0 ? result : AK_REVOKED_UNKNOWN;
	return buf_check(notes, e);
}
