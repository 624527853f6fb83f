# The common suite of all transports, sourced after lib.sh.  A transport gives
#
#     remote_new NAME     makes a place for one and sets $remote_url to it; nothing is pushed yet
#
# and sets before remote_suite is called
#
#     large=yes|no        whether it holds files of more than 1 MiB
#     forced=yes|no       whether whoever pushes may force and delete there
#     options=            more words for aicert remote add
#
# remote_suite runs everything; its parts are functions, in their order.
min="--min-level simulated"
forced=yes options=

# like ok, from another store: in DIR COMMAND...
in_dir() { dir=$1; shift; (cd "$scratch/$dir" && "$@"); }

# a builder with two runs, a small and a large output
suite_builder() {
	new_repo builder
	head -c 1500000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >big.in
	echo one >in
	spec aicert.yaml 'cp in out; cp big.in big; mkdir d; cp in d/x' 'in, big.in' 'out, big, {path: d/}'
	ok aicert commit -m first
	echo two >in
	ok aicert commit -m second
	second=$(aicert rev-parse HEAD)
}

suite_push() {
	cd "$scratch/builder" || exit 99
	remote_new main
	ok aicert remote add $options there "$remote_url"
	fails 2 aicert remote add nowhere ''
	ok aicert push --dry-run there main
	out_has 'Would send'
	same "$(aicert ls-remote there 2>/dev/null)" ""
	ok aicert push there main
	out_has 'Whoever can read it will see'
	out_has "command   sh -c 'cp in out; cp big.in big"
	out_has '[new]'
	out_has '2 certificates'
	if [ "$large" = no ]; then out_has 'this remote does not hold large'; fi
	ok aicert ls-remote there
	same "$(cut -f1,3 "$scratch/out")" "$second	refs/heads/main"
	ok aicert push there main
	out_has 'up to date'
	out_lacks 'Sent'
	ok aicert push --json there main
	out_has '"objects":0'
	same "$(aicert rev-parse refs/remotes/there/main)" "$second"
	main_url=$remote_url
}

suite_clone() {
	cd "$scratch" || exit 99
	ok aicert clone $clone_options "$remote_url" copy
	cd copy
	same "$(aicert rev-parse HEAD)" "$second"
	same "$(aicert log --oneline | wc -l)" 2
	ok aicert fsck
	cp ../builder/out .
	ok aicert verify $min out
	if [ "$large" = yes ]; then
		ok aicert checkout HEAD -- big
		ok cmp big ../builder/big
		out_lacks x
	fi
	ok aicert fetch
	same "$(cat "$scratch/out")" ""
	cd ..
	ok aicert clone --no-blobs "$remote_url" proofs
	cd proofs
	cp ../builder/out .
	ok aicert verify $min out
	ok aicert fsck
	ok aicert gc
	fails 3 aicert cat-file -p "$(sha256sum <out | cut -d' ' -f1)"
	mv out elsewhere
	fails 3 aicert checkout HEAD -- out
	err_has "aicert fetch --blobs"
	# what lies in a directory that is not here either
	fails 3 aicert verify d/x
	err_has "is not here"
	ok aicert fetch --blobs d/x
	ok aicert checkout HEAD -- d
	same "$(cat d/x)" "$(cat ../builder/d/x)"
	fails 3 aicert verify $min out
	err_has "certificate"
	err_has "aicert checkout"
	mv elsewhere out
	fails 3 aicert fetch --blobs no-such-output
	err_has "no certificate names it"
	ok aicert fetch --blobs out
	ok aicert cat-file -p "$(sha256sum <out | cut -d' ' -f1)"
	if [ "$large" = yes ]; then
		ok aicert fetch --blobs
		ok aicert checkout HEAD -- big
		ok aicert fetch --blobs
		out_has 'already'
	else
		fails 3 aicert fetch --blobs
		err_has 'at no remote'
	fi
}

suite_follow() {
	cd "$scratch/builder" || exit 99
	echo three >in
	ok aicert commit -m third
	ok aicert push there main
	out_has "$(echo "$second" | cut -c1-12).."
	third=$(aicert rev-parse HEAD)
	cd ../copy
	ok aicert fetch
	same "$(aicert rev-parse refs/remotes/origin/main)" "$third"
	same "$(aicert rev-parse HEAD)" "$second"
	ok aicert status
	out_has '1 commit behind'
	ok aicert pull
	same "$(aicert rev-parse HEAD)" "$third"
	ok aicert pull
	out_has 'Already up to date'
	ok aicert status
	out_has 'is up to date with origin/main'
}

suite_tags() {
	cd "$scratch/builder" || exit 99
	ok aicert tag v1 HEAD~1
	ok aicert push there v1
	in_dir copy aicert fetch >/dev/null
	same "$(in_dir copy aicert rev-parse v1)" "$second"
	ok aicert tag -f v1 HEAD
	fails 1 aicert push there v1
	out_has 'tags do not move'
	ok aicert push there 'main:refs/heads/topic/one'
	ok aicert ls-remote there
	out_has refs/heads/topic/one
	[ "$forced" = yes ] || return 0
	ok aicert push --force there v1
	cd ../copy
	fails 1 aicert fetch
	out_has 'tags do not move'
	same "$(aicert rev-parse v1)" "$second"
	cd ../builder
	ok aicert push -d there topic/one
	ok aicert push there :v1
	ok aicert ls-remote there
	out_lacks topic
	out_lacks v1
	in_dir copy aicert fetch -p >/dev/null
	fails 3 in_dir copy aicert rev-parse origin/topic/one
}

# two builders: the second one is refused, joins, and is followed
suite_diverge() {
	cd "$scratch/copy" || exit 99
	git init -q . && git config user.name Other && git config user.email other@localhost
	cp ../builder/aicert.yaml ../builder/big.in .
	echo elsewhere >in
	ok aicert commit -m elsewhere
	echo four >../builder/in
	in_dir builder aicert commit -m fourth >/dev/null
	in_dir builder aicert push -q there main
	fails 1 aicert push origin main
	out_has 'rejected'
	fails 1 aicert pull
	err_has 'diverged'
	ok aicert status
	out_has 'diverged'
	ok aicert pull --merge
	ok aicert push origin main
	cd ../builder
	ok aicert pull there
	same "$(aicert rev-parse HEAD)" "$(in_dir copy aicert rev-parse HEAD)"
	cp ../builder/out ./o && ok aicert verify $min out
	ok aicert fsck
}

suite_rewrite() {
	[ "$forced" = yes ] || return 0
	cd "$scratch/builder" || exit 99
	tip=$(aicert rev-parse HEAD)
	ok aicert branch side HEAD~1
	fails 1 aicert push there side:main
	out_has 'would be lost'
	ok aicert push --force-with-lease there side:main
	out_has 'forced'
	cd ../copy
	fails 1 aicert fetch
	err_has 'rewritten'
	out_has REWRITTEN
	grep -q "$tip" .aicert/logs/refs/remotes/origin/main || die 'the old tip is not in the reflog'
	fails 1 aicert push --force-with-lease=main:"$second" origin main
	out_has 'not as it was'
	ok aicert push --force-with-lease origin main
}

# of many who push at once nobody's commit is lost
suite_race() {
	cd "$scratch" || exit 99
	for who in 1 2; do
		ok aicert clone -q "$main_url" racer$who
		cd racer$who
		git init -q . && git config user.name R$who && git config user.email r$who@localhost
		cp ../builder/aicert.yaml ../builder/big.in .
		echo "racer $who" >in
		ok aicert commit -m "racer $who"
		cd ..
	done
	(in_dir racer1 aicert push -q origin main >"$scratch/race1" 2>&1; echo $? >>"$scratch/race1") &
	pushers=$!
	(in_dir racer2 aicert push -q origin main >"$scratch/race2" 2>&1; echo $? >>"$scratch/race2") &
	pushers="$pushers $!"
	# shellcheck disable=SC2086 # two of them
	wait $pushers
	checks=$((checks + 1))
	case "$(tail -n 1 "$scratch/race1") $(tail -n 1 "$scratch/race2")" in
	'0 1') loser=2 winner=1 ;;
	'1 0') loser=1 winner=2 ;;
	*) die "of two pushers exactly one wins: $(cat "$scratch/race1" "$scratch/race2")"; return ;;
	esac
	cd racer$loser
	ok aicert pull -q --merge
	ok aicert push -q origin main
	ok aicert log --oneline
	out_has "racer $winner"
	# different branches do not hinder each other
	(in_dir racer1 aicert push -q origin main:refs/heads/r1; echo $? >"$scratch/race1") &
	pushers=$!
	(in_dir racer2 aicert push -q origin main:refs/heads/r2; echo $? >"$scratch/race2") &
	pushers="$pushers $!"
	# shellcheck disable=SC2086 # two of them
	wait $pushers
	same "$(cat "$scratch/race1" "$scratch/race2")" "0
0"
}

# killed at any moment: the next push sends the rest, and a reader never sees half of it
suite_killed() {
	cd "$scratch/builder" || exit 99
	remote_new killed
	ok aicert remote add $options killed "$remote_url"
	for ms in 0.005 0.02 0.05 0.1 0.2; do
		aicert push -q killed main >/dev/null 2>&1 &
		sleep $ms
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		if [ -n "$(aicert ls-remote killed 2>/dev/null)" ]; then
			break
		fi
	done
	ok aicert push -q killed main
	rm -rf "$scratch/after"
	for ms in 0.005 0.02 0.05 0.1; do
		aicert clone -q "$remote_url" "$scratch/after" >/dev/null 2>&1 &
		sleep $ms
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
	done
	if [ -z "$(in_dir after aicert rev-parse HEAD 2>/dev/null)" ]; then
		ok aicert clone -q "$remote_url" "$scratch/after"
	fi
	same "$(in_dir after aicert rev-parse HEAD)" "$(aicert rev-parse main)"
	ok in_dir after aicert fsck
}

# a lost object of ours holds nothing else back
suite_lost() {
	cd "$scratch" || exit 99
	remote_new lost
	ok aicert clone -q --no-blobs "$main_url" partial
	cd partial
	ok aicert remote add $options lost "$remote_url"
	ok aicert push lost main
	out_has 'not there'
	ok aicert fetch -q --blobs out || :
	ok aicert push --blobs outputs lost main
	ok aicert clone -q "$remote_url" ../from-lost
	ok in_dir from-lost aicert log --oneline
}

# cut_off COMMAND...: a signal ends it where a file would become longer than 10,240,000 bytes, or,
# in a thread, that is an error
cut_off() {
	checks=$((checks + 1))
	! (ulimit -f 20000 && exec "$@") >"$scratch/out" 2>"$scratch/err" || die "was not cut off: $*"
}

# rest_of ID LENGTH STORE COMMAND...: what is in tmp/fetch of an object already is not written again
rest_of() {
	part=$1 lacking=$(($2 - $(wc -c <"$3/tmp/fetch/$1")))
	shift 3
	ok env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
		strace -f -y -s 0 -qq -e trace=write -o "$scratch/trace" "$@"
	same "$(sed -n "s,.*write([0-9]*<[^>]*/tmp/fetch/$part>.*\, \([0-9]*\)[) ].*,\1,p" "$scratch/trace" |
		awk '{ n += $1 } END { print n }')" "$lacking"
}

# killed in the middle of a large object: the next one goes on there
suite_resumed() {
	[ "$large" = yes ] && can_trace || return 0
	new_repo huge
	head -c 24000000 /dev/zero | openssl enc -aes-128-ctr -K 03 -iv 00 2>/dev/null >in
	spec aicert.yaml 'cp in out' in out
	ok aicert commit -m huge
	huge=$(sha256sum <out | cut -d' ' -f1)
	remote_new huge
	ok aicert remote add $options huge "$remote_url"
	ok aicert push huge main
	ok aicert clone --no-blobs "$remote_url" "$scratch/resumed"
	cd "$scratch/resumed" || exit 99
	cut_off aicert fetch --blobs
	checks=$((checks + 1))
	[ "$(wc -c <".aicert/tmp/fetch/$huge")" -gt 9000000 ] || die 'nothing is left to go on with'
	fails 3 aicert cat-file -s "$huge"
	rest_of "$huge" 24000000 .aicert aicert fetch --blobs
	ok aicert checkout HEAD -- out
	ok cmp out ../huge/out
	ok aicert fsck
	checks=$((checks + 1))
	[ ! -e .aicert/tmp/fetch ] || die 'something is left in tmp/fetch'
}

remote_suite() {
	clone_options=
	suite_builder
	suite_push
	suite_clone
	suite_follow
	suite_tags
	suite_diverge
	suite_rewrite
	suite_race
	suite_killed
	suite_resumed
	suite_lost
	cd "$scratch" || exit 99
}
