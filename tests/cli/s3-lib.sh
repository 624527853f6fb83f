# Checking S3 servers for tests, sourced after lib.sh:
#   s3_start [OPTION...]      of s3-server.py; sets $s3_port and where aicert looks
#   s3_control WHAT           /control/WHAT of it
#   s3_swift [OPTION...]      the same for swift-server.py, which keeps what it has
s3_pid=
s3_start() {
	s3_launch python3 "$source_dir/tests/cli/s3-server.py" "$scratch/s3-port" "$@"
	export AWS_ACCESS_KEY_ID=AKIDTEST AWS_SECRET_ACCESS_KEY='secret/with+signs' AWS_REGION=eu-test-1
}
# Debian's Swift is of Debian's python
s3_python() {
	for python in /usr/bin/python3 python3; do
		$python -c 'import swift' 2>/dev/null && return
	done
	return 1
}
s3_swift() {
	s3_python || { echo "Swift (python3-swift) is missing"; exit 77; }
	rm -rf "$scratch/swift"
	mkdir "$scratch/swift"
	s3_launch $python "$source_dir/tests/cli/swift-server.py" "$scratch/swift" "$scratch/s3-port" "$@"
	export AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing AWS_REGION=us-east-1
}
s3_launch() {
	s3_stop
	rm -f "$scratch/s3-port" "$scratch/s3-end"
	mkfifo "$scratch/s3-end"
	# no job of this shell: tests wait for theirs
	("$@" <"$scratch/s3-end" >/dev/null 2>>"$scratch/s3-err" & echo $! >"$scratch/s3-pid")
	exec 8>"$scratch/s3-end"
	s3_pid=$(cat "$scratch/s3-pid")
	for _ in $(seq 400); do
		[ -s "$scratch/s3-port" ] && break
		sleep 0.05
	done
	s3_port=$(cat "$scratch/s3-port") || exit 99
	export AWS_ENDPOINT_URL_S3="http://127.0.0.1:$s3_port" AWS_EC2_METADATA_DISABLED=true
	unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL AWS_DEFAULT_REGION AWS_CONFIG_FILE \
		AWS_SHARED_CREDENTIALS_FILE http_proxy https_proxy all_proxy
}
s3_stop() {
	exec 8>&-
	[ -z "$s3_pid" ] || kill "$s3_pid" 2>/dev/null
	s3_pid=
}
s3_control() { curl -sS "http://127.0.0.1:$s3_port/control/$1"; }
