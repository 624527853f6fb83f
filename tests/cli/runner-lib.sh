# Shared by the tests of remote runners: a daemon on an address of this machine,
# with a store, a TPM and a token of its own.  Sourced after lib.sh.
for tool in openssl python3; do
	command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done

# make_token NAME: $scratch/NAME.token for a client, a line for the daemon
make_token() {
	(umask 077 && openssl rand -hex 32 >"$scratch/$1.token" &&
		printf '%s sha256:%s %s\n' "$1" \
			"$(printf %s "$(cat "$scratch/$1.token")" | sha256sum | cut -d' ' -f1)" \
			"${2:-run}" >>"$scratch/tokens")
}

# start_daemon NAME [PORT]: $daemon, $url; its store and TPM are $scratch/NAME.*
start_daemon() {
	rm -f "$scratch/$1.ready"
	mkfifo "$scratch/$1.ready"
	${daemon_prefix:-} aicertd --store "$scratch/$1.store/.aicert" --listen "${listen:-127.0.0.1}:${2:-0}" \
		--tpm "${tpm:-embedded:$scratch/$1.tpm}" --token-file "$scratch/tokens" --ready-fd 3 \
		${daemon_options:-} 3>"$scratch/$1.ready" 2>>"$scratch/$1.log" &
	daemon=$!
	daemons="${daemons:-} $daemon"
	while read -r line; do
		case $line in
		"aicertd: listening on "*) url=${line#aicertd: listening on } && return ;;
		esac
		echo "$line"
	done <"$scratch/$1.ready"
	echo "the daemon does not start"
	sed 's/^/    | /' "$scratch/$1.log"
	exit 99
}

# stop_daemon [SIGNAL]
stop_daemon() {
	kill "-${1:-TERM}" "$daemon"
	wait "$daemon" 2>/dev/null
}

trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
make_token alice

# start_peer NAME tcp|http BACKEND-PORT [CERT KEY]: $peer, $peer_port, what it reads in
# $scratch/NAME
start_peer() {
	mkdir -p "$scratch/$1"
	echo "$3" >"$scratch/$1/backend"
	rm -f "$scratch/$1/port"
	python3 "$source_dir/tests/cli/peer.py" "$2" "$scratch/$1" ${4:+"$4" "$5"} &
	peer=$!
	daemons="${daemons:-} $peer"
	until_true 20 test -s "$scratch/$1/port"
	peer_port=$(cat "$scratch/$1/port")
}

# make_key NAME: $scratch/NAME.pem and .key, self-signed
make_key() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -days 30 \
		-keyout "$scratch/$1.key" -out "$scratch/$1.pem" 2>/dev/null || exit 99
	chmod 600 "$scratch/$1.key"
}
