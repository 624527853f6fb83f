/* Values that are well-formed JSON of the right type, and wrong all the same. */
#include "golden.h"

#include <string.h>

static const struct {
	const char *file;
	const char *from;   /* replaced once */
	const char *to;
	enum err_code code;
	const char *section;
} values_bad[] = {
	/* what every event has */
	{"event-ok-10-outputs_sealed.json", "\"v\":1", "\"v\":2", ERR_UNSUPPORTED, "4.3"},
	{"event-ok-10-outputs_sealed.json", "\"v\":1", "\"v\":0", ERR_UNSUPPORTED, "4.3"},
	{"event-ok-10-outputs_sealed.json", "outputs_sealed", "outputs_Sealed", ERR_FORMAT, "4.3"},
	{"event-ok-10-outputs_sealed.json", "\"seq\":10", "\"seq\":-1", ERR_FORMAT, "4.3"},
	{"event-ok-10-outputs_sealed.json", "\"outputs\":2", "\"outputs\":-2", ERR_FORMAT, "4.3"},
	{"event-ok-10-outputs_sealed.json", "\"run\":\"", "\"run\":\"0", ERR_FORMAT, "4.3"},
	/* run_request */
	{"event-ok-00-run_request.json", "\"network\":\"none\"", "\"network\":\"host\"", ERR_FORMAT, "4.3"},
	{"event-ok-00-run_request.json", "\"tpm\":\"embedded\"", "\"tpm\":\"real\"", ERR_FORMAT, "4.3"},
	{"event-ok-00-run_request.json", "\"uid\":65534", "\"uid\":-1", ERR_FORMAT, "4.3"},
	{"event-ok-00-run_request.json", "\"queue\":\"4\"", "\"queue\":4", ERR_FORMAT, "4.3"},
	/* the resolved spec */
	{"spec-ok.json", "\"version\":1", "\"version\":2", ERR_UNSUPPORTED, "4.2"},
	{"spec-ok.json", "\"image\":\"host\"", "\"image\":\"guest\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"image\":\"host\"", "\"image\":\"oci\"", ERR_FORMAT, "4.2"},
	{"spec-failed.json", "\"image\":\"rootfs\"", "\"image\":\"host\"", ERR_FORMAT, "4.2"},
	{"spec-failed.json", "\"kind\":\"image\"", "\"kind\":\"file\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"python3\"", "\"\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"A9\":", "\"9A\":", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"A9\":", "\"A-9\":", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"cpuMillis\":1500", "\"cpuMillis\":0", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"memoryBytes\":4294967296", "\"memoryBytes\":-1", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"model.safetensors\"", "\"path\":\"train.py\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"model.safetensors\"", "\"path\":\"ckpt/a\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"model.safetensors\"", "\"path\":\"ckpt\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"model.safetensors\"", "\"path\":\"data/words/x\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"model.safetensors\"", "\"path\":\"data\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\"/train.py\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\"a/../b\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\"a//b\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\"a/\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\".git/config\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"path\":\"train.py\"", "\"path\":\"a\\nb\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"kind\":\"checkpoint\"", "\"kind\":\"\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"kind\":\"checkpoint\"", "\"kind\":\"Checkpoint\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"kind\":\"checkpoint\"", "\"kind\":\"1st\"", ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"kind\":\"checkpoint\"", "\"kind\":\"a23456789012345678901234567890123\"",
	    ERR_FORMAT, "4.2"},
	{"spec-ok.json", "\"type\":\"tree\"}],\"version\"", "\"type\":\"commit\"}],\"version\"",
	    ERR_FORMAT, "4.2"},
	/* things measured */
	{"event-ok-02-input_resource.json", "\"origin\":\"declared\"", "\"origin\":\"guessed\"",
	    ERR_FORMAT, "4.3"},
	{"event-ok-03-input_resource.json", "\"count\":12", "\"count\":0", ERR_FORMAT, "4.3"},
	{"event-ok-03-input_resource.json", "\"count\":12", "\"count\":-12", ERR_FORMAT, "4.3"},
	{"event-ok-02-input_resource.json", "\"ignored\":null", "\"ignored\":{\"count\":1,\"rules\":"
	    "\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}", ERR_FORMAT,
	    "4.3"},
	{"event-ok-02-input_resource.json", "\"type\":\"blob\"", "\"type\":\"certificate\"", ERR_FORMAT,
	    "4.3"},
	{"event-ok-02-input_resource.json", "\"type\":\"blob\"", "\"type\":\"file\"", ERR_FORMAT, "4.3"},
	{"event-ok-02-input_resource.json", "\"size\":1534", "\"size\":-1534", ERR_FORMAT, "4.3"},
	{"event-ok-02-input_resource.json", "\"sha256\":\"", "\"sha1\":\"", ERR_FORMAT, "4.3"},
	{"event-ok-03-input_resource.json", "\"sha384\":\"", "\"sha384\":\"00", ERR_FORMAT, "4.3"},
	{"event-ok-03-input_resource.json", "\"sha512\":\"", "\"sha512\":\"00", ERR_FORMAT, "4.3"},
	{"event-ok-03-input_resource.json", "\"blake3\":\"", "\"blake3\":\"00", ERR_FORMAT, "4.3"},
	{"event-ok-04-input_resource.json", "\"path\":\"out/base.safetensors\"", "\"path\":\"../base\"",
	    ERR_FORMAT, "4.3"},
	{"event-ok-04-input_resource.json", "\"certificate\":\"sha256:", "\"certificate\":\"sha1:",
	    ERR_FORMAT, "4.3"},
	{"event-failed-01-input_image.json", "\"kind\":\"image\"", "\"kind\":\"model\"", ERR_FORMAT, "4.3"},
	{"event-ok-01-input_image.json", "\"verity\":null", "\"verity\":\"00\"", ERR_FORMAT, "4.3"},
	{"event-ok-01-input_image.json", "\"image\":\"host\"", "\"image\":\"oci\"", ERR_FORMAT, "4.3"},
	/* the run key */
	{"event-ok-05-inputs_sealed.json", "ecdsa-p256-sha256", "ecdsa-p384-sha384", ERR_UNSUPPORTED, "4.3"},
	{"event-ok-05-inputs_sealed.json", "\"sha256\":\"", "\"sha256\":\"00", ERR_FORMAT, "4.3"},
	{"event-ok-05-inputs_sealed.json", "\"spki\":\"dGhl", "\"spki\":\"dGhm", ERR_FORMAT, "4.3"},
	/* outputs and the end */
	{"event-failed-07-output_missing.json", "\"reason\":\"not-run\"", "\"reason\":\"late\"",
	    ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"exitCode\":0", "\"exitCode\":256", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"exitCode\":0", "\"exitCode\":-1", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"signal\":null", "\"signal\":9", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"reason\":\"exited\"", "\"reason\":\"finished\"", ERR_FORMAT,
	    "4.3"},
	{"event-ok-09-run_finished.json", "2026-11-23T19:00:07Z", "2026-11-23T19:00:60Z", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "2026-11-23T19:00:07Z", "2026-11-23 19:00:07Z", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "2026-11-23T19:00:07Z", "2026-11-23T19:00:07+00:00",
	    ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"started\":\"2026-11-23T19:00:00Z\"", "\"started\":null",
	    ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"cpuMicroseconds\":6500000", "\"cpuMicroseconds\":null",
	    ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"resetCount\":4294967295", "\"resetCount\":4294967296",
	    ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "nvidia0", "nvidia2", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "nvidia0", "nvidia1", ERR_FORMAT, "4.3"},
	{"event-ok-09-run_finished.json", "\"type\":\"blob\"", "\"type\":\"tree\"", ERR_FORMAT, "4.3"},
	/* the certificate */
	{"certificate-ok.json", "certificate.v1+json", "certificate.v2+json", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"pcr\":14", "\"pcr\":15", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"pcr\":15", "\"pcr\":16", ERR_FORMAT, "3"},
	{"certificate-ok.json", "tpm2-quote", "tpm2-other", ERR_UNSUPPORTED, "3"},
	{"certificate-ok.json", "\"23\":", "\"24\":", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"9\":\"", "\"9\":\"00", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"chain\":[\"", "\"chain\":[\"\",\"", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"chain\":[\"", "\"chain\":[\"AA\",\"", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"bootLog\":{", "\"bootLog\":{\"a\":1,", ERR_FORMAT, "3"},
	{"certificate-ok.json", "\"attest\":\"", "\"attest\":\"A", ERR_FORMAT, "3"},
	{"certificate-ok.json", "vnd.in-toto+json", "vnd.in-toto+yaml", ERR_UNSUPPORTED, "3"},
	{"certificate-ok.json", "\"keyid\":\"", "\"keyid\":\"0", ERR_FORMAT, "3"},
	{"certificate-failed.json", "output_missing", "output_resource", ERR_FORMAT, "3"},
	/* commits */
	{"commit-run.json", "commit.v1+json", "commit.v9+json", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"kind\":\"run\"", "\"kind\":\"rerun\"", ERR_UNSUPPORTED, "2.3"},
	{"commit-run.json", "\"kind\":\"run\"", "\"kind\":\"merge\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"kind\":\"run\"", "\"kind\":\"evidence\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"kind\":\"run\"", "\"kind\":\"import\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"kind\":\"run\"", "\"kind\":\"revoke\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"type\":\"certificate\"", "\"type\":\"blob\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"git\":\"0", "\"git\":\"", ERR_FORMAT, "2.3"},
	{"commit-run.json", "\"git\":\"0", "\"git\":\"G", ERR_FORMAT, "2.3"},
	{"commit-run.json", "T19:00:08Z", "T19:00:08", ERR_FORMAT, "2.3"},
	{"commit-revoke.json", "\"kind\":\"revoke\"", "\"kind\":\"run\"", ERR_FORMAT, "2.3"},
	{"commit-import.json", "\"type\":\"tree\"},\"subject\"", "\"type\":\"blob\"},\"subject\"",
	    ERR_FORMAT, "2.3"},
	{"commit-import.json", "\"sha256\":\"", "\"sha256\":\"0", ERR_FORMAT, "2.3"},
	{"commit-merge.json", "\"kind\":\"merge\"", "\"kind\":\"run\"", ERR_FORMAT, "2.3"},
	{"commit-signed.json", "\"format\":\"ssh\"", "\"format\":\"gpg\"", ERR_UNSUPPORTED, "2.3"},
	{"commit-signed.json", "\"data\":\"U1NIU0lH\"", "\"data\":\"U1NIU0l\"", ERR_FORMAT, "2.3"},
	/* evidence */
	{"evidence-crl.json", "evidence.v1+json", "evidence.v2+json", ERR_FORMAT, "2.4"},
	{"evidence-crl.json", "\"kind\":\"crl\"", "\"kind\":\"ocsp\"", ERR_UNSUPPORTED, "2.4"},
	{"evidence-crl.json", "\"type\":\"certificate\"", "\"type\":\"cert\"", ERR_FORMAT, "2.4"},
	{"evidence-crl.json", "\"data\":\"", "\"data\":\"=", ERR_FORMAT, "2.4"},
};

START_TEST(values_refused)
{
	for (size_t i = 0; i < sizeof values_bad / sizeof *values_bad; i++) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		CLEANUP(buf_free) struct buf changed = BUF_INIT;
		CLEANUP(buf_free) struct buf again = BUF_INIT;
		const char *at;
		char clause[64];
		struct err e;

		golden_read(values_bad[i].file, &data);
		at = strstr(buf_str(&data), values_bad[i].from);
		ck_assert_msg(at != NULL, "%s: no %s", values_bad[i].file, values_bad[i].from);
		buf_add(&changed, data.data, (size_t)(at - buf_str(&data)));
		buf_adds(&changed, values_bad[i].to);
		buf_adds(&changed, at + strlen(values_bad[i].from));
		ck_assert_msg(golden_decoder(values_bad[i].file)(changed.data, changed.len, &again, &e) != 0,
		    "%s: %s passed", values_bad[i].file, values_bad[i].to);
		ck_assert_msg(e.code == values_bad[i].code, "%s: %s: got %s: %s", values_bad[i].file,
		    values_bad[i].to, err_name(e.code), e.msg);
		/* refused for what it says, not for how it is written */
		ck_assert_msg(strstr(e.msg, "JSON") == NULL, "%s: %s", values_bad[i].to, e.msg);
		snprintf(clause, sizeof clause, "aicert-certificate(5) section %s:", values_bad[i].section);
		ck_assert_msg(strncmp(e.msg, clause, strlen(clause)) == 0, "%s: %s: %s", values_bad[i].file,
		    values_bad[i].to, e.msg);
	}
}
END_TEST

UNIT_SUITE(values)
{
	tcase_add_test(tc, values_refused);
}
