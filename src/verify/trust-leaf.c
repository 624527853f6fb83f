/* What an entry asks of the purposes (extendedKeyUsage) of an AK's certificate. */
#include "verify/trust-internal.h"

#include <string.h>

/* Dotted decimal, as the purposes of a certificate are written: one spelling each. */
static bool
trust_leaf_oid_ok(const char *text)
{
	size_t len = strlen(text), dots = 0;

	if (len == 0 || len >= TRUST_OID_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool start = i == 0 || text[i - 1] == '.', last = i + 1 == len || text[i + 1] == '.';

		if (text[i] == '.' && !start && i + 1 < len)
			dots++;
		else if (text[i] < '0' || text[i] > '9' || (text[i] == '0' && start && !last))
			return false;
	}
	return dots > 0;
}

int
trust_leaf_add(struct trust_purposes *list, const char *oid, struct err *e)
{
	if (oid == NULL || !trust_leaf_oid_ok(oid))
		return err_set(e, ERR_FORMAT, "%s: not an object identifier as 2.23.133.8.3",
		    oid != NULL ? oid : "leaf");
	if (list->count == TRUST_PURPOSES_MAX)
		return err_set(e, ERR_FORMAT, "more than %d purposes", TRUST_PURPOSES_MAX);
	snprintf(list->oids[list->count++], TRUST_OID_SIZE, "%s", oid);
	return 0;
}

static int
trust_leaf_list(const struct jcs *v, struct trust_purposes *ret, struct err *e)
{
	for (size_t i = 0; i < jcs_length(v); i++) {
		if (trust_leaf_add(ret, jcs_string(jcs_at(v, i)), e) != 0)
			return -1;
	}
	return 0;
}

int
trust_leaf_decode(const struct jcs *v, struct trust_entry *t, struct err *e)
{
	static const struct shape table[] = {
		{"forbidden", SHAPE_ARRAY, SHAPE_OPTIONAL}, {"required", SHAPE_ARRAY, SHAPE_OPTIONAL}, {0},
	};

	if (v == NULL)
		return 0;
	if (t->purpose != TRUST_AK)
		return err_set(e, ERR_FORMAT, "trust entry %s: leaf is for purpose ak", t->name);
	if (shape_check(v, table, "leaf", e) != 0 ||
	    trust_leaf_list(jcs_get(v, "required"), &t->required, e) != 0 ||
	    trust_leaf_list(jcs_get(v, "forbidden"), &t->forbidden, e) != 0)
		return err_prefix(e, "trust entry %s", t->name);
	if (t->required.count + t->forbidden.count == 0)
		return err_set(e, ERR_FORMAT, "trust entry %s: leaf asks for nothing", t->name);
	return 0;
}

static struct jcs *
trust_leaf_array(const struct trust_purposes *list)
{
	struct jcs *a = jcs_new_array();

	for (size_t i = 0; i < list->count; i++)
		jcs_append(a, jcs_new_string(list->oids[i]));
	return a;
}

void
trust_leaf_encode(const struct trust_entry *t, struct jcs *o)
{
	struct jcs *leaf;

	if (t->required.count + t->forbidden.count == 0)
		return;
	leaf = jcs_new_object();
	if (t->required.count > 0)
		jcs_set(leaf, "required", trust_leaf_array(&t->required));
	if (t->forbidden.count > 0)
		jcs_set(leaf, "forbidden", trust_leaf_array(&t->forbidden));
	jcs_set(o, "leaf", leaf);
}

static bool
trust_leaf_one(const struct x509_cert *leaf, const struct trust_purposes *list, bool wanted,
    struct buf *reason)
{
	for (size_t i = 0; i < list->count; i++) {
		if (x509_has_purpose(leaf, list->oids[i]) == wanted)
			continue;
		buf_addf(reason, "the AK's certificate %s the purpose %s, which the trust entry %s",
		    wanted ? "lacks" : "has", list->oids[i], wanted ? "asks for" : "forbids");
		return false;
	}
	return true;
}

bool
trust_leaf_ok(const struct trust_entry *t, const struct x509_cert *leaf, struct buf *reason)
{
	return trust_leaf_one(leaf, &t->required, true, reason) &&
	    trust_leaf_one(leaf, &t->forbidden, false, reason);
}
