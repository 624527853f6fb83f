#!/bin/sh
# What one client costs a daemon, and takes from the others, is bounded: memory, the lease,
# connections, the queue, the TPM, parts of objects.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }
make_token bob

# req STATUS USER PATH [CURL-OPTION...]
req() {
	want=$1 user=$2 path=$3
	shift 3
	checks=$((checks + 1))
	[ "$user" = - ] || set -- -H "Authorization: Bearer $(cat "$scratch/$user.token")" "$@"
	got=$(curl -sk -D "$scratch/headers" -o "$scratch/out" -w '%{http_code}' --max-time 60 "$@" \
		"$url$path") || got="$got (curl: $?)"
	: >"$scratch/err"
	[ "$got" = "$want" ] || die "$user $path $*: status $got, expected $want"
}
memory_of() { sed -n "s/^$2:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$1/status"; }

# --- questions about many objects ---
python3 - "$scratch" <<'END'
import hashlib, json, sys
ids = ["sha256:" + hashlib.sha256(b"%d" % i).hexdigest() for i in range(100000)]
document = {"mediaType": "application/vnd.aicert.object-list.v1+json", "objects": ids}
open(sys.argv[1] + "/list", "w").write(json.dumps(document, separators=(",", ":")))
END
start_daemon bounds
req 200 alice /v1/objects/missing --data-binary @"$scratch/list"
same "$(sha256sum <"$scratch/out")" "$(sha256sum <"$scratch/list")"
once=$(memory_of "$daemon" VmHWM)
asking=
for i in 1 2 3 4 5 6 7 8; do
	curl -sk -o "$scratch/answer$i" -w '%{http_code}\n' -H "Authorization: Bearer $(cat "$scratch/alice.token")" \
		--data-binary @"$scratch/list" "$url/v1/objects/missing" >"$scratch/status$i" &
	asking="$asking $!"
done
wait $asking
same "$(cat "$scratch"/status? | sort | uniq -c | tr -s ' ')" " 8 200"
eight=$(memory_of "$daemon" VmHWM)
checks=$((checks + 1))
grep -q __asan_init "$build/aicertd" || [ "$eight" -lt $((once + 150000)) ] || die "8 questions at once: $once KiB became $eight"
echo "# 100,000 ids: $once KiB, 8 times at once: $eight KiB"
# nobody relies on what is not here
checks=$((checks + 1))
leases=$(cat "$scratch"/bounds.store/.aicert/tmp/lease-* | wc -c)
[ "$leases" -lt 100000 ] || die "the lease has $leases bytes"
# more than there is room for are told to come back
python3 - "${url#https://}" "$(cat "$scratch/alice.token")" <<'END' || die "documents without end"
import socket, ssl, sys
host, port = sys.argv[1].rsplit(":", 1)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
held, told = [], 0
for i in range(20):
    s = context.wrap_socket(socket.create_connection((host, int(port))))
    s.sendall((f"POST /v1/objects/missing HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {sys.argv[2]}\r\n"
               f"Content-Length: {8 << 20}\r\n\r\n").encode())
    s.settimeout(0.3 if i < 16 else 10.0)
    try:
        answer = s.recv(4096)
        if not answer.startswith(b"HTTP/1.1 429 ") or b"Retry-After" not in answer:
            sys.exit(f"connection {i}: {answer!r}")
        told += 1
    except TimeoutError:
        held.append(s)
if len(held) != 16 or told != 4:
    sys.exit(f"{len(held)} held, {told} told")
END
# those who left make room, as soon as the daemon sees that they are gone
again() {
	[ "$(curl -sk -o "$scratch/out" -w '%{http_code}' -H "Authorization: Bearer $(cat "$scratch/alice.token")" \
		--data-binary @"$scratch/list" "$url/v1/objects/missing")" = 200 ]
}
until_true 20 again
same "$(sha256sum <"$scratch/out")" "$(sha256sum <"$scratch/list")"
stop_daemon

# --- the log of a run that the daemon did not live to see the end of ---
python3 - "$scratch" <<'END'
import json, sys
script = "i=0; while [ $i -lt 5 ]; do i=$((i + 1)); seq ${i}000000 ${i}999999; done; echo last; while ! test -e never; do sleep 0.05; done"
spec = {"command": ["sh", "-c", script], "env": {}, "image": "host", "imageFile": None, "inputs": [],
        "limits": {"cpuMillis": None, "memoryBytes": None, "shmBytes": None, "timeSeconds": None},
        "outputs": [{"kind": "file", "path": "o", "type": "blob"}], "version": 1}
document = {"mediaType": "application/vnd.aicert.run-request.v1+json", "nonce": "07" * 32, "spec": spec}
open(sys.argv[1] + "/long", "w").write(json.dumps(document, separators=(",", ":"), sort_keys=True))
END
start_daemon bounds
req 201 alice /v1/runs --data-binary @"$scratch/long"
run=$(sed 's/.*"run":"\([0-9a-f]*\)".*/\1/' "$scratch/out")
logged() {
	curl -sk -H "Authorization: Bearer $(cat "$scratch/alice.token")" "$url/v1/runs/$run" |
		grep -q '"log":40000005,"logDropped":6445573,'
}
until_true 60 logged
stop_daemon KILL
start_daemon bounds
req 200 alice "/v1/runs/$run"
out_has '"state":"interrupted"'
out_has '"log":40000005,"logDropped":6445573,'
for i in 1 2 3 4 5; do seq ${i}000000 ${i}999999; done >"$scratch/whole"
echo last >>"$scratch/whole"
req 200 alice "/v1/runs/$run/log"
same "$(sha256sum <"$scratch/out")" "$(head -c 16777216 "$scratch/whole" | sha256sum)"
req 200 alice "/v1/runs/$run/log?offset=16777216"
same "$(sha256sum <"$scratch/out")" "$(tail -c 16777216 "$scratch/whole" | sha256sum)"
rm "$scratch/whole"
stop_daemon

# --- who does not read what he asked for is not waited for; who follows a silent run is ---
head -c 20000000 /dev/urandom >"$scratch/big"
big=$(sha256sum "$scratch/big" | cut -d' ' -f1)
cat >"$scratch/conf" <<'END'
[http]
	stallTimeout = 2
	requestsPerPrincipal = 3
END
daemon_options="--config $scratch/conf"
start_daemon bounds
req 201 alice "/v1/objects/$big" -T "$scratch/big"
old=$run
sed 's/seq \${i}000000 \${i}999999;/:;/' "$scratch/long" >"$scratch/silent"
req 201 alice /v1/runs --data-binary @"$scratch/silent"
run=$(sed 's/.*"run":"\([0-9a-f]*\)".*/\1/' "$scratch/out")
cat >"$scratch/slow.py" <<'END'
import socket, ssl, sys, time
host, port = sys.argv[1].rsplit(":", 1)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE

def ask(path, room=4096):
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    raw.connect((host, int(port)))
    s = context.wrap_socket(raw)
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {sys.argv[2]}\r\n\r\n".encode())
    s.settimeout(5)
    return s

def rest(s):
    n = 0
    try:
        while block := s.recv(65536):
            n += len(block)
    except (OSError, ssl.SSLError):
        pass
    return n

for path in sys.argv[4:]:
    s = ask(path)
    s.recv(100)
    time.sleep(4.5)
    n = rest(s)
    if n > 8000000:
        sys.exit(f"{path}: {n} bytes came after a rest of 4.5 s")
# slow, but not too slow; in more room, since a window below a segment moves by timers alone
s = ask(sys.argv[4], 65536)
for _ in range(60):
    if not s.recv(8192):
        sys.exit("who reads slowly was cut off")
    time.sleep(0.1)
s.close()
# silent, and nobody's fault
s = ask(sys.argv[3])
s.recv(4096)
s.settimeout(5)
try:
    while s.recv(4096):
        pass
    sys.exit("who follows a silent run was cut off")
except TimeoutError:
    pass
END
checks=$((checks + 1))
python3 "$scratch/slow.py" "${url#https://}" "$(cat "$scratch/alice.token")" "/v1/runs/$run/log?follow=1" \
	"/v1/objects/$big" "/v1/runs/$old/log" "/v1/runs/$old/log?follow=1" || die "slow readers"
# requests of one principal
follow() { # who is told to come back, since a question is being answered, does
	while curl -skf -o /dev/null --max-time 60 -H "Authorization: Bearer $(cat "$scratch/alice.token")" \
		"$url/v1/runs/$run/log?follow=1"; [ $? = 22 ]; do
		sleep 0.2
	done
}
for i in 1 2 3; do
	follow &
	daemons="$daemons $!"
done
held() { [ "$(curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$scratch/alice.token")" "$url/v1/runs")" = 429 ]; }
until_true 20 held
req 200 bob /v1/runs
req 200 - /healthz
grep -q '^Max core file size  *0  *0 ' "/proc/$daemon/limits" || die "it may leave a core file"
stop_daemon

# --- the queue, and what a run may ask for ---
cat >"$scratch/conf" <<'END'
[run]
	queue = 3
	queuePerPrincipal = 2
	maxSeconds = 60
	maxMemory = 64m
END
start_daemon bounds
req 422 alice /v1/runs --data-binary @"$scratch/silent"
out_has "limits: time"
limit() { # SECONDS BYTES
	sed "s/\"timeSeconds\":null/\"timeSeconds\":$1/; s/\"memoryBytes\":null/\"memoryBytes\":$2/" \
		"$scratch/silent" >"$scratch/limited"
}
limit 61 67108864
req 422 alice /v1/runs --data-binary @"$scratch/limited"
out_has "limits: time"
limit 60 null
req 422 alice /v1/runs --data-binary @"$scratch/limited"
out_has "limits: memory"
limit 60 67108865
req 422 alice /v1/runs --data-binary @"$scratch/limited"
# a runner that cannot enforce a limit refuses it when it comes to it: the queue is another matter
stop_daemon
sed -i '/max/d' "$scratch/conf"
start_daemon bounds
for i in 1 2 3; do
	req 201 alice /v1/runs --data-binary @"$scratch/silent"
	[ $i != 1 ] || until_true 20 sh -c "curl -sk -H 'Authorization: Bearer $(cat "$scratch/alice.token")' \
		'$url/v1/runs' | grep -q '\"state\":\"running\"'"
done
req 429 alice /v1/runs --data-binary @"$scratch/silent"
out_has "of yours"
req 201 bob /v1/runs --data-binary @"$scratch/silent"
req 429 bob /v1/runs --data-binary @"$scratch/silent"
stop_daemon
rm -rf "$scratch/bounds.store"

# --- parts of objects ---
cat >"$scratch/conf" <<'END'
[objects]
	parts = 3
	partsKept = 3
END
start_daemon bounds
parts=$scratch/bounds.store/.aicert/tmp/upload
part() { # STATUS USER NUMBER
	req "$1" "$2" "/v1/objects/$(printf '%064d' "$3")" -T "$scratch/conf" -H \
		"Content-Range: bytes 0-$(($(wc -c <"$scratch/conf") - 1))/1000000"
}
for i in 1 2 3; do part 202 alice $i; done
part 413 alice 4
part 202 bob 4
part 409 alice 3 # it is continued, or not, as before
none() { ! ls "$parts"/*-alice; }
until_true 20 none
part 202 alice 4
# all bytes are here, and the daemon ended before it could say so
head -c 100000 /dev/urandom >"$scratch/whole.part"
hex=$(sha256sum "$scratch/whole.part" | cut -d' ' -f1)
mkdir -p "$parts"
cp "$scratch/whole.part" "$parts/$hex-alice"
chmod 600 "$parts/$hex-alice"
req 404 alice "/v1/objects/$hex" -I
grep -qi '^Upload-Offset: 100000' "$scratch/headers" || die "the part is not told of"
chmod 700 "$parts/$hex-alice"
req 404 bob "/v1/objects/$hex" -I
req 200 alice "/v1/objects/$hex" -I
req 200 alice "/v1/objects/$hex"
same "$(sha256sum <"$scratch/out" | cut -d' ' -f1)" "$hex"
req 404 bob "/v1/objects/$hex"
[ ! -e "$parts/$hex-alice" ] || die "the part is there still"
# other bytes are no object, and no part
wrong=$(printf '%064d' 5)
mkdir -p "$parts"
cp "$scratch/whole.part" "$parts/$wrong-alice"
chmod 700 "$parts/$wrong-alice"
req 404 alice "/v1/objects/$wrong" -I
! grep -qi '^Upload-Offset' "$scratch/headers" || die "wrong bytes are kept"
[ ! -e "$parts/$wrong-alice" ] || die "wrong bytes are kept"
fails 2 aicert runner add --min-level confidential gpu "$url"
err_has "hardware report"
stop_daemon

# --- the unit's user is made by what is installed ---
same "$(sed -n 's/^User=//p' "$source_dir/share/aicertd.service")" \
	"$(sed -n 's/^u \([a-z]*\) .*/\1/p' "$source_dir/share/sysusers/aicertd.conf")"
if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$scratch/root/etc"
	ok systemd-sysusers --root="$scratch/root" "$source_dir/share/sysusers/aicertd.conf"
	grep -q '^aicertd:.*:/var/lib/aicertd:' "$scratch/root/etc/passwd" || die "no user aicertd was made"
fi
done_testing
