#!/bin/sh
# Names and state of the built objects:  symbols.sh [SOURCE-DIR [BUILD-DIR]]
# A global symbol starts with the stem of its file ('-' as '_'); files that
# share a header share its stem, see the table.  Nothing is mutable at file
# scope but what the second table allows, with the reason.
set -eu
build=${2:-${top_builddir:-.}}
command -v objdump >/dev/null || exit 77
cd "$build"
objects=$(find src store -name '*.o' ! -name '*-*unit*' ! -path 'src/main.o' ! -path 'src/aicertd.o' \
	! -path 'src/*_*-*.o' 2>/dev/null | LC_ALL=C sort)
[ -n "$objects" ] || { echo "no objects in $build"; exit 1; }

# shellcheck disable=SC2086 # file names of ours, without blanks
objdump -t $objects | awk '
BEGIN {
	# directory/prefix: several files implement the one header of that name
	family["src/tpm/"] = "tpm_"            # tpm.h: tpm.c ak.c pcr.c quote.c
	family["src/cmd/"] = "cmd_"            # commands.h: cmd_NAME in the file NAME.c
	# one symbol of another header
	other["store/store.o odb_state"] = 1   # odb-state.h: store.c holds the state
	# file-scope state that has to be
	state["src/base/interrupt.o interrupt_seen"] = "a signal handler has no argument"
	state["src/base/interrupt.o interrupt_pipe"] = "a signal handler has no argument"
	state["src/tpm/tcti-embedded.o tcti_embedded_one"] = "libtpms is one TPM a process"
}
function stem(file,    s) {
	s = file
	sub(/^.*\//, "", s)
	sub(/\.o$/, "", s)
	gsub(/-/, "_", s)
	return s
}
# the stem itself, or what is before one of its underscores: a file odb-put.c
# implements a part of odb.h
function named_for(name, file,    s) {
	for (s = stem(file); s != ""; ) {
		if (index(name, s "_") == 1 || name == s)
			return 1
		if (s !~ /_/)
			break
		sub(/_[^_]*$/, "", s)
	}
	if ((file " " name) in other)
		return 1
	for (s in family)
		if (index(file, s) == 1 && index(name, family[s]) == 1)
			return 1
	return 0
}
/file format/ {
	file = $1
	sub(/:$/, "", file)
	next
}
NF >= 4 && $1 ~ /^[0-9a-f]+$/ {
	name = $NF
	section = $(NF - 2)
	if (name ~ /^\./ && NF > 5) # visibility, not a name
		section = $(NF - 3)
	flags = substr($0, length($1) + 2, 7)
	if (section == "*UND*" || section == "*ABS*" || flags ~ /[dfF]/ && section !~ /^\.text/ && flags ~ /d/)
		next
	if (flags ~ /^[gu]/ && !named_for(name, file)) {
		printf "%s: %s does not start with \"%s_\"\n", file, name, stem(file)
		bad = 1
	}
	if (flags ~ /O/ && section ~ /^(\.data|\.bss|\*COM\*|\.tdata|\.tbss)/ && section !~ /^\.data\.rel\.ro/) {
		plain = name
		sub(/\.[0-9]+$/, "", plain)
		if (!((file " " plain) in state)) {
			printf "%s: %s is mutable at file scope (%s)\n", file, name, section
			bad = 1
		}
	}
}
END { exit bad }
'
