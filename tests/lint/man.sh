#!/bin/sh
# The manual: man.sh [SOURCE-DIR [BUILD-DIR]].  mandoc finds nothing to warn
# about; every command has a page, whose summary, SYNOPSIS and options are those
# that the program itself prints.
set -eu
source=${1:-${top_srcdir:-.}}
build=${2:-${top_builddir:-.}}
aicert=$(cd "$build" && pwd)/aicert
command -v mandoc >/dev/null || { echo "mandoc is missing"; exit 77; }
cd "$source/man"
status=0

wrong() {
	echo "$*"
	status=1
}

# A page that is read where it lies cannot find others that are not installed.
mandoc -T lint -W warning ./*.[158] >&2 || status=1

# "-x" and "--long" of an mdoc list, one a line
page_options() {
	awk '$1 == ".It" && $2 == "Fl" {
		for (i = 2; i <= NF; i++) {
			if ($i != "Fl")
				continue
			dashes = "-"
			if ($(i + 1) == "Fl") {
				dashes = "--"
				i++
			}
			name = $(i + 1)
			sub(/[,:].*$/, "", name)
			print dashes name
		}
	}' "$1" | LC_ALL=C sort -u
}

# the same of a usage: "  -f, --file SPEC   what it is"
usage_options() {
	awk '/^  (    )?-/ {
		for (i = 1; i <= NF && $i ~ /^-/; i++) {
			name = $i
			sub(/,$/, "", name)
			print name
		}
	}' | LC_ALL=C sort -u
}

# NAME PAGE USAGE: every option is in both; the page may leave out -h, --help
compare_options() {
	page_options "$2" >"$tmp/page"
	printf '%s\n' "$3" | usage_options >"$tmp/usage"
	for option in $(LC_ALL=C comm -23 "$tmp/usage" "$tmp/page"); do
		case $option in -h | --help) ;; *) wrong "$2: has no $option, $1 --help has" ;; esac
	done
	for option in $(LC_ALL=C comm -13 "$tmp/usage" "$tmp/page"); do
		wrong "$2: has $option, $1 --help has not"
	done
}

squeeze() {
	tr -d ' \t\n' | tr '[:upper:]' '[:lower:]'
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/aicert-man-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
commands=$("$aicert" help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
[ -n "$commands" ] || wrong "aicert help lists no command"
for name in $commands; do
	if [ "$name" = help ] || [ "$name" = version ]; then
		grep -q "^\.It .*$name" aicert.1 || wrong "aicert.1: does not describe $name"
		continue
	fi
	page=aicert-$name.1
	grep -q "aicert-$name 1" aicert.1 || wrong "aicert.1: does not mention $page"
	if [ ! -f "$page" ]; then
		wrong "$page: missing"
		continue
	fi
	# one summary, in three places; a sentence in aicert.1
	summary=$("$aicert" help | sed -n "s/^  $name  *//p")
	[ "$(sed -n 's/^\.Nd //p' "$page")" = "$summary" ] || wrong "$page: .Nd is not \"$summary\""
	[ "$(sed -n "/^\.It Xr aicert-$name 1/{n;s/\.\$//p;}" aicert.1 | squeeze)" = "$(echo "$summary" | squeeze)" ] ||
		wrong "aicert.1: does not say of $name \"$summary\""
	usage=$("$aicert" "$name" --help)
	compare_options "aicert $name" "$page" "$usage"
	said=$(printf '%s\n' "$usage" | sed -e '/^  \(    \)\{0,1\}-/,$d' -e 's/^usage: //' | squeeze)
	# overstriking taken out
	shown=$(mandoc -T ascii "$page" | sed "s/.$(printf '\b')//g" |
		awk '/^[A-Z]/ { on = $0 == "SYNOPSIS"; next } on' | squeeze)
	[ "$said" = "$shown" ] || wrong "$page: SYNOPSIS is \"$shown\", the usage \"$said\""
done
for page in aicert-*.1; do
	name=${page#aicert-}
	printf '%s\n' "$commands" | grep -qx -- "${name%.1}" || wrong "$page: aicert has no such command"
done
if [ -f aicertd.8 ] && [ -x "${aicert}d" ]; then
	compare_options aicertd aicertd.8 "$("${aicert}d" --help)"
fi
exit $status
