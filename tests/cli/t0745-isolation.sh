#!/bin/sh
# What a tenant's command reaches of the machine that runs it: nothing of the store, the
# TPM, the daemon, other tenants, the network and the host's files.  Every attempt is first
# shown to succeed outside of the sandbox, so that it can succeed at all.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
make_token bob
start_daemon gpu
port=${url##*:}
for who in alice bob; do
	ok aicert runner add --min-level simulated --token-file "$scratch/$who.token" $who "$url"
done
new_repo repo
cat >probe.py <<'END'
import glob, os, socket, sys
def attempt(what, how):
    try:
        how()
        print("reached", what, flush=True)
    except (OSError, ValueError) as e:
        print("not", what, type(e).__name__, flush=True)
def read(path):
    with open(path, "rb") as f:
        f.read(1)
def some(pattern):
    found = glob.glob(pattern)
    if not found:
        raise ValueError("nothing")
    read(found[0])
def unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
store, tpm, port, pid, tokens, sock, secret, pwd = sys.argv[1:]
attempt("store", lambda: read(store + "/objects/small.db"))
attempt("ledger", lambda: read(store + "/serve/ledger.db"))
attempt("logs", lambda: some(store + "/serve/logs/*"))
attempt("tokens", lambda: read(tokens))
attempt("tpm", lambda: some(tpm + "/*"))
attempt("socket", lambda: unix(sock))
attempt("port", lambda: socket.create_connection(("127.0.0.1", int(port)), timeout=3))
attempt("port6", lambda: socket.create_connection(("::ffff:127.0.0.1", int(port)), timeout=3))
attempt("daemon", lambda: os.kill(int(pid), 0))
attempt("environ", lambda: read("/proc/" + pid + "/status"))
attempt("repository", lambda: read(pwd + "/secret.txt"))
attempt("host", lambda: read("/var/lib/dpkg/status"))
attempt("other", lambda: read(secret))
END
python3 - "$scratch/sock" <<'END' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(8)
time.sleep(300)
END
daemons="$daemons $!"
until_true 20 test -S "$scratch/sock"

# another tenant's run, with a secret that is large enough to be a file of its own
head -c 100000 /dev/urandom >secret.txt
spec bob.yaml "echo of bob; cp secret.txt bob.out" "secret.txt" "bob.out"
ok aicert commit -q -f bob.yaml -r bob -m "bob's"
id=$(sha256sum secret.txt | cut -d' ' -f1)
secret="$scratch/gpu.store/.aicert/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)"
same "$(sha256sum "$secret" | cut -d' ' -f1)" "$id"

set -- "$scratch/gpu.store/.aicert" "$scratch/gpu.tpm" "$port" "$daemon" "$scratch/tokens" \
	"$scratch/sock" "$secret" "$PWD"
python3 probe.py "$@" >"$scratch/out" 2>"$scratch/err"
for what in store ledger logs tokens tpm socket port port6 daemon environ repository host other; do
	grep -qx "reached $what" "$scratch/out" || die "outside, $what is not reached: the test is wrong"
done
spec probe.yaml "python3 probe.py $(echo "$*") | tee probe.txt" "probe.py" "probe.txt"
ok aicert commit -q -f probe.yaml -r alice -m "a curious command"
checks=$((checks + 1))
[ "$(grep -c '^not' probe.txt)" = 13 ] && ! grep reached probe.txt || {
	cp probe.txt "$scratch/out"
	die "the command reaches what it must not"
}
ok aicert verify --min-level simulated probe.txt

# the object of another tenant cannot be had by its name either

checks=$((checks + 1))
! curl -skf -o "$scratch/out" -H "Authorization: Bearer $(cat "$scratch/alice.token")" \
	"$url/v1/objects/$id" || die "an object of bob's was given to alice"

# a work tree beneath what the host's image shows is not shown: what is read is declared
if mkdir "/opt/aicert-test-$$" 2>/dev/null; then
	trap 'rm -rf "/opt/aicert-test-$$"; chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
	cd "/opt/aicert-test-$$" || exit 99
	git init -q . && git config user.name x && git config user.email x@localhost
	aicert init -q && echo declared >in && echo secret >undeclared
	spec aicert.yaml "cat in >out; cat $PWD/undeclared $PWD/.aicert/config >>out 2>/dev/null; ls /opt >>out" in out
	ok aicert commit -q -m hidden
	checks=$((checks + 2))
	grep -q declared out && ! grep -q -e secret -e store out || die "the command read what is not declared"
	grep -q "aicert-test-$$" out || die "/opt was not there: what is said of it says nothing"
	cd "$scratch" || exit 99
else
	untried "nothing can be put beneath /opt"
fi
done_testing
