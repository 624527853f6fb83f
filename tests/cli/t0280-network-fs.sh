#!/bin/sh
# On a network file system (the programs are told that they are on one): the
# journal is cut to nothing, and what another machine relies on is kept.  On one whose
# files have no times of their own, none is relied on where it lies.
. "${top_srcdir:-.}/tests/cli/lib.sh"
can_pretend || done_testing
on() { # MAGIC COMMAND...
	magic=$1
	shift
	AICERT_PRETEND_FS=$magic LD_PRELOAD=$shim "$@"
}
ext4=0xef53

# the journal: its header is overwritten here, and there it is cut
for fs in $ext4 $nfs $smb; do
	new_repo "journal-$fs"
	echo small >small
	ok on $fs aicert hash-object -w small
	ok on $fs aicert config store.ingest reference
	head -c 100000 /dev/urandom >large
	ok on $fs aicert hash-object -w large
	for db in objects/small.db in-place.db; do
		[ -f ".aicert/$db-journal" ] || die "$fs: $db has no journal"
		size=$(stat -c %s ".aicert/$db-journal")
		checks=$((checks + 1))
		if [ $fs = $ext4 ]; then
			[ "$size" -gt 0 ] || die "$fs: the journal of $db was cut"
		else
			[ "$size" = 0 ] || die "$fs: the journal of $db has $size bytes"
		fi
	done
	ok on $fs aicert fsck --full
done

# leases: of a process that relies on the object, by what its owner's line says
lease() { # HOST DAYS
	printf '%-255s\n' "12345 $1 $(date -u -d "-$2 days" +%Y-%m-%dT%H:%M:%SZ) aicert commit" \
		>.aicert/tmp/lease-00000000000000aa
	printf %s "$id" | sed 's/../\\x&/g' | xargs -0 printf '%b' >>.aicert/tmp/lease-00000000000000aa
	touch -d "-$2 days" .aicert/tmp/lease-00000000000000aa
}
# relied FILE-SYSTEM HOST DAYS kept|gone: what gc does to an object that only the
# lease of HOST, last written DAYS ago and locked by nobody here, names
relied() {
	aicert hash-object -w object >/dev/null || die "hash-object"
	lease "$2" "$3"
	ok on "$1" aicert gc
	checks=$((checks + 1))
	if aicert cat-file -s "$id" >/dev/null 2>&1; then found=kept; else found=gone; fi
	[ $found = "$4" ] || die "file system $1, lease of $2, $3 days old: $found, expected $4"
	if [ -e .aicert/tmp/lease-00000000000000aa ]; then found=kept; else found=gone; fi
	[ $found = "$4" ] || die "file system $1, lease of $2, $3 days old: the lease is $found"
	rm -f .aicert/tmp/lease-00000000000000aa
}
new_repo leases
echo "relied on" >object
id=$(sha256sum <object | cut -c1-64)
here=$(uname -n)
# where locks are seen, nobody locks it: its owner is gone
relied $ext4 elsewhere 0 gone
relied $nfs elsewhere 0 gone
# where they are not, he may live, for two weeks
relied $smb elsewhere 0 kept
relied $smb elsewhere 13 kept
relied $smb elsewhere 15 gone
# but not when he was here
relied $smb "$here" 0 gone
# and a large object
head -c 100000 /dev/urandom >object
id=$(sha256sum <object | cut -c1-64)
relied $smb elsewhere 13 kept
relied $smb elsewhere 15 gone
ok aicert fsck

new_repo fat
ok aicert config store.ingest reference
head -c 300000 /dev/urandom >large
id=$(sha256sum <large | cut -c1-64)
ok on $fat aicert hash-object -w large
ok cmp ".aicert/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)" large
done_testing
