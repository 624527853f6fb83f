#!/bin/sh
# aicert commit: a run, its outputs, its history; and runs that fail.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
echo hello >in.txt
spec aicert.yaml "cat in.txt in.txt > out.txt; echo said" \
	"{path: in.txt, kind: dataset}" "{path: out.txt, kind: dataset}"

ok aicert commit -m "first run"
out_has said
out_has "first run"
same "$(cat out.txt)" "hello
hello"
ok aicert log --oneline
same "$(wc -l <../out)" 1
out_has "first run"
ok aicert show HEAD
out_has "out.txt"
out_has "test@localhost"
ok aicert rev-parse HEAD
first=$(cat ../out)
same "${#first}" 64
ok aicert status
out_has "nothing differs"
ok aicert fsck
# an input that is not there is one more difference
mv in.txt elsewhere && echo changed >>out.txt
ok aicert status
out_has "missing   input   in.txt"
out_has "modified  output  out.txt"
out_lacks dropped
mv elsewhere in.txt && ok aicert checkout -f HEAD out.txt

# the commit's objects are what they say, for other tools too
same "$(aicert cat-file -p HEAD | sha256sum | cut -c1-64)" "$first"
same "$(aicert cat-file -t HEAD)" commit
certificate=$(aicert cat-file -p HEAD | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')
same "$(aicert cat-file -p "$certificate" | sha256sum | cut -c1-64)" "$certificate"
same "$(aicert cat-file -t "$certificate")" certificate

# the same again: a second commit on top
ok aicert commit -m "second run"
ok aicert rev-parse HEAD~1
same "$(cat ../out)" "$first"
same "$(aicert log -n 1 --oneline | wc -l)" 1
same "$(aicert log --json | wc -l)" 2
same "$(aicert log --oneline out.txt | wc -l)" 2
same "$(aicert log --oneline aicert.yaml | wc -l)" 0
fails 2 aicert log --oneline --json
fails 2 aicert commit -m ""
err_has "the message is empty"
fails 2 aicert commit -m "$(printf ' \n\t ')"
fails 2 aicert pull --merge -m ""
fails 2 aicert log --failed -n 1

# a changed output of a recorded run is replaced, anything else is kept
echo mine >out.txt
ok aicert commit -m "third run"
err_has "out.txt.orig"
same "$(cat out.txt.orig)" mine
ok aicert commit -m "$(printf 'fourth run\nand why')"
same "$(sed -n 's/^\[[0-9a-f]*\] //p' ../out)" "fourth run"
checks=$((checks + 1))
[ ! -e out.txt.orig.1 ] || die "a recorded output was kept as .orig"

# failures: nothing is committed, the certificate is kept
head=$(aicert rev-parse HEAD)
spec bad.yaml "echo broken; exit 7" "" "made.txt"
fails 1 aicert commit -f bad.yaml -m "fails"
err_has "code 7"
same "$(aicert rev-parse HEAD)" "$head"
ok aicert log --failed
same "$(wc -l <../out)" 1
failed=$(cut -d' ' -f1 ../out)
ok aicert show "$failed"
out_has "exit code 7"
fails 1 aicert verify --min-level simulated "$failed"
out_has run.exit

spec missing.yaml "true" "" "never.txt"
fails 1 aicert commit -f missing.yaml
err_has never.txt
for run in $(aicert log --failed | cut -d' ' -f1); do
	[ "$run" = "$failed" ] || fails 1 aicert verify --min-level simulated "$run"
done
out_has "1 output, of which 1 was not there when the command had ended"
out_has "certificate  "
ok aicert log --failed
out_has "exited 7  sh -c 'echo broken; exit 7'"
out_has "exited 0, output missing: never.txt  sh -c true"
spec link.yaml "ln -s /etc/passwd made.txt" "" "made.txt"
fails 1 aicert commit -f link.yaml
err_has made.txt
checks=$((checks + 1))
[ ! -e made.txt ] || die "a symlink came out"
cat >sockets.yaml <<'Y'
version: 1
image: host
command: [python3, -c, "import os, socket; os.mkdir('d'); socket.socket(socket.AF_UNIX).bind('d/s')"]
outputs: [d/]
Y
fails 1 aicert commit -f sockets.yaml
err_has "d"
printf 'version: 1\nimage: host\ncommand: [/no/such/program]\noutputs: [x]\n' >nocmd.yaml
fails 1 aicert commit -f nocmd.yaml
err_has "not-started"
spec killed.yaml "sleep 1.1; kill -9 \$\$" "" "x"
fails 1 aicert commit -f killed.yaml
ok aicert log --failed
same "$(sed -n '1s/.* sh -c/sh -c/p' ../out)" "sh -c 'sleep 1.1; kill -9 \$\$'"
same "$(cut -d' ' -f2 ../out)" "$(cut -d' ' -f2 ../out | sort -r)"
same "$(aicert rev-parse HEAD)" "$head"
ok aicert fsck

# an output that could not be written stops the commit before the run
ln -s /tmp linked
spec through.yaml "echo x" "" "linked/o.txt"
fails 3 aicert commit -f through.yaml
err_has "linked"
same "$(aicert rev-parse HEAD)" "$head"

# what the store lost is not thrown away in the work tree
head -c 100000 /dev/urandom >seed
spec big.yaml "cat seed > big.bin" "{path: seed, kind: dataset}" "big.bin"
ok aicert commit -q -f big.yaml -m big
big=$(sha256sum <big.bin | cut -c1-64)
rm -f ".aicert/objects/$(echo "$big" | cut -c1-2)/$(echo "$big" | cut -c3-)"
head -c 100000 /dev/urandom >seed
ok aicert commit -q -f big.yaml -m "big again"
same "$(sha256sum <big.bin.orig | cut -c1-64)" "$big"

# who commits must be known
git config --unset user.email
fails 2 aicert commit
err_has user.email
# on a terminal the command's output is no terminal's command; elsewhere it is what it is
new_repo terminal
cat >say <<'END'
printf '\033[31mred\033[0m \033]0;title\007\n' | tee out
END
spec aicert.yaml 'sh say' say out
if command -v script >/dev/null || { untried "script(1) is missing"; false; }; then
	ok script -qefc "aicert commit -m terminal" /dev/null
	out_has "$(printf '\033[31mred\033[0m \\x1b]0;title\\x07')"
	out_lacks "$(printf '\033]0')"
fi
ok aicert commit -m pipe
out_has "$(printf '\033]0;title\007')"
done_testing
