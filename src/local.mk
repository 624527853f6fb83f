# One archive of everything but the mains; the linker takes from it what a
# program uses.  The order of the blocks is the order of the layers.
noinst_LIBRARIES += libaicert-core.a
libaicert_core_a_SOURCES =

# base
libaicert_core_a_SOURCES += \
	src/base/atomic-file.c src/base/atomic-file.h \
	src/base/array.c src/base/array.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/cleanup.h \
	src/base/dir-walk.c src/base/dir-walk.h \
	src/base/err.c src/base/err.h \
	src/base/fd.c src/base/fd.h \
	src/base/hex.c src/base/hex.h \
	src/base/interrupt.c src/base/interrupt.h \
	src/base/lock-holder.c src/base/lock-holder.h \
	src/base/notice.c src/base/notice.h \
	src/base/options.c src/base/options.h \
	src/base/path.c src/base/path.h \
	src/base/printable.c src/base/printable.h \
	src/base/progress.c src/base/progress.h \
	src/base/timestamp.c src/base/timestamp.h \
	src/base/workers.c src/base/workers.h

# git
libaicert_core_a_SOURCES += \
	src/git/config-file.c src/git/config-file.h \
	src/git/git-program.c src/git/git-program.h \
	src/git/ignore-rules.c src/git/ignore-rules.h \
	src/git/mailbox.c src/git/mailbox.h \
	src/git/repo-error.c src/git/repo-error.h \
	src/git/repo-export.c \
	src/git/repo-files.c src/git/repo-files.h src/git/repo-internal.h \
	src/git/repo-fetch.c src/git/repo-fetch.h \
	src/git/lfs-pointer.c src/git/lfs-pointer.h \
	src/git/repo.c src/git/repo.h

# db
libaicert_core_a_SOURCES += src/db/db.c src/db/db.h

# codec
libaicert_core_a_SOURCES += \
	src/codec/archive.c src/codec/archive.h \
	src/codec/base64.c src/codec/base64.h \
	src/codec/jcs.c src/codec/jcs-canonical.c src/codec/jcs-check.c src/codec/jcs-decode.c src/codec/jcs-encode.c \
	src/codec/jcs.h src/codec/jcs-node.h \
	src/codec/shape.c src/codec/shape.h \
	src/codec/yaml.c src/codec/yaml.h \
	src/codec/zstd.c src/codec/zstd.h

# crypto
libaicert_core_a_SOURCES += \
	src/crypto/hash.c src/crypto/hash.h \
	src/crypto/hash-beside.c src/crypto/hash-beside.h \
	src/crypto/key.c src/crypto/key.h src/crypto/key-internal.h \
	src/crypto/key-sign.c \
	src/crypto/pem.c src/crypto/pem.h \
	src/crypto/random.c src/crypto/random.h \
	src/crypto/time-stamp.c src/crypto/time-stamp.h \
	src/crypto/x509.c src/crypto/x509.h src/crypto/x509-internal.h \
	src/crypto/x509-chain.c \
	src/crypto/x509-make.c src/crypto/x509-make.h \
	src/crypto/x509-crl.c src/crypto/x509-crl.h \
	src/crypto/x509-pss.c

# net
libaicert_core_a_SOURCES += \
	src/net/http.c src/net/http.h src/net/http-internal.h \
	src/net/http-download.c \
	src/net/http-header.c \
	src/net/http-problem.c \
	src/net/http-sigv4.c \
	src/net/http-tls.c \
	src/net/http-url.c

# object
libaicert_core_a_SOURCES += \
	src/object/bundle.c src/object/bundle.h \
	src/object/bundle-reader.c src/object/bundle-reader.h \
	src/object/certificate.c src/object/certificate.h \
	src/object/certificate-scan.c src/object/certificate-scan.h \
	src/object/commit.c src/object/commit.h \
	src/object/dsse.c src/object/dsse.h \
	src/object/event.c src/object/event.h \
	src/object/event-codec.c src/object/event-codec.h \
	src/object/evidence.c src/object/evidence.h \
	src/object/oid.c src/object/oid.h \
	src/object/oid-list.c src/object/oid-list.h \
	src/object/resource.c src/object/resource.h \
	src/object/run-spec.c src/object/run-spec.h \
	src/object/run-spec-command.c \
	src/object/statement.c src/object/statement.h \
	src/object/tree.c src/object/tree.h

# evidence
libaicert_core_a_SOURCES += \
	src/evidence/ak-chain.c src/evidence/ak-chain.h \
	src/evidence/ak-public.c src/evidence/ak-public.h \
	src/evidence/ak-revoked.c src/evidence/ak-revoked.h \
	src/evidence/attest.c src/evidence/attest.h \
	src/evidence/event-log.c src/evidence/event-log.h \
	src/evidence/event-log-name.c \
	src/evidence/event-log-replay.c \
	src/evidence/hardware.c src/evidence/hardware.h \
	src/evidence/hcl-report.c src/evidence/hcl-report.h \
	src/evidence/pcr-values.c src/evidence/pcr-values.h \
	src/evidence/pe.c src/evidence/pe.h \
	src/evidence/quote-any.c src/evidence/quote-any.h \
	src/evidence/quote-check.c src/evidence/quote-check.h \
	src/evidence/replay.c src/evidence/replay.h \
	src/evidence/snp-report.c src/evidence/snp-report.h \
	src/evidence/snp-vcek.c src/evidence/snp-vcek.h \
	src/evidence/tpm-alg.c src/evidence/tpm-alg.h \
	src/evidence/tpm-signature.c src/evidence/tpm-signature.h \
	src/evidence/uki.c src/evidence/uki.h \
	src/evidence/uki-compare.c

# tpm
libaicert_core_a_SOURCES += \
	src/tpm/ak.c \
	src/tpm/ak-cert.c src/tpm/ak-cert.h \
	src/tpm/pcr.c \
	src/tpm/quote.c \
	src/tpm/tcti-embedded.c src/tpm/tcti-embedded.h \
	src/tpm/tpm.c src/tpm/tpm.h src/tpm/tpm-internal.h

# verify
libaicert_core_a_SOURCES += \
	src/verify/checks.c src/verify/checks.h \
	src/verify/checks-boot.c \
	src/verify/checks-chain.c \
	src/verify/checks-envelope.c \
	src/verify/checks-events.c \
	src/verify/checks-files.c \
	src/verify/checks-hardware.c \
	src/verify/checks-key.c \
	src/verify/checks-policy.c \
	src/verify/checks-quote.c \
	src/verify/checks-time.c \
	src/verify/legacy.c src/verify/legacy.h \
	src/verify/legacy-verdict.c src/verify/legacy-verdict.h \
	src/verify/level.c src/verify/level.h \
	src/verify/memo.c src/verify/memo.h \
	src/verify/policy.c src/verify/policy.h \
	src/verify/reference.c src/verify/reference.h \
	src/verify/reference-match.c \
	src/verify/reference-set.c \
	src/verify/quote-verdict.c src/verify/quote-verdict.h \
	src/verify/trust.c src/verify/trust.h \
	src/verify/trust-encode.c \
	src/verify/trust-internal.h \
	src/verify/trust-leaf.c \
	src/verify/verdict.c src/verify/verdict.h \
	src/verify/verdict-explain.c \
	src/verify/verdict-internal.h \
	src/verify/verdict-json.c \
	src/verify/verdict-summary.c \
	src/verify/verdict-text.c \
	src/verify/verify.c src/verify/verify.h

# run
libaicert_core_a_SOURCES += \
	src/run/cgroup.c src/run/cgroup-locate.c src/run/cgroup.h \
	src/run/fetch.c src/run/fetch.h \
	src/run/input-marks.c src/run/input-marks.h \
	src/run/inputs.c src/run/inputs.h \
	src/run/measure.c src/run/measure.h \
	src/run/oci-config.c src/run/oci-config.h \
	src/run/outputs.c src/run/outputs.h \
	src/run/resolve.c src/run/resolve.h \
	src/run/rootfs.c src/run/rootfs.h \
	src/run/rootfs-image.c src/run/rootfs-image.h \
	src/run/run.c src/run/run.h \
	src/run/run-dir.c src/run/run-dir.h \
	src/run/run-log.c src/run/run-log.h \
	src/run/sandbox.c src/run/sandbox.h \
	src/run/sandbox-child.c src/run/sandbox-child.h \
	src/run/sandbox-probe.c \
	src/run/sandbox-stop.c src/run/sandbox-stop.h \
	src/run/seccomp.c src/run/seccomp.h \
	src/run/spec.c src/run/spec.h \
	src/run/spec-paths.c src/run/spec-paths.h \
	src/run/spec-value.c src/run/spec-value.h

# runner
libaicert_core_a_SOURCES += \
	src/runner/credential.c src/runner/credential.h \
	src/runner/identity.c src/runner/identity.h \
	src/runner/link.c src/runner/link.h \
	src/runner/pending.c src/runner/pending.h \
	src/runner/registry.c src/runner/registry.h \
	src/runner/remote-run.c src/runner/remote-run.h \
	src/runner/runner.c src/runner/runner.h src/runner/runner-internal.h \
	src/runner/runner-run.c \
	src/runner/transfer.c src/runner/transfer.h src/runner/transfer-internal.h \
	src/runner/transfer-fetch.c \
	src/runner/transfer-list.c \
	src/runner/transfer-objects.c src/runner/transfer-objects.h \
	src/runner/transfer-queue.c \
	src/runner/transfer-send.c

# remote
libaicert_core_a_SOURCES += \
	src/remote/bucket.c src/remote/bucket.h src/remote/bucket-internal.h \
	src/remote/bucket-manifest.c src/remote/bucket-manifest.h \
	src/remote/bucket-put.c \
	src/remote/bucket-update.c \
	src/remote/dir.c \
	src/remote/git.c \
	src/remote/https.c src/remote/https.h \
	src/remote/hub.c \
	src/remote/pack.c src/remote/pack.h \
	src/remote/pack-make.c src/remote/pack-make.h \
	src/remote/refspec.c src/remote/refspec.h \
	src/remote/remote.c src/remote/remote.h \
	src/remote/spool.c src/remote/spool.h \
	src/remote/static.c \
	src/remote/sync.c src/remote/sync.h \
	src/remote/sync-aside.c src/remote/sync-aside.h \
	src/remote/sync-walk.c src/remote/sync-walk.h \
	src/remote/web.c src/remote/web.h

libaicert_core_a_SOURCES += \
	src/remote/s3.c src/remote/s3-internal.h \
	src/remote/s3-credentials.c src/remote/s3-credentials.h \
	src/remote/s3-get.c \
	src/remote/s3-jobs.c \
	src/remote/s3-missing.c \
	src/remote/s3-multipart.c \
	src/remote/s3-place.c src/remote/s3-place.h \
	src/remote/s3-profile.c src/remote/s3-profile.h \
	src/remote/s3-put.c \
	src/remote/s3-request.c \
	src/remote/s3-xml.c src/remote/s3-xml.h

# serve
libaicert_core_a_SOURCES += \
	src/serve/access.c src/serve/access.h \
	src/serve/channel.c src/serve/channel.h \
	src/serve/closure.c src/serve/closure.h \
	src/serve/confine.c src/serve/confine.h \
	src/serve/daemon.c src/serve/daemon.h \
	src/serve/http.c src/serve/http.h \
	src/serve/http-internal.h \
	src/serve/http-peer.c \
	src/serve/http-reply.c \
	src/serve/http-server.c \
	src/serve/http-tls.c \
	src/serve/hub.c src/serve/hub.h \
	src/serve/hub-reach.c src/serve/hub-reach.h \
	src/serve/identity.c src/serve/identity.h \
	src/serve/idle.c src/serve/idle.h \
	src/serve/journal.c src/serve/journal.h \
	src/serve/ledger.c src/serve/ledger.h \
	src/serve/limiter.c src/serve/limiter.h \
	src/serve/listen.c src/serve/listen.h \
	src/serve/live-log.c src/serve/live-log.h \
	src/serve/metrics.c src/serve/metrics.h \
	src/serve/objects.c src/serve/objects.h \
	src/serve/packs.c src/serve/packs.h \
	src/serve/place.c src/serve/place.h \
	src/serve/platform.c src/serve/platform.h \
	src/serve/principal.c src/serve/principal.h \
	src/serve/runtime-config.c src/serve/runtime-config.h \
	src/serve/routes.c src/serve/routes.h \
	src/serve/run-outcome.c src/serve/run-outcome.h \
	src/serve/run-request.c src/serve/run-request.h \
	src/serve/run-state.c src/serve/run-state.h \
	src/serve/run-table.c src/serve/run-table.h \
	src/serve/runs.c src/serve/runs.h \
	src/serve/session.c src/serve/session.h \
	src/serve/settings.c src/serve/settings.h \
	src/serve/shares.c src/serve/shares.h \
	src/serve/upload.c src/serve/upload.h \
	src/serve/worker.c src/serve/worker.h

# provider
libaicert_core_a_SOURCES += \
	src/provider/local.c src/provider/local.h \
	src/provider/machine-dir.c src/provider/machine-dir.h \
	src/provider/process.c src/provider/process.h \
	src/provider/provider.c src/provider/provider.h \
	src/provider/provider-local.c \
	src/provider/qemu.c src/provider/qemu.h \
	src/provider/qemu-args.c \
	src/provider/qemu-disks.c

# cmd
libaicert_core_a_SOURCES += \
	src/cmd/aia.c \
	src/cmd/aia.h \
	src/cmd/audit.c \
	src/cmd/audit-certificates.c \
	src/cmd/audit-files.c \
	src/cmd/audit-history.c \
	src/cmd/audit-names.c src/cmd/audit-names.h \
	src/cmd/audit-state.c src/cmd/audit-state.h \
	src/cmd/branch.c \
	src/cmd/bundle.c \
	src/cmd/bundle-collect.c src/cmd/bundle-collect.h \
	src/cmd/bundle-file.c src/cmd/bundle-file.h \
	src/cmd/bundle-find.c src/cmd/bundle-find.h \
	src/cmd/bundle-write.c src/cmd/bundle-write.h \
	src/cmd/cat-file.c \
	src/cmd/checkout.c \
	src/cmd/clone.c \
	src/cmd/cmd.c \
	src/cmd/cmd.h \
	src/cmd/commands.h \
	src/cmd/commit-finish.c \
	src/cmd/commit-finish.h \
	src/cmd/commit-record.c \
	src/cmd/commit-record.h \
	src/cmd/commit-run.c \
	src/cmd/commit-run.h \
	src/cmd/commit.c \
	src/cmd/config.c \
	src/cmd/event-log.c \
	src/cmd/fetch.c \
	src/cmd/fetch-contents.c \
	src/cmd/fetch-contents.h \
	src/cmd/fetch-refs.c \
	src/cmd/fetch-refs.h \
	src/cmd/fsck-remote.c src/cmd/fsck-remote.h \
	src/cmd/fsck.c \
	src/cmd/gc.c \
	src/cmd/hardware-check.c \
	src/cmd/hardware-print.c \
	src/cmd/hardware-print.h \
	src/cmd/hash-object.c \
	src/cmd/image.c \
	src/cmd/image-check.c \
	src/cmd/image-measure.c \
	src/cmd/image-measure.h \
	src/cmd/import.c \
	src/cmd/import-check.c src/cmd/import-check.h \
	src/cmd/init.c \
	src/cmd/judging.c \
	src/cmd/judging.h \
	src/cmd/learn.c \
	src/cmd/learn.h \
	src/cmd/log.c \
	src/cmd/log-failed.c \
	src/cmd/log-failed.h \
	src/cmd/ls-remote.c \
	src/cmd/ls-tree.c \
	src/cmd/named-refs.c \
	src/cmd/named-refs.h \
	src/cmd/open-runner.c \
	src/cmd/open-runner.h \
	src/cmd/outputs.c \
	src/cmd/outputs.h \
	src/cmd/print.c \
	src/cmd/print.h \
	src/cmd/promises.c \
	src/cmd/promises.h \
	src/cmd/pull.c \
	src/cmd/push.c \
	src/cmd/push-plan.c \
	src/cmd/push-plan.h \
	src/cmd/push-public.c \
	src/cmd/push-public.h \
	src/cmd/quote-check.c \
	src/cmd/reference.c \
	src/cmd/references.c \
	src/cmd/references.h \
	src/cmd/remote.c \
	src/cmd/remotes.c \
	src/cmd/remotes.h \
	src/cmd/rev-parse.c \
	src/cmd/run.c \
	src/cmd/runner.c \
	src/cmd/show.c \
	src/cmd/spec-file.c \
	src/cmd/spec-file.h \
	src/cmd/status.c \
	src/cmd/subject.c \
	src/cmd/subject.h \
	src/cmd/tag.c \
	src/cmd/trace.c \
	src/cmd/trust.c \
	src/cmd/trust-files.c \
	src/cmd/trust-files.h \
	src/cmd/trace-uses.c \
	src/cmd/trace-uses.h \
	src/cmd/verify-legacy.c \
	src/cmd/verify-legacy.h \
	src/cmd/verify.c \
	src/cmd/verify-all.c src/cmd/verify-all.h \
	src/cmd/verify-files.c src/cmd/verify-files.h \
	src/cmd/worktree.c \
	src/cmd/worktree.h \
	src/cmd/worktree-tmp.c \
	src/cmd/worktree-tmp.h

# mains
bin_PROGRAMS += aicert
aicert_SOURCES = src/main.c
aicert_LDADD = libaicert-core.a $(LIBRARIES_LIBS)

bin_PROGRAMS += aicertd
aicertd_SOURCES = src/aicertd.c
aicertd_LDADD = libaicert-core.a $(LIBRARIES_LIBS)
