#!/bin/sh
# hash-object over many files: threads, the stat cache and what it must never
# believe, ignore rules, large and sparse files, and what is refused.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
id() { aicert hash-object "$@" | cut -c1-64; }
cache=$XDG_CACHE_HOME/aicert/stat.db

# a tree with all kinds of entries, some directories larger than one job
mkdir -p d/sub/deeper d/empty d/many
for i in $(seq 1 400); do echo "file $i" >"d/many/file$i"; done
head -c 3000000 /dev/urandom >d/large
head -c 40000 /dev/urandom >d/sub/medium
: >d/sub/deeper/nothing
ln -s ../large d/sub/link
chmod +x d/many/file7
sleep 0.1

# whatever the threads, the id is the same; and the first one with -w stores all
tree=$(id --no-cache -j1 d)
for j in 2 3 16; do same "$(id --no-cache -j$j d)" "$tree"; done
[ -e "$cache" ] && die "--no-cache wrote a cache"
fails 2 aicert hash-object -j 1000 d
fails 2 aicert hash-object -j x d
ok aicert hash-object -w -j 3 d
same "$(aicert ls-tree -r "$tree" | wc -l)" 404
ok aicert fsck
same "$(id d)" "$tree"
[ "$(stat -c %a "$cache")" = 600 ] || die "the cache is for its user alone"
same "$(stat -c %a "$(dirname "$cache")")" 700

# traced OPTIONS COMMAND...: what it does in $scratch/trace
traced() {
	# leaks cannot be looked for under strace
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -qq -o "$scratch/trace" "$@" >"$scratch/out" 2>"$scratch/err" ||
		die "$*"
}
# opened COMMAND...: how many files of d were opened to be read
opened() {
	traced -e trace=open,openat,openat2 "$@"
	grep -o '"[^"]*"' "$scratch/trace" | grep -cE '^"(file[0-9]+|large|medium|nothing)"$'
}
if can_trace; then
	same "$(opened aicert hash-object --no-cache d)" 403
	same "$(opened aicert hash-object d)" 0
	same "$(opened aicert hash-object -w d)" 0
	# a directory whose files are all known is not listed either; of those with something
	# else in them (d, d/sub) and of the empty one this is not known
	# (one thread: a line of the trace is whole)
	traced -y -e trace=getdents64 aicert hash-object -j 1 d
	same "$(grep -c 'd/many>.*= [1-9]' "$scratch/trace")" 0
	same "$(grep -c 'd/sub>.*= [1-9]' "$scratch/trace")" 1
	# one changed file is one file read, though nothing but its time says so
	touch -d '2020-01-01' d/many/file9
	same "$(opened aicert hash-object -w d)" 1
	sleep 0.1
	# what is known but not in the store is read and stored
	mkdir "$scratch/other" && mv .aicert "$scratch/other/" && aicert init -q
	same "$(opened aicert hash-object -w d)" 403
	same "$(opened aicert hash-object -w d)" 0
	ok aicert fsck
	gone=$(sha256sum <d/large | cut -c1-64)
	rm -f ".aicert/objects/$(echo "$gone" | cut -c1-2)/$(echo "$gone" | cut -c3-)"
	same "$(opened aicert hash-object -w d)" 1
	ok aicert cat-file -s "$gone"
	# of another length: damage
	chmod u+w ".aicert/objects/$(echo "$gone" | cut -c1-2)/"*
	truncate -s 5 ".aicert/objects/$(echo "$gone" | cut -c1-2)/$(echo "$gone" | cut -c3-)"
	same "$(opened aicert hash-object -w d)" 1
	ok aicert fsck

	# -j1: no other thread, and a file is read to its end before the next; nowhere is
	# a file mapped, which another could cut
	mkdir disk && for i in 1 2 3; do head -c 1000000 d/large >disk/large$i && head -c 5000 d/large >disk/small$i; done
	for how in "" -w; do
		for j in 1 2; do
			traced -y -e trace=clone,clone3,read,pread64,mmap aicert hash-object --no-cache -j$j $how disk
			grep '<[^>]*/disk/[^>]*>' "$scratch/trace" | sed 's/^[0-9]* *\([a-z0-9]*\)(.*\/disk\/\([^>]*\)>.*/\1 \2/' >"$scratch/reads"
			same "$(grep -c mmap "$scratch/reads")" 0
			same "$(cut -d' ' -f2 "$scratch/reads" | sort -u | wc -l)" 6
			[ $j = 1 ] || continue
			same "$(cut -d' ' -f2 "$scratch/reads" | uniq | wc -l)" 6
			same "$(grep -c 'clone' "$scratch/trace")" 0
		done
		grep -q clone "$scratch/trace" || die "-j2 made no thread: what is said of -j1 says nothing"
	done
fi

# the same size and mtime, another content: ctime tells; so does another inode
sleep 0.1
ok aicert hash-object d
touch -r d/many/file1 stamp
echo "FILE 1" >d/many/file1 && touch -r stamp d/many/file1
same "$(id d/many/file1)" "$(sha256sum <d/many/file1 | cut -c1-64)"
same "$(id d)" "$(id --no-cache d)"
cp d/many/file2 new && echo "FILE 2" >new && touch -r d/many/file2 new && mv new d/many/file2
same "$(id d)" "$(id --no-cache d)"
# just written: too young to be believed, however often it is asked for
for i in 1 2 3 4 5; do
	echo "round $i" >d/young
	same "$(id d/young)" "$(sha256sum <d/young | cut -c1-64)"
done
# what is written through a mapping that was written to before changes the times only when the
# page was written out between; tmpfs has nowhere to write it out to
if [ "$(stat -f -c %T .)" != tmpfs ]; then
	for size in 5000 3000000; do
		head -c $size /dev/zero >d/mapped
		python3 - d/mapped <<'END'
import mmap, subprocess, sys, time
with open(sys.argv[1], "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
    m[0:1] = b"A"
    time.sleep(0.1)
    subprocess.run(["aicert", "hash-object", "-w", "d"], check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.1)
    m[0:1] = b"B"
END
		same "$(id d/mapped)" "$(sha256sum <d/mapped | cut -c1-64)"
		same "$(id d)" "$(id --no-cache d)"
	done
	rm d/mapped
else
	untried "no disk"
fi
# so is a name that comes or goes at once, again and again
for i in 1 2 3 4 5; do
	touch "d/many/young$i" && [ "$i" != 3 ] || rm d/many/young2
	same "$(id d)" "$(id --no-cache d)"
done
# the times of the directory put back: its ctime tells
sleep 0.1
ok aicert hash-object d
touch -r d/many stamp && touch d/many/more && touch -r stamp d/many
same "$(id d)" "$(id --no-cache d)"
# permissions are part of the tree
chmod -x d/many/file7
[ "$(id d)" != "$tree" ] || die "the executable bit does not count"
same "$(id d)" "$(id --no-cache d)"
# entries come and go
rm d/many/file100 && echo more >d/many/g
same "$(id d)" "$(id --no-cache d)"

# a cache that is damaged, of others, or in the way is as good as none
now=$(id --no-cache d)
for damage in garbage short flipped; do
	ok aicert hash-object d
	case $damage in
	garbage) head -c 100000 /dev/urandom >"$cache" ;;
	short) truncate -s 20000 "$cache" ;;
	flipped) for at in 5000 17000 30000 50000; do
		printf 'XXXX' | dd of="$cache" bs=1 seek=$at conv=notrunc 2>/dev/null
	done ;;
	esac
	same "$(id d)" "$now"
	same "$(id d)" "$now"
done
chmod 666 "$cache"
ok aicert hash-object d
rm -f "$cache" && ln -s /etc/passwd "$cache"
same "$(id d)" "$now"
rm -f "$cache" && mkdir "$cache"
same "$(id d)" "$now"
rmdir "$cache"
chmod 777 "$XDG_CACHE_HOME/aicert"
same "$(id d)" "$now"
[ -e "$cache" ] && die "a cache in a directory of everybody"
chmod 700 "$XDG_CACHE_HOME/aicert"
( unset XDG_CACHE_HOME HOME; same "$(id d)" "$now" )

# several paths, files of one directory among them, printed in their order
ok aicert hash-object d/large d d/sub/medium d/sub/deeper/nothing d/many/file3 d/many/file4
same "$(cut -c67- ../out | tr '\n' ' ')" "d/large d d/sub/medium d/sub/deeper/nothing d/many/file3 d/many/file4 "
same "$(head -1 ../out | cut -c1-64)" "$(sha256sum <d/large | cut -c1-64)"
same "$(cd d && id .)" "$now"
same "$(cd d/sub && id ../../d)" "$now"
mkdir "$scratch/outside" && echo x >"$scratch/outside/x"
same "$(id "$scratch/outside/x")" "$(sha256sum <"$scratch/outside/x" | cut -c1-64)"

# sparse files keep their holes
truncate -s 40M sparse && echo end >>sparse && truncate -s 50M sparse
sparse=$(sha256sum <sparse | cut -c1-64)
same "$(id -w sparse)" "$sparse"
object=.aicert/objects/$(echo "$sparse" | cut -c1-2)/$(echo "$sparse" | cut -c3-)
cmp "$object" sparse || die "the object differs"
[ "$(stat -c %b "$object")" -lt 2000 ] || die "$(stat -c %b "$object") blocks for a sparse object"

# no room: the message says for which file, and nothing is left of it
for size in 2000000 9000000; do # by one thread, and by two
	head -c $size /dev/urandom >unfit
	fails 3 sh -c 'trap "" XFSZ && ulimit -f 1000 && exec aicert hash-object -w --no-cache unfit'
	err_has "unfit: a new object: cannot write"
	same "$(find .aicert/tmp -type f | wc -l)" 0
done
ok aicert hash-object -w unfit
ok aicert fsck

# how: copy always works; reflink says when it cannot
ok aicert config store.ingest copy
head -c 100000 /dev/urandom >c1
ok aicert hash-object -w c1
ok aicert config store.ingest nonsense
fails 2 aicert hash-object -w c1
err_has store.ingest
ok aicert config --unset store.ingest
ok aicert config store.threads 1
ok aicert hash-object -w d
ok aicert config store.threads many
fails 2 aicert hash-object d
err_has store.threads
ok aicert config --unset store.threads

# ignore rules, as git has them
mkdir -p p/build p/keep/deep p/.git && cd p || exit 99
touch a.log keep/b.log keep/c.txt keep/deep/c.txt build/x main.py keep/special.log
cd ..
fails 3 aicert hash-object p
err_has .aicertignore
printf '# rules\n*.log\n!special.log\n/p/build/\n.git\n' >.aicertignore
printf 'c.txt\n!deep/c.txt\n' >p/keep/.aicertignore
tree=$(id -w p)
same "$(aicert ls-tree -r "$tree" | awk '{ print $NF }' | tr '\n' ' ')" \
	"keep/.aicertignore keep/deep/c.txt keep/special.log main.py "
same "$(cd p/keep && id .)" "$(id p/keep)"
# a path that is named is measured
same "$(id p/a.log)" "$(sha256sum <p/a.log | cut -c1-64)"
# .gitignore has no say
echo main.py >.gitignore
same "$(id p)" "$tree"
# outside of a work tree only what lies inside the directory acts
cp -r p "$scratch/outside/p" && rm -rf "$scratch/outside/p/.git"
echo '*.py' >"$scratch/outside/.aicertignore"
outside=$(cd "$scratch/outside" && id p)
[ "$outside" != "$tree" ] || die "rules of the work tree acted outside of it"
rm p/keep/.aicertignore && ln -s /etc/passwd p/keep/.aicertignore
fails 3 aicert hash-object p
err_has p/keep
err_has .aicertignore
done_testing
