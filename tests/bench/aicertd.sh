#!/bin/sh
# How fast a daemon takes and gives a large object over TLS 1.3 on the loopback, beside
# nginx giving the same file in the same run; peak memory of the daemon; and a whole
# commit on it.  BENCH_SIZE is the size of the object in MiB (2048), BENCH_RUNS how often.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
size=${BENCH_SIZE:-2048} runs=${BENCH_RUNS:-3}
command -v curl >/dev/null || exit 77
daemons=
auth="Authorization: Bearer $(cat "$scratch/alice.token")"

# fastest URL [CURL-OPTION...]: bytes a second, the best of the runs
fastest() {
	best=0 n=0
	while [ $n -lt "$runs" ]; do
		rate=$(curl -sk -o /dev/null -H "$auth" --tlsv1.3 -w '%{speed_download} %{speed_upload}\n' "$@" |
			awk '{ printf "%.0f\n", ($1 > $2 ? $1 : $2) }')
		[ "$rate" -gt "$best" ] && best=$rate
		n=$((n + 1))
	done
	echo "$best"
}
line() { printf '%-58s %8.0f MB/s\n' "$1" "$(echo "$2" | awk '{ print $1 / 1000000 }')"; }
ratio() { printf '%-58s %8s   (%s)\n' "  $1" "$(echo "$2 $3" | awk '{ printf "%.2f", $1 / ($2 > 0 ? $2 : 1) }')" "$4"; }

mkdir "$scratch/www"
openssl enc -aes-128-ctr -K 00 -iv 01 -in /dev/zero 2>/dev/null | head -c $((size * 1048576)) >"$scratch/www/file"
id=$(openssl dgst -sha256 -r "$scratch/www/file" | cut -d' ' -f1)
echo "# $(nproc) processors, $(uname -r), $(date -u +%Y-%m-%d), load $(cut -d' ' -f1 /proc/loadavg)"
echo "## an object of $size MiB, TLS 1.3, loopback"
start_daemon bench
runs=1 up=$(fastest -T "$scratch/www/file" "$url/v1/objects/$id")
line "aicertd, upload, hashed and synced" "$up"
down=$(fastest "$url/v1/objects/$id")
line "aicertd, download" "$down"
if command -v nginx >/dev/null; then
	make_key localhost
	cat >"$scratch/nginx.conf" <<END
worker_processes 2;
pid $scratch/nginx.pid;
error_log $scratch/nginx.log;
events { worker_connections 64; }
http {
	access_log off;
	sendfile on;
	client_body_temp_path $scratch/nginx-body;
	proxy_temp_path $scratch/nginx-proxy;
	fastcgi_temp_path $scratch/nginx-fastcgi;
	uwsgi_temp_path $scratch/nginx-uwsgi;
	scgi_temp_path $scratch/nginx-scgi;
	server {
		listen 127.0.0.1:18443 ssl;
		ssl_protocols TLSv1.3;
		ssl_certificate $scratch/localhost.pem;
		ssl_certificate_key $scratch/localhost.key;
		root $scratch/www;
	}
}
END
	chmod 755 "$scratch" "$scratch/www"
	nginx -c "$scratch/nginx.conf" -g 'daemon off; user root;' 2>"$scratch/err" &
	daemons="$daemons $!"
	until_true 10 curl -skI https://127.0.0.1:18443/file
	theirs=$(fastest https://127.0.0.1:18443/file)
	line "nginx, download" "$theirs"
	ratio "aicertd / nginx" "$down" "$theirs" ">= 0.8"
else
	echo "nginx is not installed: nothing to compare with"
fi
echo "aicertd, peak memory: $(sed -n 's/^VmHWM:[^0-9]*//p' "/proc/$daemon/status")"

echo "## a commit on it: an input and an output of that size"
aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url" >/dev/null
new_repo repo
mv "$scratch/www/file" in.bin
spec copy.yaml "cp in.bin out.bin" "in.bin" "out.bin"
stop_daemon
chmod -R u+w "$scratch/bench.store" && rm -rf "$scratch/bench.store"
start_daemon bench "${url##*:}"
/usr/bin/time -f '%e s, %M KiB by the client' aicert commit -q -f copy.yaml -r gpu -m copy
echo "aicertd, peak memory: $(sed -n 's/^VmHWM:[^0-9]*//p' "/proc/$daemon/status")"
