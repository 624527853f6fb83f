#!/bin/sh
# Remotes: a bucket that nginx hands out, read over https; git's own http server behind nginx
# with a password; git over ssh.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null && command -v nginx >/dev/null || { echo "nginx is missing"; exit 77; }
. "$source_dir/tests/cli/remote-suite.sh"
trap 'kill $pids 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
pids=
unset GIT_SSL_CAINFO GIT_SSL_CAPATH SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_port() {
	tries=0
	while ! python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1)" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || { die "nothing listens on port $1"; return 1; }
		sleep 0.1
	done
}

( umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -out web.pem \
	-subj /CN=web -addext subjectAltName=IP:127.0.0.1,DNS:localhost -days 2 2>/dev/null )
port=$(free_port)
cgi=$scratch/fcgi.sock
printf 'ada:%s\n' "$(openssl passwd -apr1 secret)" >htpasswd
mkdir -p www logs git
backend=/usr/lib/git-core/git-http-backend
cat >nginx.conf <<END
daemon off;
worker_processes 1;
pid $scratch/nginx.pid;
error_log $scratch/logs/error.log;
user $(id -un);
events {}
http {
	access_log $scratch/logs/access.log;
	client_body_temp_path $scratch/logs/body;
	fastcgi_temp_path $scratch/logs/fastcgi;
	proxy_temp_path $scratch/logs/proxy;
	uwsgi_temp_path $scratch/logs/uwsgi;
	scgi_temp_path $scratch/logs/scgi;
	client_max_body_size 0;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $scratch/web.pem;
		ssl_certificate_key $scratch/web.key;
		ssl_protocols TLSv1.3;
		root $scratch/www;
		location /away/ { return 302 https://localhost:$port/model/; }
		location /git/ {
			auth_basic git;
			auth_basic_user_file $scratch/htpasswd;
			fastcgi_pass unix:$cgi;
			fastcgi_param SCRIPT_FILENAME $backend;
			fastcgi_param GIT_PROJECT_ROOT $scratch/git;
			fastcgi_param GIT_HTTP_EXPORT_ALL "";
			fastcgi_param PATH_INFO \$fastcgi_path_info;
			fastcgi_param REMOTE_USER \$remote_user;
			fastcgi_param REQUEST_METHOD \$request_method;
			fastcgi_param QUERY_STRING \$query_string;
			fastcgi_param CONTENT_TYPE \$content_type;
			fastcgi_param CONTENT_LENGTH \$content_length;
			fastcgi_param HTTP_CONTENT_ENCODING \$http_content_encoding;
			fastcgi_param GIT_PROTOCOL \$http_git_protocol;
			fastcgi_split_path_info ^(/git)(/.*)\$;
		}
	}
}
END
nginx -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/logs/start" &
pids="$pids $!"
wait_port "$port" || { cat "$scratch/logs/start"; exit 1; }
url=https://127.0.0.1:$port

# a bucket, handed out as files; nothing can be sent there
suite_builder
ok aicert remote add out "static:$scratch/www/model"
ok aicert push -q out main
ok aicert tag v1 HEAD
ok aicert push -q out v1
fails 3 aicert clone "$url/model" "$scratch/untrusted"
ok aicert clone --ca "$scratch/web.pem" "$url/model" "$scratch/read"
cd "$scratch/read"
same "$(aicert rev-parse HEAD)" "$second"
same "$(aicert rev-parse v1)" "$second"
ok aicert fsck
cp ../builder/out .
ok aicert verify $min out
ok aicert checkout HEAD -- big
ok cmp big ../builder/big
fails 3 aicert push origin main:refs/heads/other
err_has 'read only'
fails 3 aicert ls-remote "$url/nothing"
fails 1 aicert ls-remote "$url/away"
ok aicert ls-remote "$url/model/"
ok aicert clone -q --no-blobs "$url/model" "$scratch/read-proofs"
(cd "$scratch/read-proofs" && ok aicert fetch --blobs big && [ "$failures" = 0 ]) || failures=$((failures + 1))
cd "$scratch/builder"
echo more >in
ok aicert commit -m third
ok aicert push -q out main
cd ../read
ok aicert pull -q
same "$(aicert rev-parse HEAD)" "$(cd ../builder && aicert rev-parse HEAD)"

# git over https with a password, which the user's credential helper has
if command -v fcgiwrap >/dev/null && [ -x $backend ]; then
	git init -q --bare "$scratch/git/model.git"
	git -C "$scratch/git/model.git" config http.receivepack true
	fcgiwrap -s "unix:$cgi" 2>"$scratch/logs/fcgiwrap" &
	pids="$pids $!"
	tries=0
	while [ ! -S "$cgi" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	git config --global http.sslCAInfo "$scratch/web.pem"
	cd "$scratch/builder"
	fails 3 aicert push "git+$url/git/model.git" main
	printf 'https://ada:secret@127.0.0.1:%s\n' "$port" >"$scratch/credentials"
	git config --global credential.helper "store --file=$scratch/credentials"
	git remote add origin "$url/git/model.git"
	ok aicert remote remove out
	ok aicert push             # the surrounding repository's own remote
	out_has 'large'
	same "$(git ls-remote origin 'refs/aicert/*' | wc -l)" 1
	ok aicert clone -q "$url/git/model.git" "$scratch/over-https"
	same "$(cd "$scratch/over-https" && aicert rev-parse HEAD)" "$(aicert rev-parse HEAD)"
else
	echo "fcgiwrap or git-http-backend is missing: git over https is not tried"
fi

# git over ssh, as the user has set it up
if [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null; then
	sshport=$(free_port)
	mkdir -p "$scratch/ssh" && chmod 700 "$scratch/ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$scratch/ssh/host"
	ssh-keygen -q -t ed25519 -N '' -f "$scratch/ssh/user"
	cp "$scratch/ssh/user.pub" "$scratch/ssh/authorized"
	chmod 600 "$scratch/ssh/authorized"
	cat >"$scratch/ssh/config" <<END
Port $sshport
ListenAddress 127.0.0.1
HostKey $scratch/ssh/host
AuthorizedKeysFile $scratch/ssh/authorized
PidFile $scratch/ssh/pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
END
	mkdir -p /run/sshd 2>/dev/null
	/usr/sbin/sshd -D -e -f "$scratch/ssh/config" 2>"$scratch/logs/sshd" &
	pids="$pids $!"
	if wait_port "$sshport"; then
		git init -q --bare "$scratch/git/ssh.git"
		GIT_SSH_COMMAND="ssh -i $scratch/ssh/user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
		export GIT_SSH_COMMAND
		cd "$scratch/builder"
		ok aicert push -q "ssh://$(id -un)@127.0.0.1:$sshport$scratch/git/ssh.git" main
		ok aicert clone -q "ssh://$(id -un)@127.0.0.1:$sshport$scratch/git/ssh.git" "$scratch/over-ssh"
		same "$(cd "$scratch/over-ssh" && aicert rev-parse HEAD)" "$(aicert rev-parse HEAD)"
	else
		cat "$scratch/logs/sshd"
	fi
else
	echo "sshd is missing: git over ssh is not tried"
fi

done_testing
