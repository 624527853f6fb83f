#!/bin/sh
# The layers of src/README.md over #include "...":  layers.sh [SOURCE-DIR]
# Every directory lists the directories it may include; what is not listed is
# refused, so a new directory has to be entered here before it is used.
set -eu
cd "${1:-${top_srcdir:-.}}"

find src store -name '*.[ch]' | LC_ALL=C sort | xargs awk '
function allow(dir, list,    names, n, i) {
	n = split(list, names, " ")
	known[dir] = 1
	allowed[dir, dir] = 1
	for (i = 1; i <= n; i++)
		allowed[dir, names[i]] = 1
}
BEGIN {
	allow("base", "")
	allow("git", "base")
	allow("db", "base")
	allow("codec", "base")
	allow("crypto", "base")
	allow("net", "base")
	libraries = "base git db codec crypto net"
	allow("object", "base codec crypto")
	allow("evidence", "base codec crypto")
	allow("tpm", libraries " object evidence")
	allow("verify", "base git db codec crypto object evidence") # not net, tpm, store
	allow("store", libraries " object")                         # not evidence, verify
	below_run = libraries " object evidence tpm verify store"
	allow("run", below_run)
	allow("runner", below_run)
	allow("remote", below_run " runner")
	allow("serve", below_run " run remote")
	allow("provider", below_run " runner")
	allow("cmd", below_run " run runner remote serve provider")
	allow("mains", below_run " run runner remote serve provider cmd")
}
function directory(file,    part, n) {
	n = split(file, part, "/")
	if (part[1] == "store")
		return "store"
	return n == 2 ? "mains" : part[2]
}
FNR == 1 {
	from = directory(FILENAME)
	if (!(from in known)) {
		printf "%s: the directory \"%s\" is in no layer\n", FILENAME, from
		bad = 1
	}
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	slash = index(quoted[2], "/")
	to = slash > 0 ? substr(quoted[2], 1, slash - 1) : ""
	if (to == "" || to == "." || to == "..") {
		printf "%s:%d: \"%s\": write the path from the top\n", FILENAME, FNR, quoted[2]
		bad = 1
	} else if (!((from, to) in allowed)) {
		printf "%s:%d: %s may not include \"%s\"\n", FILENAME, FNR, from, quoted[2]
		bad = 1
	}
}
END { exit bad }
'
