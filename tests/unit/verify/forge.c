#include "verify/forge.h"

#include <string.h>
#include "base/hex.h"
#include "evidence/fixture.h"
#include "evidence/replay.h"
#include "object/statement.h"
#include "object/tree.h"
#include "unit.h"

#define FORGE_ECDSA 0x0018
#define FORGE_SHA256 0x000b
#define FORGE_ZERO_ID "0000000000000000000000000000000000000000000000000000000000000000"

static const char forge_code[] =
    "\"type\":\"blob\",\"path\":\"train.py\",\"kind\":\"code\",\"size\":7,"
    "\"digests\":{\"sha256\":\"1111111111111111111111111111111111111111111111111111111111111111\"},"
    "\"origin\":\"declared\",\"source\":null,\"license\":null,\"madeBy\":null,"
    "\"ignored\":null";
static const char forge_data[] =
    "\"type\":\"blob\",\"path\":\"data/words.txt\",\"kind\":\"dataset\",\"size\":9,"
    "\"digests\":{\"sha256\":\"2222222222222222222222222222222222222222222222222222222222222222\"},"
    "\"origin\":\"declared\",\"source\":\"https://example.org/words\",\"license\":\"CC0-1.0\","
    "\"madeBy\":null,\"ignored\":null";

void
forge_event(struct event *ret, const char *json)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(jcs_decode_any(json, strlen(json), 1 << 20, &v, &e), &e);
	UNIT_OK(jcs_encode(v, &text, &e), &e);
	UNIT_OK(event_decode(buf_str(&text), text.len, ret, &e), &e);
}

static void PRINTF(3, 4)
forge_add(struct forge *f, const char *name, const char *fmt, ...)
{
	CLEANUP(buf_free) struct buf json = BUF_INIT;
	char members[8192];
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_lt(vsnprintf(members, sizeof members, fmt, ap), (int)sizeof members);
	va_end(ap);
	buf_addf(&json, "{\"v\":1,\"event\":\"%s\",\"run\":\"%s\",\"seq\":%zu%s%s}", name,
	    "abababababababababababababababababababababababababababababababab", f->count,
	    members[0] != '\0' ? "," : "", members);
	forge_event(&f->events[f->count++], buf_str(&json));
}

static void
forge_add_inputs(struct forge *f)
{
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	char nonce[65];
	struct err e;

	hex_encode(nonce, f->nonce, sizeof f->nonce);
	forge_add(f, "run_request", "\"nonce\":\"%s\",\"image\":{\"name\":\"unmeasured\",\"version\":null},"
	    "\"daemon\":{\"version\":\"0.1.0\"},\"tpm\":\"embedded\",\"sandbox\":{\"name\":\"crun\","
	    "\"version\":\"1.8.1\",\"rootless\":false,\"userNamespace\":true,\"seccomp\":true,"
	    "\"cgroup\":true,\"uid\":65534},\"config\":{},\"network\":\"none\",\"spec\":{\"version\":1,"
	    "\"image\":\"host\",\"imageFile\":null,\"command\":[\"python3\",\"train.py\"],\"env\":{},"
	    "\"inputs\":[{%s},{%s}],\"outputs\":[{\"path\":\"model.safetensors\",\"kind\":\"model\","
	    "\"type\":\"blob\"},{\"path\":\"ckpt\",\"kind\":\"checkpoint\",\"type\":\"tree\"}],"
	    "\"limits\":{\"cpuMillis\":null,\"memoryBytes\":null,\"timeSeconds\":null,"
	    "\"shmBytes\":null}}", nonce, forge_code, forge_data);
	forge_add(f, "input_image", "\"image\":\"host\",\"verity\":null");
	forge_add(f, "input_resource", "%s", forge_code);
	forge_add(f, "input_resource", "%s", forge_data);
	/* no JSON for this one: its key is made here */
	f->events[f->count] = (struct event){.kind = EVENT_INPUTS_SEALED, .pcr = 14};
	memcpy(f->events[f->count].run, f->events[0].run, 32);
	UNIT_OK(key_spki(f->run_key, &spki, &e), &e);
	f->events[f->count++].u.sealed.spki = spki;
	spki = (struct buf)BUF_INIT;
}

static void
forge_add_outputs(struct forge *f)
{
	struct forge_objects *scratch = calloc(1, sizeof *scratch);
	struct oid model, tree;
	char model_hex[65], tree_hex[65];
	uint64_t tree_size;

	forge_keep(scratch, FORGE_WEIGHTS, strlen(FORGE_WEIGHTS), &model);
	forge_keep_tree(scratch, &tree, &tree_size);
	oid_hex(&model, model_hex);
	oid_hex(&tree, tree_hex);
	forge_add(f, "run_started", "\"pcr14\":{\"sha256\":\"%s\"}", FORGE_ZERO_ID);
	forge_add(f, "output_resource", "\"type\":\"blob\",\"path\":\"model.safetensors\","
	    "\"kind\":\"model\",\"size\":%zu,\"digests\":{\"sha256\":\"%s\"}", strlen(FORGE_WEIGHTS),
	    model_hex);
	forge_add(f, "output_resource", "\"type\":\"tree\",\"path\":\"ckpt\",\"kind\":\"checkpoint\","
	    "\"size\":%llu,\"digests\":{\"sha256\":\"%s\"}", (unsigned long long)tree_size, tree_hex);
	forge_add(f, "run_finished", "\"reason\":\"exited\",\"exitCode\":0,\"signal\":null,"
	    "\"started\":\"2026-11-18T09:00:00Z\",\"finished\":\"2026-11-18T09:10:00Z\","
	    "\"tpm\":{\"clock\":5000,\"resetCount\":7,\"restartCount\":2},\"log\":{\"type\":\"blob\","
	    "\"size\":0,\"digests\":{\"sha256\":\"%s\"},\"truncated\":false},\"cpuMicroseconds\":null,"
	    "\"peakMemoryBytes\":null,\"devices\":[]", FORGE_ZERO_ID);
	forge_add(f, "outputs_sealed", "\"outputs\":2");
	forge_objects_free(scratch);
	free(scratch);
}

void
forge_new(struct forge *f)
{
	struct err e;

	memset(f, 0, sizeof *f);
	f->ak = pki_make(&(struct pki_options){.name = "ak", .key = PKI_P256,
	    .usage = "digitalSignature"});
	f->scheme = FORGE_ECDSA;
	fixture_public(f->ak, f->scheme, FORGE_SHA256, FIXTURE_ATTRIBUTES, &f->ak_public);
	f->hierarchy = AK_ENDORSEMENT;
	f->sha256 = f->sha384 = true;
	UNIT_OK(key_generate_p256(&f->run_key, &e), &e);
	memset(f->nonce, 0x5a, sizeof f->nonce);
	f->start = f->final = (struct attest){.firmware = 0x20240125001200ULL,
	    .clock = {.clock = 4000, .reset_count = 7, .restart_count = 2, .safe = true}};
	f->final.clock.clock = 6000;
	for (unsigned i = 0; i < CERTIFICATE_PCRS; i++) {
		if (i == 14 || i == 15)
			continue;
		memset(f->pcrs.sha256[i], (int)i, 32);
		memset(f->pcrs.sha384[i], (int)(i + 100), 48);
	}
	f->start_pcrs = f->pcrs;
	forge_add_inputs(f);
	forge_add_outputs(f);
	ck_assert_uint_eq(f->count, FORGE_COUNT);
}

void
forge_free(struct forge *f)
{
	f->cert.events = NULL; /* they are ours */
	f->cert.event_count = 0;
	certificate_free(&f->cert);
	for (size_t i = 0; i < f->count; i++)
		event_free(&f->events[i]);
	pki_free(f->ak);
	key_free(f->run_key);
	buf_free(&f->ak_public);
	buf_free(&f->bytes);
}

struct run_spec *
forge_spec(struct forge *f)
{
	return &f->events[FORGE_REQUEST].u.request.spec;
}

static void
forge_made_by_one(struct resource_input *in, const struct oid *certificate, const char *path)
{
	struct err e;

	in->made_by = calloc(1, sizeof *in->made_by);
	ck_assert_ptr_nonnull(in->made_by);
	in->made_by->certificate = *certificate;
	in->made_by->path = strdup(path);
	in->thing.size = strlen(FORGE_WEIGHTS);
	UNIT_OK(oid_from_data(&in->thing.digests.sha256, FORGE_WEIGHTS, strlen(FORGE_WEIGHTS), &e), &e);
}

void
forge_made_by(struct forge *f, const struct oid *certificate, const char *path)
{
	forge_made_by_one(&forge_spec(f)->inputs[1], certificate, path);
	forge_made_by_one(&f->events[FORGE_DATA].u.input, certificate, path);
}

void
forge_number(struct forge *f)
{
	for (size_t i = 0; i < f->count; i++)
		f->events[i].seq = i;
}

void
forge_replay(struct forge *f)
{
	struct replay pcr14, pcr15;
	struct err e;

	replay_start(&pcr14);
	replay_start(&pcr15);
	for (size_t i = 0; i < f->count; i++)
		UNIT_OK(replay_extend(f->events[i].pcr == 14 ? &pcr14 : &pcr15, f->events[i].text,
		    f->events[i].len, &e), &e);
	memcpy(f->pcrs.sha256[14], pcr14.sha256, 32);
	memcpy(f->pcrs.sha384[14], pcr14.sha384, 48);
	memcpy(f->pcrs.sha256[15], pcr15.sha256, 32);
	memcpy(f->pcrs.sha384[15], pcr15.sha384, 48);
}

void
forge_measure(struct forge *f)
{
	struct replay pcr14;
	struct err e;

	replay_start(&pcr14);
	for (size_t i = 0; i < f->count; i++) {
		struct event *ev = &f->events[i];

		if (ev->kind == EVENT_RUN_STARTED && !f->lie_started) {
			ev->u.started.has_sha256 = f->sha256;
			ev->u.started.has_sha384 = f->sha384;
			memcpy(ev->u.started.sha256, pcr14.sha256, 32);
			memcpy(ev->u.started.sha384, pcr14.sha384, 48);
		}
		UNIT_OK(event_encode(ev, &e), &e);
		if (ev->pcr == 14)
			UNIT_OK(replay_extend(&pcr14, ev->text, ev->len, &e), &e);
	}
	forge_replay(f);
}

void
forge_sign(struct forge *f)
{
	CLEANUP(buf_free) struct buf pae = BUF_INIT;
	struct dsse *d = &f->cert.envelope;
	struct err e;

	buf_free(&d->signature);
	UNIT_OK(key_spki_digest(f->run_key, d->keyid.b, &e), &e);
	dsse_pae(&pae, d->payload.data, d->payload.len);
	UNIT_OK(key_sign(f->run_key, pae.data, pae.len, &d->signature, &e), &e);
}

void
forge_seal(struct forge *f)
{
	struct err e;

	buf_free(&f->cert.envelope.payload);
	/* events that are no run have no statement: any payload will do */
	if (statement_derive(f->events, f->count, &f->cert.envelope.payload, &e) != 0) {
		buf_free(&f->cert.envelope.payload);
		buf_adds(&f->cert.envelope.payload, "{}");
	}
	forge_sign(f);
}

static void
forge_extra(struct attest *a, struct buf *text)
{
	struct err e;

	UNIT_OK(hash_once(HASH_SHA256, text->data, text->len, a->extra, &e), &e);
	a->extra_len = 32;
	buf_free(text);
}

static void
forge_attest(struct forge *f, struct attest *a, const struct certificate_pcrs *p)
{
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	CLEANUP(buf_free) struct buf all = BUF_INIT;
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	struct err e;

	fixture_public(f->ak, f->scheme, FORGE_SHA256, FIXTURE_ATTRIBUTES, &public);
	if (ak_public_decode(f->ak_public.data, f->ak_public.len, &ak, &e) != 0)
		UNIT_OK(ak_public_decode(public.data, public.len, &ak, &e), &e);
	UNIT_OK(ak_public_qualified(&ak, f->hierarchy, a->signer, &a->signer_len, &e), &e);
	a->selection_count = 0;
	if (f->sha256) {
		a->selection[a->selection_count++] = (struct attest_selection){HASH_SHA256, 0xffffff};
		buf_add(&all, p->sha256, sizeof p->sha256);
	}
	if (f->sha384) {
		a->selection[a->selection_count++] = (struct attest_selection){HASH_SHA384, 0xffffff};
		buf_add(&all, p->sha384, sizeof p->sha384);
	}
	UNIT_OK(hash_once(HASH_SHA256, all.data, all.len, a->pcr_digest, &e), &e);
	a->pcr_digest_len = 32;
}

static void
forge_quote_one(struct forge *f, const struct attest *a, const struct certificate_pcrs *p,
    struct certificate_quote *ret)
{
	certificate_quote_free(ret);
	ret->pcrs = *p;
	ret->pcrs.has_sha256 = f->sha256;
	ret->pcrs.has_sha384 = f->sha384;
	fixture_attest(a, &ret->attest);
	fixture_sign(f->ak, f->scheme, FORGE_SHA256, &ret->attest, &ret->signature);
}

void
forge_quote(struct forge *f)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const struct buf *payload = &f->cert.envelope.payload;
	struct oid digest;
	struct err e;

	forge_attest(f, &f->start, &f->start_pcrs);
	forge_attest(f, &f->final, &f->pcrs);
	statement_start_text(&text, f->nonce);
	forge_extra(&f->start, &text);
	UNIT_OK(oid_from_data(&digest, payload->data, payload->len, &e), &e);
	statement_quote_text(&text, f->nonce, &digest);
	forge_extra(&f->final, &text);
	if (f->tweak != NULL)
		f->tweak(&f->start, &f->final);
	forge_quote_one(f, &f->start, &f->start_pcrs, &f->cert.start_quote);
	forge_quote_one(f, &f->final, &f->pcrs, &f->cert.quote);
}

void
forge_encode(struct forge *f)
{
	struct err e;

	memcpy(f->cert.nonce, f->nonce, 32);
	f->cert.events = f->events;
	f->cert.event_count = f->count;
	buf_free(&f->cert.ak_public);
	buf_add(&f->cert.ak_public, f->ak_public.data, f->ak_public.len);
	buf_reset(&f->bytes);
	UNIT_OK(certificate_encode(&f->cert, &f->bytes, &e), &e);
	UNIT_OK(oid_from_data(&f->id, f->bytes.data, f->bytes.len, &e), &e);
}

void
forge_finish(struct forge *f)
{
	forge_number(f);
	forge_measure(f);
	forge_seal(f);
	forge_quote(f);
	forge_encode(f);
}

void
forge_remove(struct forge *f, size_t at)
{
	event_free(&f->events[at]);
	f->count--;
	memmove(&f->events[at], &f->events[at + 1], (f->count - at) * sizeof *f->events);
}

void
forge_swap(struct forge *f, size_t a, size_t b)
{
	struct event ev = f->events[a];

	f->events[a] = f->events[b];
	f->events[b] = ev;
}

void
forge_repeat(struct forge *f, size_t at)
{
	struct err e;

	UNIT_OK(event_encode(&f->events[at], &e), &e);
	memmove(&f->events[at + 1], &f->events[at], (f->count - at) * sizeof *f->events);
	f->count++;
	UNIT_OK(event_decode(f->events[at + 1].text, f->events[at + 1].len, &f->events[at], &e), &e);
}

void
forge_keep(struct forge_objects *o, const void *data, size_t len, struct oid *ret)
{
	struct err e;

	ck_assert_uint_lt(o->count, FORGE_OBJECTS_MAX);
	buf_add(&o->all[o->count].data, data, len);
	UNIT_OK(oid_from_data(&o->all[o->count].id, data, len, &e), &e);
	if (ret != NULL)
		*ret = o->all[o->count].id;
	o->count++;
}

static void
forge_keep_built(struct forge_objects *o, struct tree_builder *b, struct oid *ret,
    uint64_t *ret_size)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(tree_builder_finish(b, &text, ret_size, &e), &e);
	tree_builder_free(b);
	forge_keep(o, text.data, text.len, ret);
}

void
forge_keep_tree(struct forge_objects *o, struct oid *ret, uint64_t *ret_size)
{
	struct tree_builder *b;
	struct oid id, sub;
	uint64_t size;
	struct err e;

	UNIT_OK(oid_from_data(&id, "12345", 5, &e), &e);
	UNIT_OK(tree_builder_new(&b, &e), &e);
	UNIT_OK(tree_builder_add(b, TREE_FILE, 5, &id, "weights", &e), &e);
	forge_keep_built(o, b, &sub, &size);
	UNIT_OK(tree_builder_new(&b, &e), &e);
	UNIT_OK(tree_builder_add(b, TREE_DIR, size, &sub, "step", &e), &e);
	UNIT_OK(oid_from_data(&id, "notes", 5, &e), &e);
	UNIT_OK(tree_builder_add(b, TREE_FILE, 5, &id, "notes.txt", &e), &e);
	UNIT_OK(oid_from_data(&id, "step", 4, &e), &e);
	UNIT_OK(tree_builder_add(b, TREE_LINK, 4, &id, "latest", &e), &e);
	forge_keep_built(o, b, ret, ret_size);
}

void
forge_objects_free(struct forge_objects *o)
{
	for (size_t i = 0; i < o->count; i++)
		buf_free(&o->all[i].data);
	o->count = 0;
}

int
forge_fetch(void *arg, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	struct forge_objects *o = arg;

	o->fetched++;
	if (o->fail != ERR_NONE)
		return err_set(e, o->fail, "the network is down");
	for (size_t i = 0; i < o->count; i++) {
		if (!oid_equal(&o->all[i].id, id))
			continue;
		if (o->all[i].data.len > max)
			return err_set(e, ERR_LIMIT, "too large");
		buf_add(ret, o->all[i].data.data, o->all[i].data.len);
		return 0;
	}
	return err_set(e, ERR_NOTFOUND, "no such object");
}

struct verify_request
forge_request(const struct forge *f)
{
	return (struct verify_request){
		.id = f->id,
		.data = f->bytes.data,
		.len = f->bytes.len,
		.required = LEVEL_SIMULATED,
		.time = FORGE_TIME,
		.time_source = "--at",
	};
}

struct verdict *
forge_judge(const struct verify_request *rq)
{
	struct verdict *v;
	struct err e;

	UNIT_OK(verify_certificate(rq, &v, &e), &e);
	return v;
}

/* Every failed check but c, by name. */
static void
forge_only(const struct verdict *v, enum verdict_check c, enum verdict_result r)
{
	for (enum verdict_check i = 0; i < CHECK_COUNT; i++) {
		if (i != c)
			ck_assert_msg(v->checks[i].result != VERDICT_FAIL && !v->checks[i].missing,
			    "%s: expected %s, found %s", verdict_check_name(i), v->checks[i].expected,
			    v->checks[i].found);
	}
	if (c < CHECK_COUNT)
		ck_assert_msg(v->checks[c].result == r, "%s does not %s", verdict_check_name(c),
		    r == VERDICT_FAIL ? "fail" : "skip");
}

static void
forge_found(const struct verdict *v, enum verdict_check c, const char *found)
{
	ck_assert_ptr_nonnull(v->checks[c].found);
	ck_assert_msg(strstr(v->checks[c].found, found) != NULL, "%s: found %s, not %s",
	    verdict_check_name(c), v->checks[c].found, found);
	ck_assert_ptr_nonnull(strstr(verdict_check_clause(c), "aicert-certificate(5) section "));
}

void
forge_passes(const struct verify_request *rq)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(rq);

	forge_only(v, CHECK_COUNT, VERDICT_PASS);
	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_int_eq(v->level, LEVEL_SIMULATED);
}

void
forge_fails(const struct verify_request *rq, enum verdict_check c, const char *found)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(rq);

	forge_only(v, c, VERDICT_FAIL);
	forge_found(v, c, found);
	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	ck_assert_int_eq(v->level, LEVEL_NONE);
}

void
forge_undecided(const struct verify_request *rq, enum verdict_check c, const char *found)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(rq);

	forge_only(v, c, VERDICT_SKIP);
	forge_found(v, c, found);
	ck_assert(v->checks[c].missing);
	ck_assert_int_eq(v->answer, ANSWER_UNDECIDED);
	ck_assert_int_eq(v->level, LEVEL_NONE);
}

void
forge_refused(struct forge *f, enum verdict_check c, const char *found)
{
	struct verify_request rq;

	forge_finish(f);
	rq = forge_request(f);
	forge_fails(&rq, c, found);
	forge_free(f);
}
