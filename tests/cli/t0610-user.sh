#!/bin/sh
# The same as an ordinary user, without root's powers: a run in a user
# namespace, limits that cannot be enforced, a store that cannot be written.
. "${top_srcdir:-.}/tests/cli/lib.sh"
if [ "$(id -u)" = 0 ]; then
	command -v setpriv >/dev/null || { echo "skipped: setpriv is missing"; exit 77; }
	# copies: the build may lie where others may not look
	mkdir -p "$scratch/bin" "$scratch/src/tests"
	cp "$build/aicert" "$build/aicertd" "$scratch/bin"
	cp -R "$source_dir/tests/cli" "$scratch/src/tests"
	chown -R 65534:65534 "$scratch"
	setpriv --reuid=65534 --regid=65534 --clear-groups env TMPDIR="$scratch" \
		top_srcdir="$scratch/src" top_builddir="$scratch/bin" \
		sh "$scratch/src/tests/cli/t0610-user.sh"
	exit $?
fi
unshare -Ur true 2>/dev/null || { echo "skipped: no user namespaces for users here"; exit 77; }
new_repo r
echo hello >in.txt
spec aicert.yaml "cat in.txt > out.txt; id -u > uid.txt; grep CapEff /proc/self/status > cap.txt" \
	"{path: in.txt, kind: dataset}" "out.txt, uid.txt, cap.txt"
ok aicert commit -m "as a user"
same "$(cat out.txt)" hello
same "$(cat cap.txt)" "CapEff:	0000000000000000"
ok aicert verify --min-level simulated out.txt
ok aicert verify --min-level simulated HEAD

# a daemon on an address, and a run on it
(
	. "$source_dir/tests/cli/runner-lib.sh"
	trap 'kill $daemons 2>/dev/null' EXIT
	start_daemon gpu
	aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url" >/dev/null
	rm out.txt
	aicert commit -q -r gpu -m "on a user's daemon" && grep -qx hello out.txt && stop_daemon
) >"$scratch/out" 2>"$scratch/err"
same $? 0

printf 'version: 1\nimage: host\ncommand: [true]\noutputs: [x]\nlimits: {memory: 64MiB}\n' >limits.yaml
aicert commit -f limits.yaml >../out 2>../err
status=$?
checks=$((checks + 1))
# where control groups are delegated the command runs and lacks its output
if [ $status != 1 ] || ! grep -q "x: absent" ../err; then
	[ $status = 3 ] || die "a limit that cannot be enforced: status $status"
	grep -qi delegat ../err || die "what to delegate is not said"
fi

chmod -R a-w .aicert
fails 3 aicert commit -m "cannot be"
err_has "read-only"
ok aicert log
ok aicert verify --min-level simulated out.txt
ok aicert fsck
chmod -R u+w .aicert
ok aicert commit -m "again"
done_testing
