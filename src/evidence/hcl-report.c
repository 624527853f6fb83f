#include "evidence/hcl-report.h"

#include <string.h>
#include "codec/base64.h"
#include "codec/jcs.h"

#define HCL_REPORT_HEADER 32
#define HCL_REPORT_DATA (HCL_REPORT_HEADER + SNP_REPORT_SIZE)
#define HCL_REPORT_JSON (HCL_REPORT_DATA + 20)
#define HCL_REPORT_REQUEST 2
#define HCL_REPORT_TYPE_SNP 2
#define HCL_REPORT_TYPE_TDX 4
#define HCL_REPORT_HASH_SHA256 1
#define HCL_REPORT_RSA_BITS_MIN 2048
#define HCL_REPORT_AK "HCLAkPub"

static uint32_t
hcl_report_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int
hcl_report_zeros(const unsigned char *p, size_t from, size_t to, struct err *e)
{
	for (size_t i = from; i < to; i++) {
		if (p[i] != 0)
			return err_set(e, ERR_FORMAT, "HCL report: byte %zu is not zero", i);
	}
	return 0;
}

static int
hcl_report_header(const unsigned char *p, size_t len, struct err *e)
{
	uint32_t version;

	if (len < HCL_REPORT_JSON || len > HCL_REPORT_MAX)
		return err_set(e, ERR_FORMAT, "HCL report: %zu bytes", len);
	if (memcmp(p, "HCLA", 4) != 0)
		return err_set(e, ERR_FORMAT, "HCL report: does not begin with HCLA");
	version = hcl_report_u32(p + 4);
	if (version != 1 && version != 2)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: version %lu", (unsigned long)version);
	if (hcl_report_u32(p + 12) != HCL_REPORT_REQUEST)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: request type %lu",
		    (unsigned long)hcl_report_u32(p + 12));
	return hcl_report_zeros(p, 16, HCL_REPORT_HEADER, e); /* status, reserved */
}

/* Three sizes that must agree: a length is never taken from one of them alone. */
static int
hcl_report_sizes(const unsigned char *p, size_t len, struct hcl_report *h, struct err *e)
{
	size_t json = hcl_report_u32(p + HCL_REPORT_DATA + 16);

	if (json == 0 || json > len - HCL_REPORT_JSON)
		return err_set(e, ERR_FORMAT, "HCL report: a JSON of %zu bytes does not fit", json);
	h->len = HCL_REPORT_JSON + json;
	if (hcl_report_u32(p + HCL_REPORT_DATA) != json + 20 || hcl_report_u32(p + 8) != h->len)
		return err_set(e, ERR_FORMAT, "HCL report: its sizes do not agree");
	h->runtime = (const char *)p + HCL_REPORT_JSON;
	h->runtime_len = json;
	return hcl_report_zeros(p, h->len, len, e);
}

static int
hcl_report_kind(const unsigned char *p, struct hcl_report *h, struct err *e)
{
	uint32_t version = hcl_report_u32(p + 4), type = hcl_report_u32(p + 8);

	if (version != 1)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: runtime data of version %lu",
		    (unsigned long)version);
	if (type != HCL_REPORT_TYPE_SNP && type != HCL_REPORT_TYPE_TDX)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: hardware report of type %lu; known are"
		    " SEV-SNP (2) and TDX (4)", (unsigned long)type);
	h->type = type == HCL_REPORT_TYPE_SNP ? HCL_REPORT_SNP : HCL_REPORT_TDX;
	if (hcl_report_u32(p + 12) != HCL_REPORT_HASH_SHA256)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: hash %lu is not SHA-256",
		    (unsigned long)hcl_report_u32(p + 12));
	return 0;
}

int
hcl_report_decode(const void *data, size_t len, struct hcl_report *ret, struct err *e)
{
	const unsigned char *p = data;
	struct hcl_report h = {0};

	if (hcl_report_header(p, len, e) != 0 || hcl_report_kind(p + HCL_REPORT_DATA, &h, e) != 0 ||
	    hcl_report_sizes(p, len, &h, e) != 0)
		return -1;
	h.hardware = p + HCL_REPORT_HEADER;
	*ret = h;
	return 0;
}

int
hcl_report_bound(const struct hcl_report *h, const unsigned char report_data[64], bool *ret_ok,
    struct err *e)
{
	unsigned char wanted[64] = {0};

	if (hash_once(HASH_SHA256, h->runtime, h->runtime_len, wanted, e) != 0)
		return -1;
	*ret_ok = hash_equal(wanted, report_data, sizeof wanted);
	return 0;
}

/* Two keys of one name would leave it to the reader which one is the AK. */
static int
hcl_report_find_ak(const struct jcs *v, const struct jcs **ret, struct err *e)
{
	const struct jcs *keys = jcs_get(v, "keys"), *found = NULL;

	if (keys == NULL || jcs_type(keys) != JCS_ARRAY)
		return err_set(e, ERR_FORMAT, "HCL report: the JSON has no keys");
	for (size_t i = 0; i < jcs_length(keys); i++) {
		const char *kid = jcs_get_string(jcs_at(keys, i), "kid");

		if (kid == NULL || strcmp(kid, HCL_REPORT_AK) != 0)
			continue;
		if (found != NULL)
			return err_set(e, ERR_FORMAT, "HCL report: two keys named " HCL_REPORT_AK);
		found = jcs_at(keys, i);
	}
	if (found == NULL)
		return err_set(e, ERR_FORMAT, "HCL report: no key named " HCL_REPORT_AK);
	*ret = found;
	return 0;
}

/* Base64urlUInt (RFC 7518 section 2): no leading zero byte. */
static int
hcl_report_number(const struct jcs *key, const char *name, size_t max, struct buf *ret, struct err *e)
{
	const char *text = jcs_get_string(key, name);

	if (text == NULL)
		return err_set(e, ERR_FORMAT, "HCL report: " HCL_REPORT_AK " has no \"%s\"", name);
	ret->max = max;
	if (base64_decode_url(ret, text, strlen(text), e) != 0)
		return err_prefix(e, "HCL report: " HCL_REPORT_AK " \"%s\"", name);
	if (ret->len == 0 || ret->data[0] == 0)
		return err_set(e, ERR_FORMAT, "HCL report: " HCL_REPORT_AK " \"%s\" is no number", name);
	return 0;
}

static int
hcl_report_jwk(const struct jcs *key, struct key **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf n = BUF_INIT;
	CLEANUP(buf_free) struct buf exponent = BUF_INIT;
	CLEANUP(key_freep) struct key *k = NULL;
	const char *type = jcs_get_string(key, "kty");
	uint32_t value = 0;

	if (type == NULL || strcmp(type, "RSA") != 0)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: " HCL_REPORT_AK " is no RSA key");
	if (hcl_report_number(key, "n", 1024, &n, e) != 0 ||
	    hcl_report_number(key, "e", 4, &exponent, e) != 0)
		return -1;
	for (size_t i = 0; i < exponent.len; i++)
		value = value << 8 | exponent.data[i];
	if (key_from_rsa(n.data, n.len, value, &k, e) != 0)
		return -1;
	if (key_bits(k) < HCL_REPORT_RSA_BITS_MIN)
		return err_set(e, ERR_UNSUPPORTED, "HCL report: " HCL_REPORT_AK " of %u bits is too short",
		    key_bits(k));
	*ret = k;
	k = NULL;
	return 0;
}

int
hcl_report_ak(const struct hcl_report *h, struct key **ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const struct jcs *key = NULL;

	if (jcs_decode_any(h->runtime, h->runtime_len, HCL_REPORT_MAX, &v, e) != 0)
		return err_prefix(e, "HCL report: JSON");
	if (hcl_report_find_ak(v, &key, e) != 0)
		return -1;
	return hcl_report_jwk(key, ret, e);
}
