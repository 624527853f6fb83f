#include <string.h>
#include "verify/forge.h"
#include "unit.h"

static struct forge f;

static void
refused(const char *found)
{
	forge_refused(&f, CHECK_EVENTS_GRAMMAR, found);
}

static void
refused_exit(const char *found)
{
	forge_refused(&f, CHECK_RUN_EXIT, found);
}

static struct event_run_finished *
finished(void)
{
	return &f.events[FORGE_FINISHED].u.finished;
}

static void
replace(char **text, const char *with)
{
	free(*text);
	*text = strdup(with);
}

START_TEST(good_run_passes)
{
	struct verify_request rq;

	forge_new(&f);
	forge_finish(&f);
	rq = forge_request(&f);
	rq.nonce = f.nonce;
	rq.spec = forge_spec(&f);
	forge_passes(&rq);
	forge_free(&f);
}
END_TEST

START_TEST(order_is_fixed)
{
	static const struct { size_t a, b; } swaps[] = {
		{FORGE_REQUEST, FORGE_IMAGE}, {FORGE_IMAGE, FORGE_CODE}, {FORGE_DATA, FORGE_SEALED},
		{FORGE_STARTED, FORGE_MODEL}, {FORGE_CKPT, FORGE_FINISHED}, {FORGE_FINISHED, FORGE_END},
		{FORGE_SEALED, FORGE_STARTED},
	};

	forge_new(&f);
	forge_swap(&f, swaps[_i].a, swaps[_i].b);
	f.lie_started = true; /* a lying runner may write what it likes there */
	forge_finish(&f);
	{
		struct verify_request rq = forge_request(&f);
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_EVENTS_GRAMMAR].result, VERDICT_FAIL);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
	}
	forge_free(&f);
}
END_TEST

START_TEST(inputs_and_outputs_change_places)
{
	forge_new(&f);
	forge_swap(&f, FORGE_CODE, FORGE_DATA);
	refused("data/words.txt");
	forge_new(&f);
	forge_swap(&f, FORGE_MODEL, FORGE_CKPT);
	refused("ckpt");
}
END_TEST

START_TEST(event_removed)
{
	static const size_t gone[] = {
		FORGE_IMAGE, FORGE_CODE, FORGE_DATA, FORGE_STARTED, FORGE_MODEL, FORGE_CKPT, FORGE_END,
	};

	forge_new(&f);
	forge_remove(&f, gone[_i]);
	refused(gone[_i] == FORGE_END ? "9" : "");
}
END_TEST

START_TEST(event_repeated)
{
	forge_new(&f);
	forge_repeat(&f, (size_t)_i);
	refused("");
}
END_TEST

START_TEST(seq_and_run)
{
	struct verify_request rq;

	forge_new(&f);
	memset(f.events[FORGE_MODEL].run, 1, 32);
	refused("another run id");

	forge_new(&f);
	forge_number(&f);
	f.events[FORGE_CKPT].seq = 8;
	forge_measure(&f);
	forge_seal(&f);
	forge_quote(&f);
	forge_encode(&f);
	rq = forge_request(&f);
	forge_fails(&rq, CHECK_EVENTS_GRAMMAR, "seq 8");
	forge_free(&f);
}
END_TEST

START_TEST(replayed_nonce)
{
	unsigned char other[32] = {1};
	struct verify_request rq;

	/* another run's events under a fresh nonce */
	forge_new(&f);
	memset(f.nonce, 0x77, 32);
	refused("nonce 5a5a");
	/* a good certificate of another request */
	forge_new(&f);
	forge_finish(&f);
	rq = forge_request(&f);
	rq.nonce = other;
	forge_fails(&rq, CHECK_EVENTS_GRAMMAR, "nonce 5a5a");
	forge_free(&f);
}
END_TEST

START_TEST(another_spec_than_sent)
{
	struct forge sent;
	struct verify_request rq;

	forge_new(&f);
	forge_new(&sent);
	replace(&forge_spec(&sent)->command[1], "other.py");
	forge_finish(&f);
	rq = forge_request(&f);
	rq.spec = forge_spec(&sent);
	forge_fails(&rq, CHECK_EVENTS_GRAMMAR, "another spec");
	forge_free(&f);
	forge_free(&sent);
}
END_TEST

START_TEST(inputs_are_the_specs)
{
	struct resource_input *in;

	for (int i = 0; i < 7; i++) {
		forge_new(&f);
		in = &f.events[FORGE_DATA].u.input;
		switch (i) {
		case 0: in->thing.digests.sha256.b[0] ^= 1; break;
		case 1: in->thing.size++; break;
		case 2: in->fetched = true; break;
		case 3: replace(&in->source, "https://example.org/others"); break;
		case 4: replace(&in->license, "MIT"); break;
		case 5: replace(&in->thing.path, "data/other.txt"); break;
		case 6: replace(&in->thing.kind, "model"); break;
		}
		refused("sha256");
	}
}
END_TEST

START_TEST(outputs_are_the_specs)
{
	forge_new(&f);
	replace(&f.events[FORGE_MODEL].u.output.output.path, "other.bin");
	refused("other.bin");
	forge_new(&f);
	replace(&f.events[FORGE_MODEL].u.output.output.kind, "metrics");
	refused("model.safetensors");
	forge_new(&f);
	f.events[FORGE_MODEL].u.output.output.type = OBJECT_TREE;
	refused("model.safetensors");
}
END_TEST

START_TEST(image_is_the_specs)
{
	struct event_input_image *image;

	forge_new(&f);
	event_free(&f.events[FORGE_IMAGE]);
	forge_event(&f.events[FORGE_IMAGE], "{\"v\":1,\"event\":\"input_image\",\"run\":"
	    "\"abababababababababababababababababababababababababababababababab\",\"seq\":1,"
	    "\"image\":\"rootfs\",\"type\":\"blob\",\"path\":\"a.tar\",\"kind\":\"image\",\"size\":1,"
	    "\"digests\":{\"sha256\":"
	    "\"3333333333333333333333333333333333333333333333333333333333333333\"}}");
	image = &f.events[FORGE_IMAGE].u.image;
	ck_assert_int_eq(image->image, RUN_SPEC_ROOTFS);
	refused("another kind");

	forge_new(&f);
	event_free(&f.events[FORGE_IMAGE]);
	forge_event(&f.events[FORGE_IMAGE], "{\"v\":1,\"event\":\"input_image\",\"run\":"
	    "\"abababababababababababababababababababababababababababababababab\",\"seq\":1,"
	    "\"image\":\"oci\",\"type\":\"tree\",\"path\":\"img\",\"kind\":\"image\",\"size\":1,"
	    "\"digests\":{\"sha256\":"
	    "\"3333333333333333333333333333333333333333333333333333333333333333\"}}");
	image = &f.events[FORGE_IMAGE].u.image;
	{
		struct run_spec *s = forge_spec(&f);
		struct err e;

		s->image = RUN_SPEC_OCI;
		UNIT_OK(resource_copy(&s->image_file, &image->file, &e), &e);
		s->image_file.digests.sha256.b[31] ^= 1;
	}
	refused("another file");
}
END_TEST

START_TEST(started_holds_pcr14)
{
	forge_new(&f);
	f.lie_started = true;
	f.events[FORGE_STARTED].u.started.has_sha384 = true;
	refused("another value");
	forge_new(&f);
	f.lie_started = true;
	refused("other banks");
}
END_TEST

START_TEST(end_agrees_with_its_reason)
{
	forge_new(&f);
	finished()->reason = EVENT_NOT_STARTED;
	forge_finish(&f);
	{
		struct verify_request rq = forge_request(&f);
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_EVENTS_GRAMMAR].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_RUN_EXIT].result, VERDICT_FAIL);
	}
	forge_free(&f);
	forge_new(&f);
	finished()->has_times = false;
	refused("exited without");
	forge_new(&f);
	f.events[FORGE_END].u.outputs_sealed.outputs = 1;
	refused("1");
}
END_TEST

/* A run that failed is well-formed, and fails in run.exit alone. */
START_TEST(failed_runs_say_so)
{
	forge_new(&f);
	finished()->exit_code = 1;
	refused_exit("exited with 1");
	forge_new(&f);
	finished()->reason = EVENT_SIGNALED;
	finished()->has_exit_code = false;
	finished()->has_signal = true;
	finished()->signal = 11;
	refused_exit("by signal 11");
	forge_new(&f);
	finished()->reason = EVENT_TIME_LIMIT;
	finished()->has_exit_code = false;
	refused_exit(event_reason_name(EVENT_TIME_LIMIT));
	forge_new(&f);
	finished()->reason = EVENT_CANCELLED; /* with exit code 0 all the same */
	refused_exit(event_reason_name(EVENT_CANCELLED));
}
END_TEST

static void
lose_output(size_t at, const char *path, const char *kind, const char *type, const char *reason)
{
	CLEANUP(buf_free) struct buf json = BUF_INIT;

	event_free(&f.events[at]);
	buf_addf(&json, "{\"v\":1,\"event\":\"output_missing\",\"run\":"
	    "\"abababababababababababababababababababababababababababababababab\",\"seq\":%zu,"
	    "\"type\":\"%s\",\"path\":\"%s\",\"kind\":\"%s\",\"reason\":\"%s\"}", at, type, path, kind,
	    reason);
	forge_event(&f.events[at], buf_str(&json));
}

START_TEST(missing_output)
{
	forge_new(&f);
	lose_output(FORGE_CKPT, "ckpt", "checkpoint", "tree", "absent");
	refused_exit("output ckpt is missing: absent");

	forge_new(&f);
	lose_output(FORGE_CKPT, "elsewhere", "checkpoint", "tree", "absent");
	forge_finish(&f);
	{
		struct verify_request rq = forge_request(&f);
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_EVENTS_GRAMMAR].result, VERDICT_FAIL);
	}
	forge_free(&f);
}
END_TEST

START_TEST(nothing_comes_of_what_did_not_run)
{
	struct verify_request rq;

	forge_new(&f);
	lose_output(FORGE_MODEL, "model.safetensors", "model", "blob", "not-run");
	lose_output(FORGE_CKPT, "ckpt", "checkpoint", "tree", "not-run");
	finished()->reason = EVENT_SANDBOX;
	finished()->has_exit_code = finished()->has_times = false;
	refused_exit(event_reason_name(EVENT_SANDBOX));

	forge_new(&f);
	finished()->reason = EVENT_SANDBOX;
	finished()->has_exit_code = finished()->has_times = false;
	forge_finish(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_EVENTS_GRAMMAR].result, VERDICT_FAIL);
		ck_assert_str_eq(v->checks[CHECK_EVENTS_GRAMMAR].found, "output_resource");
	}
	forge_free(&f);
}
END_TEST

UNIT_SUITE(checks_events)
{
	tcase_add_test(tc, good_run_passes);
	tcase_add_loop_test(tc, order_is_fixed, 0, 7);
	tcase_add_test(tc, inputs_and_outputs_change_places);
	tcase_add_loop_test(tc, event_removed, 0, 7);
	tcase_add_loop_test(tc, event_repeated, 0, FORGE_COUNT);
	tcase_add_test(tc, seq_and_run);
	tcase_add_test(tc, replayed_nonce);
	tcase_add_test(tc, another_spec_than_sent);
	tcase_add_test(tc, inputs_are_the_specs);
	tcase_add_test(tc, outputs_are_the_specs);
	tcase_add_test(tc, image_is_the_specs);
	tcase_add_test(tc, started_holds_pcr14);
	tcase_add_test(tc, end_agrees_with_its_reason);
	tcase_add_test(tc, failed_runs_say_so);
	tcase_add_test(tc, missing_output);
	tcase_add_test(tc, nothing_comes_of_what_did_not_run);
}
