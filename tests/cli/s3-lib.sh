# A checking S3 server for tests, sourced after lib.sh:
#   s3_start [OPTION...]      of s3-server.py; sets $s3_port and where aicert looks
#   s3_control WHAT           /control/WHAT of it
s3_pid=
s3_start() {
	s3_stop
	rm -f "$scratch/s3-port" "$scratch/s3-end"
	mkfifo "$scratch/s3-end"
	# no job of this shell: tests wait for theirs
	(python3 "$source_dir/tests/cli/s3-server.py" "$scratch/s3-port" "$@" <"$scratch/s3-end" \
		>/dev/null 2>>"$scratch/s3-err" & echo $! >"$scratch/s3-pid")
	exec 8>"$scratch/s3-end"
	s3_pid=$(cat "$scratch/s3-pid")
	for _ in $(seq 100); do
		[ -s "$scratch/s3-port" ] && break
		sleep 0.05
	done
	s3_port=$(cat "$scratch/s3-port") || exit 99
	export AWS_ENDPOINT_URL_S3="http://127.0.0.1:$s3_port" AWS_ACCESS_KEY_ID=AKIDTEST \
		AWS_SECRET_ACCESS_KEY='secret/with+signs' AWS_REGION=eu-test-1 AWS_EC2_METADATA_DISABLED=true
	unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL AWS_DEFAULT_REGION AWS_CONFIG_FILE \
		AWS_SHARED_CREDENTIALS_FILE http_proxy https_proxy all_proxy
}
s3_stop() {
	exec 8>&-
	[ -z "$s3_pid" ] || kill "$s3_pid" 2>/dev/null
	s3_pid=
}
s3_control() { curl -sS "http://127.0.0.1:$s3_port/control/$1"; }
