#!/bin/sh
# Wrong specs and wrong inputs: a clear place and reason, nothing run.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r

fails 2 aicert commit
err_has aicert.yaml
fails 2 aicert commit -f absent.yaml
err_has absent.yaml

# refused STATUS TEXT: the spec on stdin is refused with TEXT on stderr
refused() {
	cat >s.yaml
	fails "$1" aicert commit -f s.yaml
	err_has "$2"
}
refused 2 "s.yaml:4:1:" <<'Y'
version: 1
image: host
command: [true]
inptus: []
outputs: [x]
Y
refused 2 "s.yaml:4:1:" <<'Y'
version: 1
image: host
command: [true]
image: host
outputs: [x]
Y
refused 2 "s.yaml:1:" <<'Y'
version: 2
image: host
command: [true]
outputs: [x]
Y
refused 2 "s.yaml:3:" <<'Y'
version: 1
image: host
command: true
outputs: [x]
Y
refused 2 "s.yaml:4:" <<'Y'
version: 1
image: host
command: [true]
inputs: [/etc/passwd]
outputs: [x]
Y
refused 2 "s.yaml:4:" <<'Y'
version: 1
image: host
command: [true]
inputs: [{path: ../up, kind: dataset}]
outputs: [x]
Y
refused 2 "s.yaml:5:" <<'Y'
version: 1
image: host
command: [true]
inputs: [{path: x, kind: dataset}]
outputs: [x]
Y
refused 2 "s.yaml:" <<'Y'
version: 1
image: host
command: [true]
outputs: &a [x, *a]
Y
input() {
	printf 'version: 1\nimage: host\ncommand: [true]\ninputs: [{path: %s, kind: dataset}]\noutputs: [x]\n' "$1" >s.yaml
	fails 2 aicert commit -f s.yaml
	err_has "s.yaml:4:"
	err_has "$1"
}
input absent
ln -s /etc/passwd outside && input outside
mkfifo pipe && input pipe
mkdir hasgit && mkdir hasgit/.git && touch hasgit/.git/x && input hasgit
ln -s . loop && input loop/pipe
fails 3 aicert rev-parse HEAD
fails 2 aicert commit -r nowhere
ok aicert fsck
done_testing
