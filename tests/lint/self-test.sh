#!/bin/sh
# Every lint can fail: each is run over a small tree that is right, and over
# the same tree with one thing wrong.  self-test.sh [SOURCE-DIR]
set -eu
lint=$(cd "${1:-${top_srcdir:-.}}/tests/lint" && pwd)
tree=$(mktemp -d "${TMPDIR:-/tmp}/aicert-lint-XXXXXX")
trap 'rm -rf "$tree"' EXIT
status=0

# A fresh tree of two files that breaks no rule.
fresh() {
	rm -rf "$tree/t"
	mkdir -p "$tree/t/src/base" "$tree/t/src/cmd" "$tree/t/src/object" "$tree/t/src/evidence" \
		"$tree/t/src/verify" "$tree/t/store" "$tree/t/tests/unit/base"
	cat >"$tree/t/src/base/good.c" <<-'END'
		#include "base/good.h"

		#include <string.h>

		int
		good_one(int a, int b)
		{
			return a + b;
		}
	END
	echo 'int good_one(int a, int b);' >"$tree/t/src/base/good.h"
	cat >"$tree/t/src/cmd/user.c" <<-'END'
		#include "base/good.h"

		int cmd_user(void);

		/* strcpy() in a comment, "strcpy(" in a string: not calls */
		int
		cmd_user(void)
		{
			return good_one(1, 2) + (int)sizeof "strcpy(a, b)";
		}
	END
}

passes() {
	if ! out=$("$lint/$1.sh" "$tree/t" "$tree/t" 2>&1); then
		echo "$1 refuses a tree that is right: $out"
		status=1
	fi
}

# fails LINT WHAT: the lint refuses the tree and its message has WHAT
fails() {
	if out=$("$lint/$1.sh" "$tree/t" "$tree/t" 2>&1); then
		echo "$1 does not see: $2"
		status=1
	elif ! printf '%s\n' "$out" | grep -qF -- "$2"; then
		echo "$1 says \"$out\" and not: $2"
		status=1
	fi
}

# include FILE HEADER: adds a line to a file of the tree
include() {
	echo "#include $2" >>"$tree/t/$1"
}

for lint_name in layers libraries size banned words; do
	fresh
	passes $lint_name
done

layer() {
	fresh
	include "$1" "\"$2\""
	fails layers "$2"
}
layer src/base/good.c cmd/cmd.h
layer src/base/good.c object/oid.h
layer src/base/good.c good.h
layer src/base/good.c ../base/good.h
layer src/object/x.c evidence/attest.h
layer src/evidence/x.c object/oid.h
layer src/verify/x.c store/store.h
layer src/verify/x.c net/http.h
layer src/verify/x.c tpm/tpm.h
layer store/x.c verify/verify.h
layer store/x.c evidence/attest.h
layer src/base/good.h store/store.h
fresh
mkdir "$tree/t/src/misc"
include src/misc/x.c '"base/good.h"'
fails layers misc
for pair in git:db db:git codec:crypto crypto:codec net:git run:runner runner:run remote:run \
	serve:provider provider:serve serve:runner tpm:verify; do
	fresh
	mkdir -p "$tree/t/src/${pair%:*}"
	include "src/${pair%:*}/x.c" "\"${pair#*:}/y.h\""
	fails layers "${pair#*:}/y.h"
done

library() {
	fresh
	mkdir -p "$tree/t/$(dirname "$1")"
	include "$1" "<$2>"
	fails libraries "$2"
	mkdir -p "$tree/t/src/$3"
	mv "$tree/t/$1" "$tree/t/src/$3/x.c"
	passes libraries
}
library src/cmd/x.c git2.h git
library src/cmd/x.c sqlite3.h db
library src/cmd/x.c openssl/evp.h crypto
library src/cmd/x.c curl/curl.h net
library src/cmd/x.c jansson.h codec
library src/cmd/x.c yaml.h codec
library src/cmd/x.c archive.h codec
library src/cmd/x.c microhttpd.h serve
library src/evidence/y.c tss2/tss2_esys.h tpm
library src/cmd/x.c tss2/tss2_mu.h evidence
library store/x.c libtpms/tpm_library.h tpm
fresh
include src/base/good.c '<zlib.h>'
fails libraries zlib.h
fresh
include src/base/good.c '<check.h>'
fails libraries check.h

# size: one line, one parameter, one file too many
fresh
awk 'BEGIN { print "int\nlong_one(void)\n{"; for (i = 0; i < 98; i++) print "\t;"; print "}" }' \
	>"$tree/t/src/base/long.c"
fails size 'long_one has 101 lines'
sed -i 4d "$tree/t/src/base/long.c"
passes size
fresh
printf 'int\nwide(int a, int b, int (*c)(int, int), int d, int e, int f, int g)\n{\n}\n' \
	>"$tree/t/store/wide.c"
fails size 'wide has 7 parameters'
fresh
printf 'int\nwide(int a, int b, int c, int d, int f,\n    int g, int (*h)(int), struct err *e)\n{\n}\n' \
	>"$tree/t/store/wide.c"
fails size 'wide has 7 parameters'
sed -i 's/int g, //' "$tree/t/store/wide.c"
passes size
fresh
printf 'static int odd(int a) {\n\treturn a;\n}\n' >"$tree/t/src/base/odd.c"
fails size 'a line of its own'
fresh
yes '/* line */' | head -901 >"$tree/t/src/base/big.c"
fails size 'the file has 901 lines'
fresh
awk 'BEGIN { printf "/* "; for (i = 0; i < 105; i++) printf "x"; print " */" }' >"$tree/t/src/base/wide.h"
fails size 'wide.h:1: 111 characters'
sed -i s/x// "$tree/t/src/base/wide.h"
passes size

for call in 'strcpy(a, b)' 'x = sprintf (a, b)' 'system("ls")' 'f(atoi(s))' 'signal(SIGINT, f)' \
	'/* c */ gets(a)' 'mktemp(t)' 'alloca(n)' 'localtime(&t)' 'p = mmap(NULL, n, 1, 2, fd, 0)'; do
	fresh
	echo "	$call;" >>"$tree/t/src/cmd/user.c"
	fails banned 'is not used here'
done
for call in 'x.system(1)' 'p->signal(2)' 'my_system(3)' 'system_of(1)' 'localtime_r(a, b)' \
	'struct rand rand'; do
	fresh
	echo "	$call;" >>"$tree/t/src/cmd/user.c"
	passes banned
done

for word in 'TO''DO: later' 'FIX''ME' 'a XX''X b' 'see /wor''k/x' '"/tmp/te''am/a"'; do
	fresh
	echo "/* $word */" >>"$tree/t/src/cmd/user.c"
	fails words "$word"
done
for word in 'name-XXXXXX' '/workspace/x' '$dir/work/x' 'TODOS'; do
	fresh
	echo "/* $word */" >>"$tree/t/src/cmd/user.c"
	passes words
done

# symbols: compiled, because that is what it reads
symbol() {
	fresh
	printf '%s\n' "$2" >"$tree/t/src/$1.c"
	rm "$tree/t/src/cmd/user.c" "$tree/t/src/base/good.c"
	(cd "$tree/t" && ${CC:-cc} -fcommon -c -o "src/$1.o" "src/$1.c")
}
if command -v objdump >/dev/null && command -v "${CC:-cc}" >/dev/null; then
	symbol base/two-words 'int two_words_f(void) { static const int t[2] = {1, 2}; return t[1]; }'
	passes symbols
	symbol base/two-words 'const char *const two_words_names[] = {"a", "b"};'
	passes symbols
	symbol base/two-words 'int twowords_f(void) { return 1; }'
	fails symbols 'twowords_f does not start with "two_words_"'
	symbol base/two-words 'int helper(void) { return 1; }'
	fails symbols 'helper does not start'
	symbol base/two-words 'static int n; int two_words_f(void) { return n++; }'
	fails symbols 'n is mutable'
	symbol base/two-words 'int two_words_f(void) { static int calls = 3; return calls++; }'
	fails symbols 'calls.0 is mutable'
	symbol base/two-words 'int two_words_count;'
	fails symbols 'two_words_count is mutable'
	symbol base/two-words 'int two_words_count = 1;'
	fails symbols 'two_words_count is mutable'
	symbol base/two-words 'const char *two_words_names[] = {"a", "b"};'
	fails symbols 'two_words_names is mutable'
	fresh
	fails symbols 'no objects'
fi

# man: a program of one command, its pages, and what can be wrong with them
manual() {
	fresh
	mkdir "$tree/t/man"
	cat >"$tree/t/aicert" <<-'END'
		#!/bin/sh
		case $1 in
		help) printf 'usage: aicert COMMAND\n\n  do            do it\n  help          this\n' ;;
		*) printf 'usage: aicert do [-q] [-n N] FILE\n  -q, --quiet     be quiet\n  -n N            N\n  -h, --help      this\n' ;;
		esac
	END
	chmod +x "$tree/t/aicert"
	cat >"$tree/t/man/aicert.1" <<-'END'
		.Dd November 23, 2026
		.Dt AICERT 1
		.Os
		.Sh NAME
		.Nm aicert
		.Nd does it
		.Sh DESCRIPTION
		.Bl -tag -width Ds
		.It Xr aicert-do 1
		Do it.
		.It Ic help
		This.
		.El
	END
	cat >"$tree/t/man/aicert-do.1" <<-'END'
		.Dd November 23, 2026
		.Dt AICERT-DO 1
		.Os
		.Sh NAME
		.Nm aicert-do
		.Nd do it
		.Sh SYNOPSIS
		.Nm aicert do
		.Op Fl q
		.Op Fl n Ar N
		.Ar FILE
		.Sh DESCRIPTION
		Does it.
		.Bl -tag -width Ds
		.It Fl q , Fl -quiet
		Quietly.
		.It Fl n Ar N
		So often.
		.El
	END
}
if command -v mandoc >/dev/null; then
	page=man/aicert-do.1
	manual
	passes man
	manual
	echo '.Foo bar' >>"$tree/t/$page"
	fails man 'Foo'
	manual
	rm "$tree/t/$page"
	fails man 'aicert-do.1: missing'
	manual
	cp "$tree/t/$page" "$tree/t/man/aicert-undo.1"
	fails man 'no such command'
	manual
	sed -i '/It Fl n/,+1d' "$tree/t/$page"
	fails man 'has no -n'
	manual
	sed -i 's/, Fl -quiet/, Fl -silent/' "$tree/t/$page"
	fails man 'has no --quiet'
	fails man 'has --silent'
	manual
	sed -i 's/^.Ar FILE/.Op Ar FILE/' "$tree/t/$page"
	fails man 'SYNOPSIS is'
	manual
	sed -i 's/^.Nd do it/.Nd do that/' "$tree/t/$page"
	fails man '.Nd is not "do it"'
	manual
	sed -i 's/^Do it/Do that/' "$tree/t/man/aicert.1"
	fails man 'does not say of do "do it"'
	manual
	sed -i '/aicert-do/,+1d' "$tree/t/man/aicert.1"
	fails man 'does not mention aicert-do.1'
	manual
	sed -i '/Ic help/,+1d' "$tree/t/man/aicert.1"
	fails man 'does not describe help'
fi

[ $status = 0 ] && echo "every lint refuses what it is for"
exit $status
