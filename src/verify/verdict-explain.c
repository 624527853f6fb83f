/* Each check in plain words: what it asks, how to look for oneself, what a failure means. */
#include "verify/verdict-internal.h"

struct explain {
	const char *asks;
	const char *yourself;       /* with tools that are not ours */
	const char *fails;
};

static const struct explain explain_checks[CHECK_COUNT] = {
	[CHECK_OBJECT_ID] = {
		"Is this certificate the one its id names? The id is the SHA-256 of its bytes.",
		"aicert cat-file -p ID | sha256sum prints the id.",
		"The certificate is damaged or was replaced. Fetch it again from where it came from."},
	[CHECK_CERTIFICATE_CANONICAL] = {
		"Is it a certificate, written in the one way a certificate can be written (RFC 8785)? Then no"
		" byte of it can change without notice.",
		"jq -cS . prints the same bytes.",
		"It was not made by a runner, or was edited."},
	[CHECK_EVENTS_GRAMMAR] = {
		"Do the measured events tell one whole run, in order: the request, the image, every input of"
		" the spec, the command's start, every output, the end?",
		"aicert show prints them; aicert-certificate(5) section 4 has the rules.",
		"Something was left out, added or reordered. The certificate is no proof."},
	[CHECK_AK_CHAIN] = {
		"Who says that the key which signed lives in a TPM? A chain of certificates must lead from it"
		" to a trust entry of yours, valid at the time of judging.",
		"openssl verify -attime with the certificates of the attestation and the root; aicert trust"
		" show prints the roots.",
		"The chain is broken or expired; --at judges at another time. A chain that ends at no trust"
		" entry of yours is skipped: then the level is simulated."},
	[CHECK_AK_KEY] = {
		"Is the key made for attesting only: bound to its TPM, restricted to what the TPM itself says,"
		" and no key of another purpose?",
		"tpm2_print -t TPMT_PUBLIC shows the attributes.",
		"Such a key could sign anything, also a quote that no TPM made."},
	[CHECK_QUOTE_STRUCTURE] = {
		"Is what was signed a quote of all PCRs, byte for byte as it has to be?",
		"tpm2_print -t TPMS_ATTEST shows it.",
		"The TPM signed something else, for instance a quote of other registers."},
	[CHECK_QUOTE_SIGNATURE] = {
		"Did the attestation key sign this quote?",
		"tpm2_checkquote, or openssl dgst -verify.",
		"The quote was changed, or another key made it."},
	[CHECK_QUOTE_BINDING] = {
		"Was the quote made for this run and no other? It carries a digest of the client's nonce and"
		" of the statement about the run.",
		"sha256sum of the text in aicert-certificate(5) section 5 is the quote's extraData.",
		"The quote belongs to another run: a replay."},
	[CHECK_QUOTE_PCRS] = {
		"Are the listed register values those that the TPM signed?",
		"tpm2_checkquote with the values.",
		"The listed values are not those of the machine."},
	[CHECK_QUOTE_START] = {
		"Did the TPM's registers for the run begin at zero, in the same boot? A second quote from before"
		" the run shows it.",
		"Compare clock, resetCount and restartCount of both quotes.",
		"Something may have been measured before the run, or the machine restarted in between."},
	[CHECK_BOOT_LOG] = {
		"Does the firmware's own log of the boot, replayed, give the signed register values?",
		"aicert event-log prints the replay.",
		"The log is not of this boot: nothing it says counts."},
	[CHECK_BOOT_REFERENCE] = {
		"Is what booted an image that you know? The signed registers must be those of one reference"
		" record of yours.",
		"aicert reference show prints the records; image/README.md says how to build the image and"
		" predict them.",
		"Another image booted than any you know, or on another platform. Without a record the image is"
		" unknown: then the level is simulated."},
	[CHECK_INPUTS_LOG] = {
		"Do the events about the inputs, replayed from zero, give the signed value of PCR 14?",
		"sha256sum of each event, extended one after the other.",
		"An input event was changed after the machine had measured it."},
	[CHECK_OUTPUTS_LOG] = {
		"Do the events about the outputs, replayed from zero, give the signed value of PCR 15?",
		"sha256sum of each event, extended one after the other.",
		"An output event was changed after the machine had measured it."},
	[CHECK_RUN_EXIT] = {
		"Did the command succeed, with every declared output there?",
		"aicert show prints exit code and reason.",
		"The proof may be good, but the run it proves failed: its outputs count for nothing."},
	[CHECK_ENVELOPE_STATEMENT] = {
		"Does the statement for other tools (in-toto, SLSA) say what the events say? It is derived"
		" again and compared.",
		"Any in-toto tool reads the envelope's payload.",
		"The statement says something that was not measured."},
	[CHECK_ENVELOPE_SIGNATURE] = {
		"Did the key that was made for this run, and measured, sign the statement?",
		"Any DSSE tool checks it; the key is in the event inputs_sealed.",
		"The statement was changed or signed by another."},
	[CHECK_HARDWARE_REPORT] = {
		"Does the processor say that it encrypts this machine's memory, without a debugger, running a"
		" firmware that you know, and that the attestation key lives inside?",
		"aicert hardware-check; snpguest or go-sev-guest read the report.",
		"The report is not genuine, not of this machine, or allows the host to look inside."},
	[CHECK_TIME_PROOF] = {
		"Does a time stamp by somebody else (--time-stamp) prove that the certificate existed at a time?"
		" Then everything is judged as of that time.",
		"openssl ts -verify with the certificate's bytes as the data.",
		"The time stamp is not genuine, is about something else, or is of nobody you trust for it."},
	[CHECK_COMMIT_SIGNATURE] = {
		"Did the author sign the commit? Not judged by this version: the check is always skipped.",
		"git log --show-signature, for the git commit of the code.",
		"It does not fail in this version."},
	[CHECK_FILES_OUTPUTS] = {
		"Is the file in front of you what the run made: same type, size and digest?",
		"sha256sum FILE is the digest in the certificate.",
		"The file was changed, or is another version. Restore it with aicert checkout."},
	[CHECK_FILES_INPUTS] = {
		"Are the inputs in the work tree those that the run read (--inputs)?",
		"sha256sum of each is the digest in the certificate.",
		"They changed since. The certificate still holds for what it names."},
	[CHECK_CHAIN_INPUTS] = {
		"Are the earlier runs that made the inputs proven too, back to the data sets?",
		"aicert trace prints the lineage; verify each certificate by itself.",
		"A run this one builds on is no proof: nothing is known of where that input came from."},
	[CHECK_REVOCATION] = {
		"Was a certificate of the attestation key withdrawn, by the revocation lists that are given"
		" (--crl)? Revoke commits of the history are not judged by this version.",
		"openssl crl -text; openssl verify -crl_check.",
		"The maker of the machine no longer vouches for the key."},
	[CHECK_POLICY] = {
		"Does the certificate satisfy the policy you configured (policy.json, --policy)?",
		"aicert-policy(5) says what a policy can demand.",
		"The proof may be good, but it is not what you asked for."},
};

int
verdict_explain(enum verdict_check c, struct buf *ret, struct err *e)
{
	const struct explain *x;

	if (c >= CHECK_COUNT)
		return err_set(e, ERR_USAGE, "no such check");
	x = &explain_checks[c];
	buf_addf(ret, "%s (%s)\n\n", verdict_check_name(c), verdict_check_clause(c));
	verdict_wrap(ret, x->asks, 0);
	buf_adds(ret, "\nLook for yourself:\n");
	verdict_wrap(ret, x->yourself, 2);
	buf_adds(ret, "\nWhen it fails:\n");
	verdict_wrap(ret, x->fails, 2);
	return buf_check(ret, e);
}
