# mdoc pages, installed as they are
dist_man_MANS += man/aicert-certificate.5 man/aicert-reference.5 man/aicert-protocol.5 man/aicert-remote.5 man/aicert-store.5 man/aicert-trust.5 man/aicert.yaml.5 man/aicertd.8 man/aicert-policy.5
dist_man_MANS += man/aicert-certificate.5 man/aicert-reference.5 man/aicert-protocol.5 man/aicert-remote.5 man/aicert-store.5 man/aicert-trust.5 man/aicert.yaml.5 man/aicertd.8
dist_man_MANS += man/aicert-bundle.5 man/aicert-s3.5
dist_man_MANS += \
	man/aicert-audit.1 \
	man/aicert-branch.1 \
	man/aicert-bundle.1 \
	man/aicert-cat-file.1 \
	man/aicert-checkout.1 \
	man/aicert-clone.1 \
	man/aicert-commit.1 \
	man/aicert-config.1 \
	man/aicert-event-log.1 \
	man/aicert-fetch.1 \
	man/aicert-fsck.1 \
	man/aicert-gc.1 \
	man/aicert-hardware-check.1 \
	man/aicert-hash-object.1 \
	man/aicert-image.1 \
	man/aicert-import.1 \
	man/aicert-init.1 \
	man/aicert-log.1 \
	man/aicert-ls-remote.1 \
	man/aicert-ls-tree.1 \
	man/aicert-pull.1 \
	man/aicert-push.1 \
	man/aicert-quote-check.1 \
	man/aicert-reference.1 \
	man/aicert-remote.1 \
	man/aicert-rev-parse.1 \
	man/aicert-run.1 \
	man/aicert-runner.1 \
	man/aicert-show.1 \
	man/aicert-status.1 \
	man/aicert-tag.1 \
	man/aicert-trace.1 \
	man/aicert-trust.1 \
	man/aicert-verify.1 \
	man/aicert.1
