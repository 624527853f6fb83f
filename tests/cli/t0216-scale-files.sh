#!/bin/sh
# Many files and a large one: memory that does not grow with size, time that grows
# with it and no faster.  AICERT_FILES (20000, in directories of 1000) and
# AICERT_SPARSE_GIB (2): what "make check-full" makes larger.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
files=${AICERT_FILES:-20000} sparse=${AICERT_SPARSE_GIB:-2}
new_repo r
# measured COMMAND...: $cpu and $wall in ms, $peak in KiB, of it and its children
measured() {
	checks=$((checks + 1))
	python3 - "$@" >"$scratch/out" 2>"$scratch/err" <<-'PYTHON' || die "$*"
		import os, resource, subprocess, sys, time
		start = time.monotonic()
		child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
		_, status, used = os.wait4(child.pid, 0)
		with open(os.environ["scratch"] + "/used", "w") as f:
		    f.write("%d %d %d\n" % (1000 * (used.ru_utime + used.ru_stime),
		        1000 * (time.monotonic() - start), used.ru_maxrss))
		sys.exit(status != 0)
	PYTHON
	read -r cpu wall peak <"$scratch/used"
	echo "$*: $wall ms, $cpu ms of processors, $((peak / 1024)) MiB"
}
export scratch
# limited WHAT VALUE LIMIT
limited() {
	checks=$((checks + 1))
	[ "$2" -le "$3" ] || die "$1: $2, at most $3"
}
# An instrumented program needs memory and time of its own.
if ldd "$build/aicert" | grep -q libasan; then
	echo "a sanitizer takes memory of its own"
	exit 77
fi

# one large file: the same memory as a small one
head -c 1000000 /dev/urandom >little
measured aicert hash-object -w little
small=$peak
truncate -s "${sparse}G" sparse && echo end >>sparse
measured aicert hash-object -w sparse
limited "KiB to put $sparse GiB" "$peak" 65536
limited "KiB more for $sparse GiB than for 1 MB" $((peak - small)) 16384
limited "KiB on disk" "$(du -sk .aicert | cut -f1)" 20000
ok aicert gc -q
rm sparse && truncate -s "$((sparse * 128))M" sparse
measured aicert hash-object --no-cache sparse
limited "KiB to hash" "$peak" 65536
rm sparse

make_files() { # DIRECTORY COUNT
	python3 - "$@" <<-'PYTHON'
		import os, sys
		for i in range(int(sys.argv[2])):
		    if i % 1000 == 0:
		        d = "%s/d%05d" % (sys.argv[1], i // 1000)
		        os.makedirs(d)
		    with open("%s/f%07d" % (d, i), "w") as f:
		        f.write("%s %d\n" % (sys.argv[1], i))
	PYTHON
}
# many files: so many times the files, so many times the work (and half of it for
# what else the machine does)
make_files few $((files / 4))
make_files many "$files"
sleep 0.1
for how in -w ""; do
	measured aicert hash-object $how few
	once=$((cpu + 100))
	measured aicert hash-object $how many
	limited "ms of processors for 4 times the files (${how:-again})" "$cpu" $((once * 6))
	limited "KiB for $files files" "$peak" $((files > 100000 ? 307200 : 65536))
done
limited "KiB on disk for $files files" "$(du -sk .aicert | cut -f1)" $((files / 2 + 20000))

# as an input: a run of them all, and nothing is read to say that nothing differs
spec aicert.yaml "ls many | wc -l > count" "{path: many/, kind: dataset}" "count"
measured aicert commit -q -m many
limited "KiB for a run with $files files" "$peak" $((files > 100000 ? 614400 : 131072))
same "$(cat count)" $((files / 1000))
measured aicert status
out_has "nothing differs"
limited "KiB for status" "$peak" $((files > 100000 ? 307200 : 65536))
limited "ms for status" "$wall" $((files > 100000 ? 4000 : 2000))
measured aicert fsck
limited "KiB for fsck" "$peak" $((files > 100000 ? 307200 : 65536))
done_testing
