#!/bin/sh
# Remotes: the common suite over a hub, and what only hubs have: rights, public refs, tokens
# that go nowhere else.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null && command -v curl >/dev/null || exit 77
. "$source_dir/tests/cli/remote-suite.sh"
trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
daemons=

token() { printf %s-secret "$1" | sha256sum | cut -d' ' -f1; }
( umask 077
	cat >tokens <<END
ada sha256:$(token ada) write,force
bob sha256:$(token bob) read
cy sha256:$(token cy) write
END
	for who in ada bob cy; do echo "$who-secret" >"token-$who"; done
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hub.key -out hub.pem \
		-subj /CN=hub -addext subjectAltName=IP:127.0.0.1,DNS:localhost -days 2 2>/dev/null )

# hub NAME: a daemon of its own; $remote_url
hub() {
	cat >"$scratch/$1.conf" <<END
[daemon]
	listen = 127.0.0.1:0
	store = $scratch/hubs/$1
	tpm = none
	tokenFile = $scratch/tokens
	tlsCert = $scratch/hub.pem
	tlsKey = $scratch/hub.key
[hub]
	public = refs/heads/public
END
	mkdir -p "$scratch/hubs"
	mkfifo "$scratch/ready-$1"
	aicertd --config "$scratch/$1.conf" --ready-fd 3 3>"$scratch/ready-$1" 2>>"$scratch/daemon.log" &
	daemons="$daemons $!"
	read -r line <"$scratch/ready-$1"
	remote_url=${line#aicertd: listening on }
	case $remote_url in https://*) ;; *) die "the daemon says: $line" ;; esac
}

large=yes
options="--token-file $scratch/token-ada --ca $scratch/hub.pem"
remote_new() { hub "$1"; }
remote_suite

# without a token, with one that may only read, with one that may not force
hub rights
cd "$scratch/builder" || exit 99
ok aicert remote add --ca "$scratch/hub.pem" rights "$remote_url"
fails 3 aicert ls-remote rights
err_has 'asks for a token'
ok aicert remote set-url --token-file "$scratch/token-bob" rights "$remote_url"
fails 3 aicert push rights main
ok aicert remote set-url --token-file "$scratch/token-cy" rights "$remote_url"
ok aicert push rights main
ok aicert push rights main:refs/heads/public
fails 3 aicert push --force rights side~1:refs/heads/main
err_has 'force'
chmod 644 "$scratch/token-cy"
fails 3 aicert ls-remote rights
err_has 'others may read it'
chmod 600 "$scratch/token-cy"

# what is public can be cloned by anybody; contents that come later are opened, too
(
	XDG_CONFIG_HOME=$scratch/nobody
	ok aicert clone --ca "$scratch/hub.pem" "$remote_url" "$scratch/public"
	cd "$scratch/public"
	same "$(aicert branch | tr -d ' *')" "$(aicert rev-parse HEAD | cut -c1-12)public"
	ok aicert fsck
	hash=$(sha256sum "$scratch/builder/big" | cut -d' ' -f1)
	ok aicert cat-file -p "$hash"
	[ "$failures" = 0 ]
) || failures=$((failures + 1))
hub later
ok aicert remote add $options later "$remote_url"
ok aicert push --blobs none later main:refs/heads/public
hash=$(sha256sum "$scratch/builder/big" | cut -d' ' -f1)
same "$(curl -s -o "$scratch/out" -w '%{http_code}' --cacert "$scratch/hub.pem" "$remote_url/v1/objects/$hash")" 401
ok aicert push --blobs outputs later main:refs/heads/public
same "$(curl -s -o "$scratch/out" -w '%{http_code}' --cacert "$scratch/hub.pem" "$remote_url/v1/objects/$hash")" 200

# a hub that nobody vouches for; plain http; a password in the url
(
	XDG_CONFIG_HOME=$scratch/nobody2
	fails 3 aicert ls-remote "$remote_url"
	[ "$failures" = 0 ]
) || failures=$((failures + 1))
fails 2 aicert ls-remote "http://127.0.0.1/"
err_has 'only https://'
fails 2 aicert remote add secret https://ada:ada-secret@localhost/
err_has 'does not carry a password'

# the repository's own config names no token: it is heard of the user alone
printf '[hub "%s"]\n\ttokenfile = %s\n' "$remote_url" "$scratch/token-ada" >>.aicert/config
(
	XDG_CONFIG_HOME=$scratch/nobody3
	mkdir -p "$XDG_CONFIG_HOME/aicert"
	printf '[hub "%s"]\n\tcafile = %s\n' "$remote_url" "$scratch/hub.pem" >"$XDG_CONFIG_HOME/aicert/config"
	fails 3 aicert push later main
	[ "$failures" = 0 ]
) || failures=$((failures + 1))

# many small objects travel in few requests
mkdir many
i=0
while [ $i -lt 3000 ]; do echo "file $i" >"many/$i"; i=$((i + 1)); done
spec many.yaml 'cp -r many copies' '{path: many/}' '{path: copies/}'
ok aicert commit -f many.yaml -m many
before=$(grep -c . "$scratch/daemon.log")
ok aicert push later main
ok aicert clone -q "$remote_url" "$scratch/many-copy"
after=$(grep -c . "$scratch/daemon.log")
checks=$((checks + 1))
[ $((after - before)) -lt 300 ] || die "$((after - before)) requests for 3000 small objects"
(cd "$scratch/many-copy" && aicert checkout HEAD -- copies && diff -r copies "$scratch/builder/many") ||
	die 'the many files are not those that were sent'

done_testing
