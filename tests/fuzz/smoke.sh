#!/bin/sh
# Every fuzz target over its seeds and many thousand mutations of them, in a few
# seconds; $FUZZ_FACTOR times as many.
set -eu
srcdir=${srcdir:-.}
data=$srcdir/tests/data
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# the TSS would say on stderr what it thinks of each input
TSS2_LOG=all+none
export TSS2_LOG

smoke() {
	name=$1 mutations=$(($2 * ${FUZZ_FACTOR:-1}))
	shift 2
	set -- "$data/fuzz/$name" "$@"
	if ! "./fuzz-$name" -n "$mutations" "$@"; then
		echo "fuzz-$name failed; again with each input kept:" >&2
		"./fuzz-$name" -n "$mutations" -o "$tmp/input" "$@" || :
		od -A d -c "$tmp/input" | tail -40 >&2
		exit 1
	fi
}

smoke jcs 20000 "$data"/object/commit-*.json
smoke yaml 15000
smoke tree 30000 "$data"/object/tree*.txt
smoke event 1500 "$data"/object/event-*.json
smoke bundle 20000
smoke s3-xml 20000
smoke s3-profile 20000
smoke certificate 600 "$data"/object/certificate-*.json
smoke dsse 10000
smoke commit 5000 "$data"/object/commit-*.json
smoke event-log 20000
smoke evidence 8000 "$data"/object/evidence-*.json
smoke reference 4000
smoke run-spec 8000 "$data"/object/spec-*.json
smoke attest 20000
smoke tpmt-public 2000
smoke tpmt-signature 2000
smoke x509 1000
smoke crl 3000
smoke pem 5000
smoke uki 8000
smoke pcr-values 20000
smoke base64 10000
smoke body 5000
smoke principal 5000
smoke request 20000
smoke runtime-config 5000
smoke settings 5000
smoke spec 5000
smoke trust 3000 "$srcdir"/share/trust/*.json
smoke verify 300 "$data"/object/certificate-*.json
smoke snp-report 20000
smoke snp-vcek 3000
smoke hcl-report 1500
smoke legacy 1500
smoke time-stamp 3000
smoke policy 10000
smoke problem 20000
smoke stat-cache 20000
smoke identity 3000
smoke http-header 50000
smoke object-list 10000
smoke pending 5000
smoke remote-run 10000
smoke pack 20000
smoke bucket-manifest 20000
smoke history-request 5000
