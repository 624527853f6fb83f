#!/bin/sh
# Functions of at most 100 lines and 6 parameters, files of at most 900 lines,
# lines of at most 110 characters: size.sh [SOURCE-DIR].  Also prints medians, so that drift is seen early.
# The error out-parameter, which everything that can fail ends with, is not
# counted.
# Counts on the layout of the code: a function's name at column 0, its braces
# alone at column 0; a function laid out otherwise is refused.
set -eu
cd "${1:-${top_srcdir:-.}}"
status=0

find src store -name '*.[ch]' | LC_ALL=C sort |
	xargs awk -v max=110 '
length($0) > max {
	printf "%s:%d: %d characters, at most %d are allowed\n", FILENAME, FNR, length($0), max
	bad = 1
}
END { exit bad }
' || status=1

find src store -name '*.c' | LC_ALL=C sort | xargs awk -v max_lines=100 -v max_file=900 \
    -v max_parameters=6 '
BEGIN {
	# signatures that are not ours to choose, or that say one thing in full
	judging = "bytes with their lengths, what to judge by, the answer and its reason"
	wide["src/serve/http.c http_on_request"] = "a callback of libmicrohttpd"
	wide["src/evidence/quote-check.c quote_check_structure"] = judging
	wide["src/evidence/quote-check.c quote_check_signature"] = judging
	wide["src/verify/checks.c checks_fetch"] = judging
	wide["src/crypto/pem.c pem_next"] = judging
	wide["src/evidence/pcr-values.c pcr_values_digest"] = judging
	wide["src/crypto/key-sign.c key_verify"] = "key, rule, data and signature: hiding one hides a choice"
}
function report(line, text) {
	printf "%s:%d: %s\n", file, line, text
	bad = 1
}
function parameters(text,    i, c, depth, n, any) {
	text = substr(text, index(text, "("))
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1)
			n++
		if (depth > 0 && c != "(" && c != " ")
			any = any c
	}
	if (any == "void" || any == "")
		return 0
	return text ~ /struct err \*e\)/ ? n : n + 1
}
function file_end() {
	if (file == "")
		return
	if (lines > max_file)
		report(lines, "the file has " lines " lines, at most " max_file " are allowed")
	file_size[++files] = lines
}
FNR == 1 { file_end(); file = FILENAME; name = ""; inside = 0 }
{ lines = FNR }
/^[A-Za-z_].*\).*\{[ \t]*$/ && !/=/ { report(FNR, "the brace of a function goes on a line of its own") }
!inside && /^[A-Za-z_][A-Za-z0-9_]*\(/ {
	name = substr($0, 1, index($0, "(") - 1)
	name_line = FNR
	head = ""
}
!inside && name != "" { head = head " " $0 }
!inside && /;[ \t]*$/ { name = "" }
!inside && /^\{[ \t]*$/ {
	if (name == "") {
		report(FNR, "a function whose name is not at the start of a line")
		name = "?"
		name_line = FNR
		head = "()"
	}
	inside = 1
	count = parameters(head)
	if (count > max_parameters && !((file " " name) in wide))
		report(name_line, name " has " count " parameters, at most " max_parameters " are allowed")
}
inside && /^\}/ {
	size = FNR - name_line + 1
	if (size > max_lines)
		report(name_line, name " has " size " lines, at most " max_lines " are allowed")
	function_size[++functions] = size
	inside = 0
	name = ""
}
function sorted(list, n,    i, k, t) {
	for (i = 2; i <= n; i++) {
		t = list[i]
		for (k = i - 1; k > 0 && list[k] > t; k--)
			list[k + 1] = list[k]
		list[k + 1] = t
	}
}
function rank(n, share,    k) {
	k = int(n * share + 0.999)
	return k < 1 ? 1 : k
}
END {
	file_end()
	sorted(function_size, functions)
	sorted(file_size, files)
	printf "%d functions: median %d lines, p95 %d, longest %d\n", functions,
	    function_size[rank(functions, 0.5)], function_size[rank(functions, 0.95)],
	    function_size[functions]
	printf "%d files: median %d lines, longest %d\n", files, file_size[rank(files, 0.5)],
	    file_size[files]
	exit bad
}
' || status=1
exit $status
