# Unit tests: one program a source directory, one file a source file.
UNIT_LDADD = libaicert-core.a $(LIBRARIES_LIBS) $(CHECK_LIBS)
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit $(CHECK_CFLAGS) \
	-DTEST_DATA='"$(abs_top_srcdir)/tests/data"'
UNIT_TESTS =

# unit base
UNIT_TESTS += unit-base
unit_base_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/base/array.c \
	tests/unit/base/atomic-file.c \
	tests/unit/base/buf.c \
	tests/unit/base/dir-walk.c \
	tests/unit/base/err.c \
	tests/unit/base/fd.c \
	tests/unit/base/hex.c \
	tests/unit/base/interrupt.c \
	tests/unit/base/lock-holder.c \
	tests/unit/base/options.c \
	tests/unit/base/path.c \
	tests/unit/base/printable.c \
	tests/unit/base/progress.c \
	tests/unit/base/timestamp.c \
	tests/unit/base/workers.c
unit_base_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_base_LDADD = $(UNIT_LDADD)

# unit git
UNIT_TESTS += unit-git
unit_git_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/git/config-file.c \
	tests/unit/git/ignore-rules.c \
	tests/unit/git/lfs-pointer.c \
	tests/unit/git/repo.c
unit_git_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_git_LDADD = $(UNIT_LDADD)

# unit db
UNIT_TESTS += unit-db
unit_db_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/db/db.c
unit_db_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_db_LDADD = $(UNIT_LDADD)

# unit codec
UNIT_TESTS += unit-codec
unit_codec_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/corpus.c tests/unit/corpus.h \
	tests/unit/codec/archive.c \
	tests/unit/codec/base64.c \
	tests/unit/codec/jcs.c \
	tests/unit/codec/shape.c \
	tests/unit/codec/yaml.c \
	tests/unit/codec/zstd.c
unit_codec_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_codec_LDADD = $(UNIT_LDADD)

# unit crypto
UNIT_TESTS += unit-crypto
unit_crypto_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/tsa.c tests/unit/tsa.h \
	tests/unit/corpus.c tests/unit/corpus.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/crypto/fault.c \
	tests/unit/crypto/hash.c \
	tests/unit/crypto/key.c \
	tests/unit/crypto/pem.c \
	tests/unit/crypto/random.c \
	tests/unit/crypto/time-stamp.c \
	tests/unit/crypto/wycheproof.c \
	tests/unit/crypto/x509.c \
	tests/unit/crypto/x509-pss.c
unit_crypto_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_crypto_LDADD = $(UNIT_LDADD)

# unit net
UNIT_TESTS += unit-net
unit_net_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/net/http.c \
	tests/unit/net/http-download.c \
	tests/unit/net/http-header.c \
	tests/unit/net/http-problem.c \
	tests/unit/net/http-sigv4.c \
	tests/unit/net/http-tls.c \
	tests/unit/net/http-url.c \
	tests/unit/net/peer.c tests/unit/net/peer.h \
	tests/unit/net/relay.c tests/unit/net/relay.h
unit_net_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_net_LDADD = $(UNIT_LDADD) -lssl

# unit object
UNIT_TESTS += unit-object
unit_object_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/object/bundle.c \
	tests/unit/object/certificate-scan.c \
	tests/unit/object/golden.c tests/unit/object/golden.h \
	tests/unit/object/oid.c \
	tests/unit/object/reject.c \
	tests/unit/object/statement.c \
	tests/unit/object/tree.c \
	tests/unit/object/values.c
unit_object_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_object_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/data/object

# unit evidence
UNIT_TESTS += unit-evidence
unit_evidence_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/corpus.c tests/unit/corpus.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/evidence/fixture.c tests/unit/evidence/fixture.h \
	tests/unit/evidence/snp-forge.c tests/unit/evidence/snp-forge.h \
	tests/unit/evidence/ak-chain.c \
	tests/unit/evidence/ak-public.c \
	tests/unit/evidence/attest.c \
	tests/unit/evidence/boot-log.c tests/unit/evidence/boot-log.h \
	tests/unit/evidence/cases.c \
	tests/unit/evidence/event-log.c \
	tests/unit/evidence/hardware.c \
	tests/unit/evidence/hardware-corpus.c \
	tests/unit/evidence/hcl-report.c \
	tests/unit/evidence/pe.c \
	tests/unit/evidence/pe-forge.c tests/unit/evidence/pe-forge.h \
	tests/unit/evidence/quote-any.c \
	tests/unit/evidence/quote-check.c \
	tests/unit/evidence/replay.c \
	tests/unit/evidence/snp-report.c \
	tests/unit/evidence/snp-vcek.c \
	tests/unit/evidence/uki.c
unit_evidence_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_evidence_LDADD = $(UNIT_LDADD)

# unit tpm
UNIT_TESTS += unit-tpm
unit_tpm_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/tpm/fixture.c tests/unit/tpm/fixture.h \
	tests/unit/tpm/ak-cert.c \
	tests/unit/tpm/quote.c \
	tests/unit/tpm/swtpm.c \
	tests/unit/tpm/tpm.c
unit_tpm_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_tpm_LDADD = $(UNIT_LDADD)

# unit verify
UNIT_TESTS += unit-verify
unit_verify_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/tsa.c tests/unit/tsa.h \
	tests/unit/corpus.c tests/unit/corpus.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/evidence/fixture.c tests/unit/evidence/fixture.h \
	tests/unit/evidence/snp-forge.c tests/unit/evidence/snp-forge.h \
	tests/unit/verify/forge.c tests/unit/verify/forge.h \
	tests/unit/verify/legacy-forge.c tests/unit/verify/legacy-forge.h \
	tests/unit/evidence/boot-log.c tests/unit/evidence/boot-log.h \
	tests/unit/verify/machine.c tests/unit/verify/machine.h \
	tests/unit/verify/checks-boot.c \
	tests/unit/verify/checks-chain.c \
	tests/unit/verify/checks-envelope.c \
	tests/unit/verify/checks-events.c \
	tests/unit/verify/checks-files.c \
	tests/unit/verify/checks-hardware.c \
	tests/unit/verify/checks-key.c \
	tests/unit/verify/checks-quote.c \
	tests/unit/verify/checks-time.c \
	tests/unit/verify/faults.c \
	tests/unit/verify/flip.c \
	tests/unit/verify/legacy.c \
	tests/unit/verify/level.c \
	tests/unit/verify/memo.c \
	tests/unit/verify/policy.c \
	tests/unit/verify/reference.c \
	tests/unit/verify/quote-verdict.c \
	tests/unit/verify/trust.c \
	tests/unit/verify/verdict.c \
	tests/unit/verify/verify.c
unit_verify_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/tests/unit/evidence
unit_verify_LDADD = $(UNIT_LDADD)
unit_verify_LDFLAGS = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

# What t0530 commits: the certificate of a machine that booted a known image
check_PROGRAMS += forge-machine
forge_machine_SOURCES = tests/cli/forge-machine.c tests/unit/unit.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/evidence/fixture.c tests/unit/evidence/fixture.h \
	tests/unit/evidence/boot-log.c tests/unit/evidence/boot-log.h \
	tests/unit/evidence/pe-forge.c tests/unit/evidence/pe-forge.h \
	tests/unit/verify/forge.c tests/unit/verify/forge.h \
	tests/unit/verify/machine.c tests/unit/verify/machine.h
forge_machine_CPPFLAGS = $(UNIT_CPPFLAGS)
forge_machine_LDADD = $(UNIT_LDADD)

# unit store
UNIT_TESTS += unit-store
unit_store_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/store/fixture.c tests/unit/store/fixture.h \
	tests/unit/store/alternates.c \
	tests/unit/store/concurrent.c \
	tests/unit/store/config.c \
	tests/unit/store/filesystem.c \
	tests/unit/store/fsck.c \
	tests/unit/store/gc.c \
	tests/unit/store/history.c \
	tests/unit/store/history-walk.c \
	tests/unit/store/index.c \
	tests/unit/store/ingest.c \
	tests/unit/store/lease.c \
	tests/unit/store/lease-set.c \
	tests/unit/store/links.c \
	tests/unit/store/kept.c \
	tests/unit/store/odb.c \
	tests/unit/store/oid.c \
	tests/unit/store/odb-compact.c \
	tests/unit/store/odb-durable.c \
	tests/unit/store/odb-glance.c \
	tests/unit/store/odb-present.c \
	tests/unit/store/part.c \
	tests/unit/store/reflog.c \
	tests/unit/store/refs.c \
	tests/unit/store/sealed.c \
	tests/unit/store/runs.c tests/unit/store/runs.h \
	tests/unit/store/stat-cache.c \
	tests/unit/store/store.c
unit_store_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_store_LDADD = $(UNIT_LDADD)

# unit remote: s3
UNIT_TESTS += unit-remote-s3
unit_remote_s3_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/remote/s3-place.c \
	tests/unit/remote/s3-profile.c \
	tests/unit/remote/s3-xml.c
unit_remote_s3_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_remote_s3_LDADD = $(UNIT_LDADD)

# unit run
UNIT_TESTS += unit-run
unit_run_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/run/box.c tests/unit/run/box.h \
	tests/unit/run/cgroup.c \
	tests/unit/run/escape.c \
	tests/unit/run/oci-config.c \
	tests/unit/run/resolve.c \
	tests/unit/run/run.c \
	tests/unit/run/run-dir.c \
	tests/unit/run/run-log.c \
	tests/unit/run/spec.c \
	tests/unit/run/spec-value.c \
	tests/unit/run/sandbox.c
unit_run_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_run_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/data/run

# unit runner
UNIT_TESTS += unit-runner
unit_runner_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/net/peer.c tests/unit/net/peer.h \
	tests/unit/net/relay.c tests/unit/net/relay.h \
	tests/unit/runner/fixture.c tests/unit/runner/fixture.h \
	tests/unit/runner/credential.c \
	tests/unit/runner/identity.c \
	tests/unit/runner/link.c \
	tests/unit/runner/pending.c \
	tests/unit/runner/registry.c \
	tests/unit/runner/remote-run.c \
	tests/unit/runner/runner.c \
	tests/unit/runner/runner-tls.c \
	tests/unit/runner/transfer.c \
	tests/unit/runner/transfer-fetch.c \
	tests/unit/runner/transfer-queue.c
unit_runner_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_runner_LDADD = $(UNIT_LDADD) -lssl
EXTRA_unit_runner_DEPENDENCIES = aicertd$(EXEEXT)

# unit remote
UNIT_TESTS += unit-remote
unit_remote_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/remote/bucket-manifest.c \
	tests/unit/remote/pack.c \
	tests/unit/remote/refspec.c \
	tests/unit/remote/remote.c \
	tests/unit/remote/spool.c \
	tests/unit/store/fixture.c tests/unit/store/fixture.h
unit_remote_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_remote_LDADD = $(UNIT_LDADD)

# unit serve
UNIT_TESTS += unit-serve
unit_serve_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/serve/channel.c \
	tests/unit/serve/closure.c \
	tests/unit/serve/confine.c \
	tests/unit/serve/daemon.c \
	tests/unit/serve/harness.c tests/unit/serve/harness.h \
	tests/unit/serve/http.c \
	tests/unit/serve/hub.c \
	tests/unit/serve/identity.c \
	tests/unit/serve/idle.c \
	tests/unit/serve/journal.c \
	tests/unit/serve/ledger.c \
	tests/unit/serve/limiter.c \
	tests/unit/serve/listen.c \
	tests/unit/serve/live-log.c \
	tests/unit/serve/objects.c \
	tests/unit/serve/platform.c \
	tests/unit/serve/principal.c \
	tests/unit/serve/run-outcome.c \
	tests/unit/serve/run-state.c \
	tests/unit/serve/run-table.c \
	tests/unit/serve/runs.c \
	tests/unit/serve/runtime-config.c \
	tests/unit/serve/session.c \
	tests/unit/serve/settings.c \
	tests/unit/serve/shares.c \
	tests/unit/serve/upload.c \
	tests/unit/serve/worker.c
unit_serve_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_serve_LDADD = $(UNIT_LDADD)

# unit provider
UNIT_TESTS += unit-provider
unit_provider_SOURCES = tests/unit/unit.c tests/unit/unit.h \
	tests/unit/provider/local.c \
	tests/unit/provider/machine-dir.c \
	tests/unit/provider/process.c \
	tests/unit/provider/qemu.c
unit_provider_CPPFLAGS = $(UNIT_CPPFLAGS)
unit_provider_LDADD = $(UNIT_LDADD)
EXTRA_unit_provider_DEPENDENCIES = aicertd$(EXEEXT)

# fuzz
# Fuzz targets: with a driver of ours here; link the same file with
# -fsanitize=fuzzer instead of the driver for a real campaign.
FUZZ_LDADD = libaicert-core.a $(LIBRARIES_LIBS)
FUZZ_DRIVER = tests/fuzz/driver.c tests/fuzz/fuzz.h

check_PROGRAMS += fuzz-jcs
fuzz_jcs_SOURCES = tests/fuzz/jcs.c $(FUZZ_DRIVER)
fuzz_jcs_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-yaml
fuzz_yaml_SOURCES = tests/fuzz/yaml.c $(FUZZ_DRIVER)
fuzz_yaml_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-tree
fuzz_tree_SOURCES = tests/fuzz/tree.c $(FUZZ_DRIVER)
fuzz_tree_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-event
fuzz_event_SOURCES = tests/fuzz/event.c $(FUZZ_DRIVER)
fuzz_event_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-pack
fuzz_pack_SOURCES = tests/fuzz/pack.c $(FUZZ_DRIVER)
fuzz_pack_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-bucket-manifest
fuzz_bucket_manifest_SOURCES = tests/fuzz/bucket-manifest.c $(FUZZ_DRIVER)
fuzz_bucket_manifest_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-history-request
fuzz_history_request_SOURCES = tests/fuzz/history-request.c $(FUZZ_DRIVER)
fuzz_history_request_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-bundle
fuzz_bundle_SOURCES = tests/fuzz/bundle.c $(FUZZ_DRIVER)
fuzz_bundle_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-s3-xml
fuzz_s3_xml_SOURCES = tests/fuzz/s3-xml.c $(FUZZ_DRIVER)
fuzz_s3_xml_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-s3-profile
fuzz_s3_profile_SOURCES = tests/fuzz/s3-profile.c $(FUZZ_DRIVER)
fuzz_s3_profile_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-certificate
fuzz_certificate_SOURCES = tests/fuzz/certificate.c $(FUZZ_DRIVER)
fuzz_certificate_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-time-stamp
fuzz_time_stamp_SOURCES = tests/fuzz/time-stamp.c $(FUZZ_DRIVER)
fuzz_time_stamp_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-policy
fuzz_policy_SOURCES = tests/fuzz/policy.c $(FUZZ_DRIVER)
fuzz_policy_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-dsse
fuzz_dsse_SOURCES = tests/fuzz/dsse.c $(FUZZ_DRIVER)
fuzz_dsse_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-snp-vcek
fuzz_snp_vcek_SOURCES = tests/fuzz/snp-vcek.c $(FUZZ_DRIVER)
fuzz_snp_vcek_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-commit
fuzz_commit_SOURCES = tests/fuzz/commit.c $(FUZZ_DRIVER)
fuzz_commit_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-event-log
fuzz_event_log_SOURCES = tests/fuzz/event-log.c $(FUZZ_DRIVER)
fuzz_event_log_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-evidence
fuzz_evidence_SOURCES = tests/fuzz/evidence.c $(FUZZ_DRIVER)
fuzz_evidence_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-reference
fuzz_reference_SOURCES = tests/fuzz/reference.c $(FUZZ_DRIVER)
fuzz_reference_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-run-spec
fuzz_run_spec_SOURCES = tests/fuzz/run-spec.c $(FUZZ_DRIVER)
fuzz_run_spec_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-attest
fuzz_attest_SOURCES = tests/fuzz/attest.c $(FUZZ_DRIVER)
fuzz_attest_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-tpmt-public
fuzz_tpmt_public_SOURCES = tests/fuzz/tpmt-public.c $(FUZZ_DRIVER)
fuzz_tpmt_public_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-tpmt-signature
fuzz_tpmt_signature_SOURCES = tests/fuzz/tpmt-signature.c $(FUZZ_DRIVER)
fuzz_tpmt_signature_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-x509
fuzz_x509_SOURCES = tests/fuzz/x509.c $(FUZZ_DRIVER)
fuzz_x509_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-crl
fuzz_crl_SOURCES = tests/fuzz/crl.c $(FUZZ_DRIVER)
fuzz_crl_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-pem
fuzz_pem_SOURCES = tests/fuzz/pem.c $(FUZZ_DRIVER)
fuzz_pem_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-pcr-values
fuzz_pcr_values_SOURCES = tests/fuzz/pcr-values.c $(FUZZ_DRIVER)
fuzz_pcr_values_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-base64
fuzz_base64_SOURCES = tests/fuzz/base64.c $(FUZZ_DRIVER)
fuzz_base64_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-spec
fuzz_spec_SOURCES = tests/fuzz/spec.c $(FUZZ_DRIVER)
fuzz_spec_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-trust
fuzz_trust_SOURCES = tests/fuzz/trust.c $(FUZZ_DRIVER)
fuzz_trust_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-verify
fuzz_verify_SOURCES = tests/fuzz/verify.c $(FUZZ_DRIVER)
fuzz_verify_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-snp-report
fuzz_snp_report_SOURCES = tests/fuzz/snp-report.c $(FUZZ_DRIVER)
fuzz_snp_report_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-hcl-report
fuzz_hcl_report_SOURCES = tests/fuzz/hcl-report.c $(FUZZ_DRIVER)
fuzz_hcl_report_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-legacy
fuzz_legacy_SOURCES = tests/fuzz/legacy.c $(FUZZ_DRIVER)
fuzz_legacy_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-problem
fuzz_problem_SOURCES = tests/fuzz/problem.c $(FUZZ_DRIVER)
fuzz_problem_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-identity
fuzz_identity_SOURCES = tests/fuzz/identity.c $(FUZZ_DRIVER)
fuzz_identity_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-stat-cache
fuzz_stat_cache_SOURCES = tests/fuzz/stat-cache.c $(FUZZ_DRIVER)
fuzz_stat_cache_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-body
fuzz_body_SOURCES = tests/fuzz/body.c $(FUZZ_DRIVER)
fuzz_body_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-principal
fuzz_principal_SOURCES = tests/fuzz/principal.c $(FUZZ_DRIVER)
fuzz_principal_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-request
fuzz_request_SOURCES = tests/fuzz/request.c $(FUZZ_DRIVER)
fuzz_request_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-runtime-config
fuzz_runtime_config_SOURCES = tests/fuzz/runtime-config.c $(FUZZ_DRIVER)
fuzz_runtime_config_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-settings
fuzz_settings_SOURCES = tests/fuzz/settings.c $(FUZZ_DRIVER)
fuzz_settings_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-http-header
fuzz_http_header_SOURCES = tests/fuzz/http-header.c $(FUZZ_DRIVER)
fuzz_http_header_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-object-list
fuzz_object_list_SOURCES = tests/fuzz/object-list.c $(FUZZ_DRIVER)
fuzz_object_list_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-pending
fuzz_pending_SOURCES = tests/fuzz/pending.c $(FUZZ_DRIVER)
fuzz_pending_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-remote-run
fuzz_remote_run_SOURCES = tests/fuzz/remote-run.c $(FUZZ_DRIVER)
fuzz_remote_run_LDADD = $(FUZZ_LDADD)

check_PROGRAMS += fuzz-uki
fuzz_uki_SOURCES = tests/fuzz/uki.c $(FUZZ_DRIVER)
fuzz_uki_LDADD = $(FUZZ_LDADD)

TESTS += tests/fuzz/smoke.sh
EXTRA_DIST += tests/fuzz/smoke.sh tests/data/fuzz

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# What scripts among the tests are told
AM_TESTS_ENVIRONMENT = top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' \
	CC='$(CC)'; export top_srcdir top_builddir CC;

# What a processor would say, as files for the shell tests
check_PROGRAMS += forge-hardware
forge_hardware_SOURCES = tests/cli/forge-hardware.c \
	tests/unit/pki.c tests/unit/pki.h tests/unit/unit.h \
	tests/unit/evidence/snp-forge.c tests/unit/evidence/snp-forge.h
forge_hardware_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/tests/unit/evidence
forge_hardware_LDADD = $(UNIT_LDADD)

check_PROGRAMS += forge-legacy
forge_legacy_SOURCES = tests/cli/forge-legacy.c \
	tests/unit/pki.c tests/unit/pki.h tests/unit/unit.h \
	tests/unit/evidence/fixture.c tests/unit/evidence/fixture.h \
	tests/unit/verify/legacy-forge.c tests/unit/verify/legacy-forge.h
forge_legacy_CPPFLAGS = $(UNIT_CPPFLAGS)
forge_legacy_LDADD = $(UNIT_LDADD)

# Shell tests of the commands, numbered by area
IMAGE_TESTS = \
	tests/cli/t0925-machine.sh \
	tests/cli/t0926-machine-attacks.sh \
	tests/cli/t0929-image-tools.sh \
	tests/cli/t0930-image.sh \
	tests/cli/t0940-image-disks.sh \
	tests/cli/t9150-demo-vm.sh
CLI_TESTS = $(IMAGE_TESTS) \
	tests/cli/t0000-basic.sh \
	tests/cli/t0100-init.sh \
	tests/cli/t0200-plumbing.sh \
	tests/cli/t0210-ingest.sh \
	tests/cli/t0215-reflink.sh \
	tests/cli/t0216-scale-files.sh \
	tests/cli/t0220-gc.sh \
	tests/cli/t0230-fsck-repair.sh \
	tests/cli/t0235-fsck-remote.sh \
	tests/cli/t0240-alternates.sh \
	tests/cli/t0250-reference.sh \
	tests/cli/t0260-checkout.sh \
	tests/cli/t0265-worktree-litter.sh \
	tests/cli/t0270-scale-history.sh \
	tests/cli/t0280-network-fs.sh \
	tests/cli/t0290-terminal.sh \
	tests/cli/t0300-commit.sh \
	tests/cli/t0310-spec.sh \
	tests/cli/t0400-verify.sh \
	tests/cli/t0405-verify-files.sh \
	tests/cli/t0500-refs.sh \
	tests/cli/t0510-quote-check.sh \
	tests/cli/t0515-trust.sh \
	tests/cli/t0520-event-log.sh \
	tests/cli/t0530-reference.sh \
	tests/cli/t0535-image.sh \
	tests/cli/t0536-time-stamp.sh \
	tests/cli/t0537-policy.sh \
	tests/cli/t0540-hardware-check.sh \
	tests/cli/t0550-legacy.sh \
	tests/cli/t0600-robust.sh \
	tests/cli/t0700-aicertd.sh \
	tests/cli/t0710-aicertd-https.sh \
	tests/cli/t0715-aicertd-limits.sh \
	tests/cli/t0716-aicertd-boot.sh \
	tests/cli/t0720-hub.sh \
	tests/cli/t0730-aicertd-load.sh \
	tests/cli/t0732-runner.sh \
	tests/cli/t0735-aicertd-bounds.sh \
	tests/cli/t0740-mitm.sh \
	tests/cli/t0745-isolation.sh \
	tests/cli/t0750-resume.sh \
	tests/cli/t0755-lost-answer.sh \
	tests/cli/t0760-netns.sh \
	tests/cli/t0765-runtime-config.sh \
	tests/cli/t0920-provider.sh \
	tests/cli/t0921-provider-end.sh \
	tests/cli/t0925-machine.sh \
	tests/cli/t0926-machine-attacks.sh \
	tests/cli/t0800-remote-dir.sh \
	tests/cli/t0801-remote-static.sh \
	tests/cli/t0802-remote-git.sh \
	tests/cli/t0803-remote-hub.sh \
	tests/cli/t0804-remote-web.sh \
	tests/cli/t0805-remote-hostile.sh \
	tests/cli/t0850-bundle.sh \
	tests/cli/t0851-import.sh \
	tests/cli/t0852-remote-s3.sh \
	tests/cli/t0853-s3.sh \
	tests/cli/t0854-audit.sh \
	tests/cli/t0855-s3-swift.sh \
	tests/cli/t0610-user.sh \
	tests/cli/t0620-hostile.sh \
	tests/cli/t9000-readme.sh \
	tests/cli/t9100-demo.sh
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) tests/check.sh \
	tests/cli/extend-pcr.py \
	tests/cli/forge-uki.py \
	tests/cli/hostile-web.py \
	tests/cli/image-lib.sh \
	tests/cli/lib.sh \
	tests/cli/load.py \
	tests/cli/machine-lib.sh \
	tests/cli/peer.py \
	tests/cli/provider-lib.sh \
	tests/cli/reflink-lib.sh \
	tests/cli/reflink-lib.sh \
	tests/cli/remote-suite.sh \
	tests/cli/runner-lib.sh
EXTRA_DIST += $(CLI_TESTS) tests/cli/lib.sh tests/cli/hostile-web.py tests/cli/remote-suite.sh tests/cli/runner-lib.sh tests/cli/peer.py tests/check.sh
EXTRA_DIST += tests/cli/bundle-flip.py tests/cli/bundle-spoil.py tests/cli/s3-lib.sh tests/cli/s3-server.py tests/cli/swift-server.py

# Fault tests: a command on copies of one repository, each time another system
# call fails or the process dies there.  "make check" tries errors of each kind at
# one call (two minutes of processor time), "make check-fault" every call, and what
# many processes do to one store for a minute (half an hour on two processors that
# have nothing else to do).
FAULT_TESTS = \
	tests/fault/f0100-init.sh \
	tests/fault/f0200-put.sh \
	tests/fault/f0210-reference.sh \
	tests/fault/f0220-alternate.sh \
	tests/fault/f0230-reflink.sh \
	tests/fault/f0300-commit.sh \
	tests/fault/f0310-kept.sh \
	tests/fault/f0320-remote-run.sh \
	tests/fault/f0400-checkout.sh \
	tests/fault/f0410-many.sh \
	tests/fault/f0500-gc.sh \
	tests/fault/f0600-fsck.sh \
	tests/fault/f0610-repair.sh \
	tests/fault/f0700-flip.sh \
	tests/fault/f0800-import.sh \
	tests/fault/f0810-pull.sh \
	tests/fault/f0820-push.sh
EXTRA_DIST += $(FAULT_TESTS) tests/fault/lib.sh tests/fault/shim.c
if !SANITIZERS
TESTS += $(FAULT_TESTS)
endif

check_PROGRAMS += fault-flip
fault_flip_SOURCES = tests/fault/flip.c
fault_flip_LDADD = libaicert-core.a $(LIBRARIES_LIBS)

check_DATA = tests/fault/shim.so
tests/fault/shim.so: tests/fault/shim.c
	$(AM_V_CC)$(MKDIR_P) tests/fault && $(CC) -std=gnu17 $(WARN_CFLAGS) -O1 -g -shared -fPIC \
	  -o $@ $(srcdir)/tests/fault/shim.c -ldl
CLEANFILES += tests/fault/shim.so

check-fault: all $(check_DATA)
	AICERT_FAULT_POINTS=0 AICERT_FAULT_JOBS=$${AICERT_FAULT_JOBS:-$$(nproc)} \
	  $(MAKE) $(AM_MAKEFLAGS) -j1 check TESTS='$(FAULT_TESTS)'
	AICERT_SECONDS=60 CK_RUN_CASE=concurrent ./unit-store
.PHONY: check-fault

# Lints: rules of the sources, each with a proof that it can fail.  An
# instrumented build has other objects and needs no second look at the text.
LINTS = \
	tests/lint/banned.sh \
	tests/lint/layers.sh \
	tests/lint/libraries.sh \
	tests/lint/man.sh \
	tests/lint/self-test.sh \
	tests/lint/size.sh \
	tests/lint/symbols.sh \
	tests/lint/words.sh
EXTRA_DIST += $(LINTS)
if !SANITIZERS
TESTS += $(LINTS)
endif

# A history to ask questions about, for the tests and the measurements
check_PROGRAMS += history-store
history_store_SOURCES = tests/bench/history-store.c
history_store_LDADD = libaicert-core.a $(LIBRARIES_LIBS)

# Measurements: "make bench" prints them, nothing fails by being slow
EXTRA_PROGRAMS = bench-verify
bench_verify_SOURCES = tests/bench/verify.c tests/unit/unit.h \
	tests/unit/pki.c tests/unit/pki.h \
	tests/unit/evidence/fixture.c tests/unit/evidence/fixture.h \
	tests/unit/evidence/boot-log.c tests/unit/evidence/boot-log.h \
	tests/unit/verify/forge.c tests/unit/verify/forge.h \
	tests/unit/verify/machine.c tests/unit/verify/machine.h
bench_verify_CPPFLAGS = $(UNIT_CPPFLAGS)
bench_verify_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/bench/aicertd.sh tests/bench/history.sh tests/bench/main-job.sh \
	tests/bench/remote.sh tests/bench/store.sh
CLEANFILES += bench-verify

bench: all bench-verify history-store
	top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' $(srcdir)/tests/bench/main-job.sh
	top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' $(srcdir)/tests/bench/history.sh
	top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' $(srcdir)/tests/bench/aicertd.sh
	top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' $(srcdir)/tests/bench/remote.sh
	top_srcdir='$(top_srcdir)' top_builddir='$(top_builddir)' $(srcdir)/tests/bench/store.sh
.PHONY: bench
