#!/bin/sh
# Questions to long histories, in milliseconds: 100,000 commits, and a graph of
# 1,000,000 edges (10,000 runs of 50 inputs and 50 outputs), beside git.  Takes two
# minutes and 1.5 GB in $TMPDIR.
. "${top_srcdir:-.}/tests/cli/lib.sh"
commits=${BENCH_COMMITS:-100000} runs=${BENCH_RUNS:-9}
golden=$source_dir/tests/data/object/certificate-ok.json

# median LABEL COMMAND...: of several runs; once LABEL COMMAND...: of one
median() {
	label=$1 n=0
	shift
	: >"$scratch/times"
	while [ $n -lt "$runs" ]; do
		start=$(date +%s%N)
		"$@" >"$scratch/out" 2>"$scratch/err" || [ -n "${may_fail:-}" ] || { cat "$scratch/err"; exit 1; }
		echo $((($(date +%s%N) - start) / 1000)) >>"$scratch/times"
		n=$((n + 1))
	done
	printf '%-58s %9s ms\n' "$label" "$(sort -n "$scratch/times" |
		sed -n "$(((runs + 1) / 2))p" | awk '{ printf "%.1f", $1 / 1000 }')"
}
once() { all=$runs runs=1; median "$@"; runs=$all; }
# until it can be read: what the program does afterwards is not waited for
first_line() {
	rm -f "$scratch/line"
	mkfifo "$scratch/line"
	"$@" >"$scratch/line" 2>/dev/null &
	read -r _ <"$scratch/line"
}

new_repo long
"$build/history-store" . "$golden" "$commits" 1 1 || exit 1
median "an empty program: part of every line" /bin/true
median "aicert --help: starting it" aicert --help
median "aicert log --oneline, first line of $commits (at most 20)" first_line aicert log --oneline
median "aicert log -n 1" aicert log -n 1
once "aicert log --oneline, all" aicert log --oneline
printf 'output 0 of run 77\n' >old
once "the index, made for the first question" aicert show old
median "aicert show FILE of an early run" aicert show old
median "aicert trace FILE of an early run" aicert trace old
may_fail=1 # its quote is borrowed
median "aicert verify FILE of an early run" aicert verify --min-level simulated old
may_fail=
echo nobody >nobody
may_fail=1
once "a file that nobody made: every certificate is read" aicert show nobody
may_fail=
for i in $(seq "$commits"); do
	printf 'commit refs/heads/main\ncommitter B <b@localhost> %d +0000\ndata 4\nrun\n\n' $((1700000000 + i))
done | git fast-import --quiet || exit 1
median "git log --oneline, first line" first_line git log --oneline
median "git log -n 1" git log -n 1
once "git log --oneline, all" git log --oneline
cd ..

new_repo edges
"$build/history-store" . "$golden" $((commits / 10)) 50 50 || exit 1
printf 'output 7 of run 509\n' >f
printf 'output 0 of run 501\n' >g
once "the index of 1,000,000 edges, made for the first question" aicert trace f
median "aicert trace FILE, 10 runs back (at most 50)" aicert trace f
median "aicert trace --uses FILE, 8 runs on" aicert trace --uses g
printf 'index.db: %s bytes\n' "$(stat -c %s .aicert/index.db)"
