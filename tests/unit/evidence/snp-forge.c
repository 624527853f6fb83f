#include "snp-forge.h"

#include <openssl/ecdsa.h>
#include <string.h>
#include "codec/base64.h"
#include "unit.h"

void
snp_forge_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* --- the certificates --- */

/* Every test is a process of its own and takes from the first on. */
static struct pki *snp_forge_pool[6];
static size_t snp_forge_taken;

void
snp_forge_prepare(void)
{
	for (size_t i = 0; i < 6; i++)
		snp_forge_pool[i] = pki_make(&(struct pki_options){.name = "key", .key = PKI_RSA2048});
}

void
snp_forge_done(void)
{
	for (size_t i = 0; i < 6; i++)
		pki_free(snp_forge_pool[i]);
}

/* NULL: make one. */
static const struct pki *
snp_forge_key(const struct snp_forge *f)
{
	return f->ca_key == PKI_RSA2048 && snp_forge_taken < 6 ? snp_forge_pool[snp_forge_taken++] : NULL;
}

static void
snp_forge_add(struct snp_forge *f, const char *oid, const void *value, size_t len)
{
	struct pki_extension *e = &f->extensions[f->extension_count++];

	ck_assert_uint_lt(f->extension_count, SNP_FORGE_EXTENSIONS);
	e->oid = oid;
	memcpy(e->value, value, len);
	e->len = len;
}

static void
snp_forge_level(struct snp_forge *f, const char *oid, unsigned v)
{
	unsigned char der[4] = {2, 1, (unsigned char)v};

	if (v >= 0x80) {
		der[1] = 2;
		der[2] = 0;
		der[3] = (unsigned char)v;
	}
	snp_forge_add(f, oid, der, v >= 0x80 ? 4 : 3);
}

static void
snp_forge_extensions(struct snp_forge *f)
{
	const unsigned char *tcb = f->report + 0x180;
	bool t = f->turin;

	snp_forge_level(f, SNP_FORGE_OID "1", t ? 1 : 0);
	snp_forge_add(f, SNP_FORGE_OID "2", t ? "\x16\x05Turin" : "\x16\x08Milan-B0", t ? 7 : 10);
	if (t)
		snp_forge_level(f, SNP_FORGE_OID "3.9", tcb[0]);
	else
		snp_forge_level(f, SNP_FORGE_OID "3.4", 0);
	snp_forge_level(f, SNP_FORGE_OID "3.1", tcb[t ? 1 : 0]);
	snp_forge_level(f, SNP_FORGE_OID "3.2", tcb[t ? 2 : 1]);
	snp_forge_level(f, SNP_FORGE_OID "3.3", tcb[t ? 3 : 6]);
	snp_forge_level(f, SNP_FORGE_OID "3.5", 0);
	snp_forge_level(f, SNP_FORGE_OID "3.6", 0);
	snp_forge_level(f, SNP_FORGE_OID "3.7", 0);
	snp_forge_level(f, SNP_FORGE_OID "3.8", tcb[7]);
	snp_forge_add(f, SNP_FORGE_OID "4", f->report + 0x1a0, t ? 8 : 64);
}

struct pki_extension *
snp_forge_extension(struct snp_forge *f, const char *suffix)
{
	for (size_t i = 0; i < f->extension_count; i++) {
		if (strcmp(f->extensions[i].oid + strlen(SNP_FORGE_OID), suffix) == 0)
			return &f->extensions[i];
	}
	ck_abort_msg("no extension %s", suffix);
	return NULL;
}

void
snp_forge_vcek(struct snp_forge *f)
{
	const struct pki *all[3];

	pki_free(f->vcek);
	f->vcek = pki_make(&(struct pki_options){.name = "SEV-VCEK", .issuer = f->ask, .pss = f->pss,
	    .key = PKI_P384, .extensions = f->extensions});
	all[0] = f->vcek;
	all[1] = f->ask;
	all[2] = f->ark;
	for (size_t i = 0; i < 3; i++) {
		buf_reset(&f->chain[i]);
		pki_der(all[i], &f->chain[i]);
	}
}

static void
snp_forge_authorities(struct snp_forge *f)
{
	f->ark = pki_make(&(struct pki_options){.name = "ARK", .basic = "critical,CA:TRUE",
	    .usage = "critical,keyCertSign,cRLSign", .key = f->ca_key, .pss = f->pss,
	    .same_key = snp_forge_key(f)});
	f->ask = pki_make(&(struct pki_options){.name = "ASK", .issuer = f->ark,
	    .basic = "critical,CA:TRUE,pathlen:0", .usage = "critical,keyCertSign", .key = f->ca_key,
	    .pss = f->pss, .same_key = snp_forge_key(f)});
	f->root = pki_cert(f->ark);
}

/* --- the report --- */

static void
snp_forge_fields(struct snp_forge *f)
{
	static const unsigned char milan[8] = {4, 0, 0, 0, 0, 0, 24, 219};
	static const unsigned char turin[8] = {1, 2, 3, 4, 0, 0, 0, 72};
	static const size_t tcbs[] = {0x38, 0x180, 0x1e0, 0x1f0};
	unsigned char *p = f->report;

	snp_forge_u32(p, f->turin ? 5 : 2);
	snp_forge_u32(p + 0x4, 5);
	snp_forge_u32(p + 0x8, 0x3001f);
	snp_forge_u32(p + 0x34, 1);
	memset(p + 0x90, 0x4d, 48);
	memset(p + 0xc0, 0x48, 32);
	memset(p + 0xe0, 0x1d, 48);
	memset(p + 0x140, 0x52, 32);
	memset(p + 0x160, 0xff, 32);
	memset(p + 0x1a0, 0xc1, f->turin ? 8 : 64);
	for (size_t i = 0; i < sizeof tcbs / sizeof *tcbs; i++)
		memcpy(p + tcbs[i], f->turin ? turin : milan, 8);
	if (f->turin) {
		p[0x188] = 0x1a;
		p[0x189] = 2;
	}
}

static void
snp_forge_number(unsigned char *p, const BIGNUM *n)
{
	memset(p, 0, 72);
	ck_assert_int_eq(BN_bn2lebinpad(n, p, 72), 72);
}

void
snp_forge_sign(struct snp_forge *f)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	const unsigned char *p;
	ECDSA_SIG *sig;

	pki_sign(f->vcek, KEY_ECDSA, HASH_SHA384, f->report, SNP_REPORT_SIGNED, &der);
	p = der.data;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(sig);
	memset(f->report + SNP_REPORT_SIGNED, 0, SNP_REPORT_SIZE - SNP_REPORT_SIGNED);
	snp_forge_number(f->report + SNP_REPORT_SIGNED, ECDSA_SIG_get0_r(sig));
	snp_forge_number(f->report + SNP_REPORT_SIGNED + 72, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
}

/* --- the HCL report --- */

static void
snp_forge_url(const unsigned char *data, size_t len, struct buf *ret)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	base64_encode(&text, data, len);
	for (size_t i = 0; i < text.len; i++) {
		int c = text.data[i];

		if (c != '=')
			buf_addc(ret, c == '+' ? '-' : c == '/' ? '_' : c);
	}
}

/* Members in no order and with spaces: what it is not is canonical. */
void
snp_forge_runtime(struct snp_forge *f, const char *kid, const char *more)
{
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	struct err e;
	const unsigned char *p;

	UNIT_OK(key_spki(f->ak_key, &spki, &e), &e);
	p = spki.data + spki.len - 5 - 256; /* modulus of 2048 bits, then 02 03 01 00 01 */
	buf_reset(&f->runtime);
	buf_addf(&f->runtime, "{\"keys\": [{\"kty\":\"RSA\",\"kid\":\"%s\",\"e\":\"AQAB\",\"n\":\"", kid);
	snp_forge_url(p, 256, &f->runtime);
	buf_addf(&f->runtime, "\"}%s], \"vm-configuration\":{\"secure-boot\":true}}", more);
}

void
snp_forge_wrap(struct snp_forge *f)
{
	unsigned char head[32] = {'H', 'C', 'L', 'A'}, data[20] = {0};
	uint32_t json = (uint32_t)f->runtime.len;

	snp_forge_u32(head + 4, f->hcl_version);
	snp_forge_u32(head + 8, 32 + SNP_REPORT_SIZE + 20 + json);
	snp_forge_u32(head + 12, 2);
	snp_forge_u32(data, 20 + json);
	snp_forge_u32(data + 4, 1);
	snp_forge_u32(data + 8, f->hcl_type);
	snp_forge_u32(data + 12, 1);
	snp_forge_u32(data + 16, json);
	buf_reset(&f->hcl);
	buf_add(&f->hcl, head, sizeof head);
	buf_add(&f->hcl, f->report, sizeof f->report);
	buf_add(&f->hcl, data, sizeof data);
	buf_add(&f->hcl, f->runtime.data, f->runtime.len);
}

void
snp_forge_bind(struct snp_forge *f)
{
	struct err e;

	memset(f->report + 0x50, 0, 64);
	UNIT_OK(hash_once(HASH_SHA256, f->runtime.data, f->runtime.len, f->report + 0x50, &e), &e);
	snp_forge_sign(f);
	snp_forge_wrap(f);
}

/* --- all of it --- */

void
snp_forge_new(struct snp_forge *f, bool turin)
{
	enum pki_key ca_key = f->ca_key != PKI_P256 ? f->ca_key : PKI_RSA2048;

	*f = (struct snp_forge){.turin = turin, .ca_key = ca_key, .pss = {.hash = "SHA384"},
	    .hcl_type = 2, .hcl_version = 1};
	snp_forge_fields(f);
	snp_forge_extensions(f);
	snp_forge_authorities(f);
	snp_forge_vcek(f);
	f->ak = pki_make(&(struct pki_options){.name = "AK", .key = PKI_RSA2048,
	    .same_key = snp_forge_key(f)});
	f->ak_key = pki_key(f->ak);
	snp_forge_runtime(f, "HCLAkPub", "");
	snp_forge_bind(f);
	f->launch.kind = HARDWARE_ID_KEY;
	memset(f->launch.digest, 0x1d, sizeof f->launch.digest);
	f->pin = (struct hardware_pin){.ark = f->root, .launch = &f->launch, .launch_count = 1};
}

void
snp_forge_free(struct snp_forge *f)
{
	pki_free(f->ark);
	pki_free(f->ask);
	pki_free(f->vcek);
	pki_free(f->ak);
	x509_free(f->root);
	key_free(f->ak_key);
	buf_free(&f->runtime);
	buf_free(&f->hcl);
	for (size_t i = 0; i < 3; i++)
		buf_free(&f->chain[i]);
}

struct hardware_request
snp_forge_request(const struct snp_forge *f, enum hardware_format format)
{
	bool hcl = format == HARDWARE_HCL;

	return (struct hardware_request){.format = format, .report = hcl ? f->hcl.data : f->report,
	    .len = hcl ? f->hcl.len : sizeof f->report, .chain = f->chain, .chain_count = 2,
	    .pins = &f->pin, .pin_count = 1, .ak = f->ak_key, .time = SNP_FORGE_TIME};
}
