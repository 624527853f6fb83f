# Shared by the shell tests: a scratch directory of their own, the built
# programs in PATH, TPM state and settings inside the scratch directory.
# A test calls ok, fails STATUS, grep_ok and ends with done_testing.
set -u
build=$(cd "${top_builddir:-.}" && pwd)
source_dir=$(cd "${top_srcdir:-.}" && pwd)
PATH="$build:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/aicert-cli-XXXXXX")
trap 'chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
export PATH HOME="$scratch/home" XDG_DATA_HOME="$scratch/home/data" \
	XDG_CONFIG_HOME="$scratch/home/config" XDG_CACHE_HOME="$scratch/home/cache" \
	LC_ALL=C.UTF-8 GIT_CONFIG_NOSYSTEM=1
unset XDG_RUNTIME_DIR GIT_DIR GIT_WORK_TREE GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
mkdir -p "$HOME"
cd "$scratch" || exit 99
checks=0 failures=0

# die WHAT: one failed check, with what the last command printed.
die() {
	failures=$((failures + 1))
	echo "FAIL: $*"
	sed 's/^/    | /' "$scratch/out" "$scratch/err" 2>/dev/null
}

# fails STATUS COMMAND...: the command ends with exactly this status.  Its
# output is in $scratch/out and $scratch/err; a failure must say why on stderr,
# and every line of it begins with "aicert: ".
fails() {
	want=$1
	shift
	checks=$((checks + 1))
	"$@" >"$scratch/out" 2>"$scratch/err"
	got=$?
	[ "$got" = "$want" ] || die "exit status $got, expected $want: $*"
	if [ "$want" != 0 ] && [ "$1" = aicert ] && grep -qv '^aicert: ' "$scratch/err"; then
		die "a line on stderr without 'aicert: ': $*"
	fi
}
ok() { fails 0 "$@"; }
# out_has/err_has TEXT: the last command's output has it (fixed string).
out_has() { checks=$((checks + 1)); grep -qF -- "$1" "$scratch/out" || die "stdout lacks: $1"; }
err_has() { checks=$((checks + 1)); grep -qF -- "$1" "$scratch/err" || die "stderr lacks: $1"; }
out_lacks() { checks=$((checks + 1)); ! grep -qF -- "$1" "$scratch/out" || die "stdout has: $1"; }
same() { checks=$((checks + 1)); [ "$1" = "$2" ] || die "\"$1\" is not \"$2\""; }

# until_true SECONDS COMMAND...: it comes true within that time
until_true() {
	left=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || { die "did not come: $*" && return 1; }
		sleep 0.05
	done
}

# A git repository with a store and an identity, entered.
new_repo() {
	mkdir -p "$scratch/$1" && cd "$scratch/$1" && git init -q -b main . &&
		git config user.name "Test Author" && git config user.email test@localhost &&
		aicert init -q || exit 99
}
# run_id REV: what a policy calls the run of a commit
run_id() {
	aicert cat-file -p "$1" | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/' | xargs aicert cat-file -p |
		python3 -c 'import base64, hashlib, json, sys
print(hashlib.sha256(base64.b64decode(json.load(sys.stdin)["envelope"]["payload"])).hexdigest())'
}
# spec FILE COMMAND INPUTS OUTPUTS: writes a spec in flow style.
spec() {
	printf 'version: 1\nimage: host\ncommand: [sh, -c, "%s"]\ninputs: [%s]\noutputs: [%s]\n' \
		"$2" "$3" "$4" >"$1"
}
# spoil FILE OFFSET: this one byte of it is another than it was.
spoil() {
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
# small_row ID STATEMENT: changes the row of a small object, and must find it.
small_row() {
	checks=$((checks + 1))
	python3 - "$1" "$2" >"$scratch/out" 2>"$scratch/err" <<-'PYTHON' || die "no row of $1"
		import sqlite3, sys
		d = sqlite3.connect(".aicert/objects/small.db")
		n = d.execute(sys.argv[2], (bytes.fromhex(sys.argv[1]),)).rowcount
		d.commit()
		sys.exit(n != 1)
	PYTHON
}
# can_trace: strace works here; else what follows cannot be tried.
can_trace() {
	strace -qq -o /dev/null true 2>/dev/null || { untried "strace cannot be used"; return 1; }
}
# can_pretend: programs can be told that they are on another file system:
# AICERT_PRETEND_FS=$nfs LD_PRELOAD=$shim aicert...
nfs=0x6969 smb=0xfe534d42 fat=0x4d44 shim=$build/tests/fault/shim.so
can_pretend() {
	[ -f "$shim" ] || { untried "no $shim"; return 1; }
	! ldd "$build/aicert" | grep -q libasan || { untried "a sanitizer is in the place of the shim"; return 1; }
}
# untried WHY: a part of the test was left out, so the test has not passed.
left_out=
untried() {
	case $left_out in *"$1"*) ;; *) left_out="$left_out${left_out:+, }$1" ;; esac
}
done_testing() {
	echo "$checks checks, $failures failed"
	if [ -n "$left_out" ]; then
		echo "not all was tried: $left_out"
		[ "$failures" != 0 ] || exit 77
	fi
	[ "$failures" = 0 ] && [ "$checks" -gt 0 ]
	exit $?
}
