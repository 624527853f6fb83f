#!/bin/sh
# What the main job costs beyond the command itself, beside its peers in the
# same run: medians of several runs, in milliseconds, and ratios.
. "${top_srcdir:-.}/tests/cli/lib.sh"
runs=${BENCH_RUNS:-15}

# median LABEL COMMAND...: prints and keeps the median in $last
median() {
	label=$1
	shift
	n=0
	: >"$scratch/times"
	while [ $n -lt "$runs" ]; do
		start=$(date +%s%N)
		"$@" >/dev/null 2>"$scratch/err" || { cat "$scratch/err"; exit 1; }
		end=$(date +%s%N)
		echo $(((end - start) / 1000)) >>"$scratch/times"
		n=$((n + 1))
	done
	last=$(sort -n "$scratch/times" | sed -n "$(((runs + 1) / 2))p")
	printf '%-46s %8s ms\n' "$label" "$(echo "$last" | awk '{ printf "%.1f", $1 / 1000 }')"
}
ratio() { printf '%-46s %8s\n' "$1" "$(echo "$2 $3" | awk '{ printf "%.2f", $1 / $2 }')"; }

new_repo r
echo hello >in.txt
spec aicert.yaml "tr a-z A-Z < in.txt > out.txt" "{path: in.txt, kind: dataset}" "out.txt"
aicert commit -q -m warm || exit 1
git add . && git commit -qm warm

median "an empty program (true): part of every line" /bin/true
median "the command alone (sh -c tr)" sh -c 'tr a-z A-Z < in.txt > out.tmp'
alone=$last
median "aicert commit of it" aicert commit -q -m bench
commit=$last
printf '%-46s %8s ms (at most 150)\n' "  beyond the command" \
	"$(echo "$commit $alone" | awk '{ printf "%.1f", ($1 - $2) / 1000 }')"
median "git commit --allow-empty" git commit -q --allow-empty -m x
ratio "  aicert commit / git commit" "$commit" "$last"
median "aicert verify of one certificate (at most 20)" aicert verify --min-level simulated HEAD
median "aicert verify out.txt" aicert verify --min-level simulated out.txt
median "aicert log" aicert log
median "aicert --help (at most 15)" aicert --help
help=$last
median "git --help" git --help
ratio "  aicert --help / git --help" "$help" "$last"
"$build/bench-verify" --machine
"$build/bench-verify" "$(aicert cat-file -p HEAD | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/' |
	xargs aicert cat-file -p >../certificate; echo ../certificate)"
