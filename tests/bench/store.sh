#!/bin/sh
# How fast files get into the store, beside the peers that are installed, in the
# same run: medians of several runs in seconds, peak memory, and ratios.  Data is
# made in $TMPDIR and removed.  BENCH_SIZE (MiB a file, 4 files), BENCH_FILES,
# BENCH_MANY (files in directories of 1,000; 0: none), BENCH_SPARSE (GiB; 0: none),
# BENCH_RUNS; BENCH_PEERS=0: without other programs than cp, openssl and git status.
# A put is synced; a copy is given both ways, and the limit is the copy that is not.
. "${top_srcdir:-.}/tests/cli/lib.sh"
size=${BENCH_SIZE:-512} files=${BENCH_FILES:-50000} many=${BENCH_MANY:-1000000}
sparse=${BENCH_SPARSE:-64} runs=${BENCH_RUNS:-3}
have() { command -v "$1" >/dev/null; }
clear() { chmod -R u+w "$1" 2>/dev/null; rm -rf "$1"; }

# sample COMMAND: its seconds and its peak memory in KiB, behind those in $samples
sample() {
	start=$(date +%s%N)
	/usr/bin/time -o "$scratch/time" -f %M sh -c "$1" >/dev/null 2>"$scratch/err" || { cat "$scratch/err"; return 1; }
	echo "$(date +%s%N) $start $(cat "$scratch/time")" | awk '{ printf "%.4f %d\n", ($1 - $2) / 1e9, $3 }' >>"$samples"
}
# race {LABEL BEFORE COMMAND}...: by turns, so that the machine is the same for all (the copies
# of a warm minute are not compared with the puts of a cold one); the medians are in $m1, $m2, ...
race() {
	rm -f "$scratch"/samples.*
	n=0
	while [ $n -lt "$runs" ]; do
		race_round "$@"
		n=$((n + 1))
	done
	k=1
	while [ $# -ge 3 ]; do
		median=$(sort -n "$scratch/samples.$k" | awk '{ s[NR] = $1 } END { print s[int((NR + 1) / 2)] }')
		eval "m$k=$median"
		awk -v label="$1" -v median="$median" '$2 > most { most = $2 }
			END { printf "%-58s %8.3f s %6d MiB\n", label, median, most / 1024 }' "$scratch/samples.$k"
		k=$((k + 1))
		shift 3
	done
}
race_round() {
	k=1
	while [ $# -ge 3 ]; do
		(eval "$2") >/dev/null 2>&1
		samples=$scratch/samples.$k
		sample "$3" || return
		k=$((k + 1))
		shift 3
	done
}
# ratio LABEL A B LIMIT
ratio() { printf '%-58s %8s   (%s)\n' "  $1" "$(echo "$2 $3" | awk '{ printf "%.2f", $1 / ($2 > 0 ? $2 : 0.001) }')" "$4"; }
slower() { echo "$1 $2" | awk '{ print ($1 > $2 ? $1 : $2) }'; }

data() { openssl enc -aes-128-ctr -K 00 -iv "$1" -in /dev/zero 2>/dev/null | head -c "$2"; }
small() { # COUNT DIRECTORY BYTES A-DIRECTORY
	python3 -c '
import os, sys
count, top, size, per = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for i in range(count):
    d = "%s/d%05d" % (top, i // per)
    if i % per == 0:
        os.makedirs(d)
    with open("%s/f%07d" % (d, i), "wb") as f:
        f.write(os.urandom(size) if size > 16 else b"%d\n" % i)
' "$@"
}
new_store() { clear store; mkdir store; (cd store && aicert init -q); sync; }
# run_of STORE INPUT [HASH]: status, when a run of it is committed, kept in $unchanged;
# HASH is what hashing alone takes
run_of() {
	(
		cd "$1" && git config user.name x && git config user.email x@x &&
			spec aicert.yaml "echo done > out" "{path: $2/, kind: dataset}" "out" &&
			aicert commit -q -m run && sleep 0.1 && aicert status
	) >"$scratch/err" 2>&1 || cat "$scratch/err"
	grep -q "nothing differs" "$scratch/err" || echo "status says that something differs"
	race "aicert status, unchanged, of $2" : "cd $1 && aicert status"
	unchanged=$m1
	race "aicert status --rehash" : "cd $1 && aicert status --rehash"
	[ -z "${3:-}" ] || ratio "rehash / hash only" "$m1" "$3" "<= 1.1"
}
peers() { # WHAT DIRECTORY: puts of others, after aicert's in $mine
	[ "${BENCH_PEERS:-1}" = 1 ] || return
	if have git-lfs; then
		race "git lfs: git add, $1" "clear p; git init -q p; cd p; git lfs install --local; git lfs track 'f*'; cp -r ../$2 ." "cd p && git add ."
		ratio "aicert / git lfs" "$mine" "$m1" "< 1"
	fi
	race "git add, $1" "clear p; git init -q p; cp -r $2 p/" "cd p && git add ."
	ratio "aicert / git add" "$mine" "$m1" "<= 0.33 of many files"
	if have ostree; then
		race "ostree commit, $1" "clear p; ostree init --repo=p --mode=bare-user" "ostree --repo=p commit -b x --tree=dir=$2"
		ratio "aicert / ostree" "$mine" "$m1" "< 1"
	fi
	if have borg; then
		export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
		race "borg create, no compression, $1" "clear p; borg init -e none p" "borg create --compression none p::x $2"
		ratio "aicert / borg" "$mine" "$m1" "< 1"
	fi
	if have restic; then
		export RESTIC_PASSWORD=x
		race "restic backup, $1" "clear p; restic init -r p" "restic -r p backup --no-cache $2"
		ratio "aicert / restic" "$mine" "$m1" "< 1"
	fi
	if have casync; then
		race "casync make, $1" "clear p; mkdir p" "casync make --store=p/store p/x.caidx $2"
		ratio "aicert / casync" "$mine" "$m1" "< 1"
	fi
	clear p
}

mkdir big
for i in 1 2 3 4; do data 0$i $((size * 1048576)) >big/f$i; done
cat big/f* >one
sync
total=$((size * 4))
echo "# $(nproc) processors, $(uname -r), $(stat -f -c %T .), $(date -u +%Y-%m-%d), load $(cut -d' ' -f1 /proc/loadavg)"

echo "## hashing, $total MiB in 4 files"
two="(openssl dgst -sha256 big/f1 big/f2) & openssl dgst -sha256 big/f3 big/f4; wait"
race "openssl dgst -sha256, two processes" : "$two" \
	"aicert hash-object --no-cache" : "aicert hash-object --no-cache big"
ratio "aicert / openssl" "$m2" "$m1" "<= 1.1"
if have b3sum; then race "b3sum --num-threads 2" : "b3sum --num-threads 2 big/f*"; fi
race "openssl dgst -sha256, one file of $total MiB" : "openssl dgst -sha256 one" \
	"aicert hash-object --no-cache, that file" : "aicert hash-object --no-cache one"
ratio "aicert / openssl" "$m2" "$m1" "<= 1.1"

echo "## into the store, $total MiB in 4 files"
race "openssl dgst -sha256, two processes" "clear store; sync" "$two" \
	"cp -r" : "cp -r big copy" \
	"cp -r, and sync" "clear copy; sync" "cp -r big copy && sync -f copy" \
	"aicert hash-object -w" "clear copy; new_store" "cd store && aicert hash-object -w --no-cache ../big"
mine=$m4
ratio "aicert / the slower of cp and two openssl" "$mine" "$(slower "$m1" "$m2")" "<= 1.15"
ratio "aicert / cp and sync" "$mine" "$m3" "both are on disk"
(cd store && aicert hash-object -w ../big) >/dev/null
race "the same again, unchanged" : "cd store && aicert hash-object -w ../big"
race "openssl dgst -sha256, one file" "clear store; sync" "openssl dgst -sha256 one" \
	"cp, one file" : "cp one copy" \
	"cp, one file, and sync" "clear copy; sync" "cp one copy && sync -f copy" \
	"aicert hash-object -w, one file" "clear copy; new_store" "cd store && aicert hash-object -w --no-cache ../one"
ratio "aicert / the slower of cp and one openssl" "$m4" "$(slower "$m1" "$m2")" "<= 1.15"
ratio "aicert / cp and sync" "$m4" "$m3" "both are on disk"
clear copy
clear store

echo "## without a second copy, $total MiB in 4 files"
# in the work tree of a store of its own
reference_store() {
	clear ref/.aicert && (cd ref && aicert init -q && aicert config store.ingest reference)
	sync
}
mkdir ref && mv big ref/ && git init -q ref
race "aicert hash-object --no-cache" : "aicert hash-object --no-cache ref/big" \
	"aicert hash-object -w, by reference" reference_store "cd ref && aicert hash-object -w --no-cache big"
hash=$m1
ratio "by reference / hash only" "$m2" "$m1" "<= 1.1"
echo "  disk used by it: $(du -sk ref/.aicert | cut -f1) KiB"
run_of ref big "$hash"
clear ref/.aicert
mv ref/big . && clear ref
# from where git-lfs keeps its objects
alternate_store() {
	new_store
	git init -q store
	for f in big/f*; do
		id=$(openssl dgst -sha256 -r "$f" | cut -c1-64)
		at=store/.git/lfs/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-4)
		mkdir -p "$at" && ln "$f" "$at/$id"
	done
	sync
}
race "aicert hash-object --no-cache" alternate_store "aicert hash-object --no-cache big" \
	"aicert hash-object -w, in an alternate" : "cd store && aicert hash-object -w --no-cache ../big"
ratio "in an alternate / hash only" "$m2" "$m1" "<= 1.1"
echo "  disk used by it: $(du -sk store/.aicert | cut -f1) KiB"
clear store
peers "$total MiB in 4 files" big
if ! have mkfs.xfs || [ "$(id -u)" != 0 ]; then
	echo "reflink on xfs: not measured, it takes root and xfsprogs"
else
	truncate -s $((total * 2 + 1024))M disk && mkfs.xfs -q -m reflink=1 disk && mkdir mnt && mount -o loop disk mnt && {
		cp -r big mnt/ && sync && cd mnt
		used() { df -k --output=used . | tail -1; }
		new_store && was=$(used)
		race "aicert hash-object --no-cache, on xfs" new_store "aicert hash-object --no-cache big" \
			"aicert hash-object -w, reflink on xfs" : "cd store && aicert hash-object -w --no-cache ../big"
		ratio "reflink / hash only" "$m2" "$m1" "<= 1.1"
		echo "  disk used by it: $((($(used) - was) / 1024)) MiB (0, but for names)"
		clear store
		cd ..
		umount mnt
	}
	rm -rf disk mnt
fi
clear big
rm -f one

echo "## $files files of 4 KiB"
small "$files" small 4096 100
sync
race "aicert hash-object -w" new_store "cd store && aicert hash-object -w --no-cache ../small"
mine=$m1
echo "  disk / data: $(du -sk store/.aicert small | awk 'NR == 1 { a = $1 } NR == 2 { printf "%.2f", a / $1 }') (at most 1.1)"
peers "$files files" small
(cd store && aicert hash-object -w ../small) >/dev/null
if have strace; then
	(cd store && strace -f -qq -e trace=openat,openat2,open aicert hash-object -w ../small 2>&1 >/dev/null) |
		grep -cE '"f[0-9]{7}"' | sed 's/^/  files opened: /'
fi
# without a gc that packs in the background while times are taken
git init -q p && cp -r small p/ && (cd p && git add . && git -c gc.auto=0 -c user.name=x -c user.email=x@x commit -qm x && sleep 2 && git status) >/dev/null
fast=$runs && runs=$((runs * 4))
race "git status, unchanged" : "cd p && git status" \
	"aicert hash-object -w, the same again" : "cd store && aicert hash-object -w ../small" \
	"aicert hash-object, the same again" : "cd store && aicert hash-object ../small"
ratio "aicert -w unchanged / git status" "$m2" "$m1" "<= 1"
status=$m1 runs=$fast
clear store
mkdir store && mv small store/ && (cd store && git init -q && aicert init -q)
run_of store small
ratio "aicert status / git status" "$unchanged" "$status" "for comparison"
clear p
clear store

if [ "$many" -gt 0 ]; then
	runs=1
	for count in $((many / 4)) "$many"; do
		echo "## $count files in $((count / 1000)) directories"
		small "$count" many 8 1000
		sync
		race "aicert hash-object -w (at most 300 MiB)" new_store "cd store && aicert hash-object -w ../many"
		ratio "seconds a 100,000 files" "$m1" "$(echo "$count" | awk '{ print $1 / 100000 }')" "linear: the same in both"
		(cd store && aicert hash-object ../many) >/dev/null
		race "hash-object, unchanged" : "cd store && aicert hash-object ../many"
		race "unchanged, -w" : "cd store && aicert hash-object -w ../many"
		if [ "$count" = "$many" ]; then
			clear store
			mkdir store && mv many store/ && (cd store && git init -q && aicert init -q)
			run_of store many
			ratio "seconds for status" "$unchanged" 1 "<= 2"
			clear store
		fi
		clear many
	done
	clear store
fi
if [ "$sparse" -gt 0 ]; then
	runs=1
	truncate -s "${sparse}G" sparse
	new_store
	race "aicert hash-object -w of a sparse file of $sparse GiB (64 MiB)" : "cd store && aicert hash-object -w ../sparse"
	echo "  disk used by it: $(du -sk store/.aicert | cut -f1) KiB"
fi
