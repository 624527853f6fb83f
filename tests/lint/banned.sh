#!/bin/sh
# Functions that are not used in src/ and store/:  banned.sh [SOURCE-DIR]
# Unbounded copies, hidden state, shells, races on names, undefined overflow; maps
# of files, which kill their reader when another cuts the file.
set -eu
cd "${1:-${top_srcdir:-.}}"

find src store -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
	split("strcpy strcat stpcpy sprintf vsprintf gets strtok atoi atol atoll atof rand srand" \
	    " system popen tmpnam tempnam mktemp alloca signal vfork asctime ctime gmtime localtime" \
	    " longjmp setjmp usleep mmap mmap64", list, " ")
	for (i in list)
		banned[list[i]] = 1
}
# the line without comments and literals; comment carries over lines
function code(line,    out, i, c, two) {
	out = ""
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		two = substr(line, i, 2)
		if (comment) {
			if (two == "*/") {
				comment = 0
				i++
			}
		} else if (literal != "") {
			if (c == "\\")
				i++
			else if (c == literal)
				literal = ""
		} else if (two == "/*") {
			comment = 1
			i++
		} else if (two == "//")
			break
		else if (c == "\"" || c == "\047")
			literal = c
		else
			out = out c
	}
	literal = ""
	return out
}
FNR == 1 { comment = 0 }
{
	rest = code($0)
	before = ""
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
		word = substr(rest, RSTART, RLENGTH)
		if (RSTART > 1)
			before = substr(rest, RSTART - 1, 1)
		rest = substr(rest, RSTART + RLENGTH)
		if (word in banned && rest ~ /^[ \t]*\(/ && before != "." && before != ">") {
			printf "%s:%d: %s() is not used here\n", FILENAME, FNR, word
			bad = 1
		}
		before = ""
	}
}
END { exit bad }
'
