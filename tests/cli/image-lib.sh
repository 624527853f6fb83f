# Shared by the tests that boot the base image; sourced after lib.sh, with $user_cache from
# before it.  QEMU emulates the processor (TCG), so that they run anywhere and alike.
case $build in */asan) echo "the image is booted by the tests of the plain build"; exit 77 ;; esac
for tool in qemu-system-x86_64:qemu-system-x86 swtpm:swtpm mformat:mtools python3:python3 \
	dpkg-deb:dpkg unshare:util-linux curl:curl; do
	command -v "${tool%:*}" >/dev/null || { echo "${tool%:*} is missing (${tool#*:})"; exit 77; }
done
for file in OVMF_CODE_4M.fd OVMF_VARS_4M.fd; do
	[ -r /usr/share/OVMF/$file ] || { echo "$file is missing (ovmf)"; exit 77; }
done

# build_image DIR [TREE]: the image of this tree, from the user's cache when nothing changed.
# When apt's sources have other versions than the lock by now, with those: what is tested
# here is this tree's work, and a fresh lock is what its next commit would have.
build_image() {
	lock=${2:-$source_dir}/image/packages.lock
	XDG_CACHE_HOME=$user_cache "${2:-$source_dir}/image/build" -o "$1" --lock "$lock" --aicert "$build/aicert" \
		>"$scratch/out" 2>"$scratch/err" && return
	grep -q -- --update-lock "$scratch/err" || { die "image/build" && exit 1; }
	cp "$lock" "$scratch/packages.lock"
	lock=$scratch/packages.lock
	echo "the lock's packages are gone; with those that are there now:"
	"${2:-$source_dir}/image/build" --lock "$scratch/packages.lock" --update-lock &&
		XDG_CACHE_HOME=$user_cache "${2:-$source_dir}/image/build" -o "$1" --lock "$scratch/packages.lock" \
			--aicert "$build/aicert" >"$scratch/out" 2>"$scratch/err" && return
	echo "packages cannot be fetched here: $(tail -1 "$scratch/err")"
	exit 77
}

# make_esp FILE UKI [FILE-BESIDE-IT...]: as credentials and system extensions would lie there
make_esp() {
	truncate -s 64M "$1" && mformat -i "$1" -F :: && mmd -i "$1" ::/EFI ::/EFI/BOOT ::/EFI/BOOT/BOOTX64.EFI.extra.d &&
		mcopy -i "$1" "$2" ::/EFI/BOOT/BOOTX64.EFI || exit 99
	esp=$1
	shift 2
	for file in "$@"; do
		mcopy -i "$esp" "$file" ::/EFI/BOOT/BOOTX64.EFI.extra.d/ || exit 99
	done
}

# make_configuration FILE: who has $scratch/token may come
make_configuration() {
	[ -e "$scratch/token" ] || (umask 077 && head -c 24 /dev/urandom | od -A n -t x1 | tr -d ' \n' >"$scratch/token")
	printf '{"clientCa":null,"idleSeconds":600,"mediaType":"application/vnd.aicert.runtime-config.v1+json","tokens":["me sha256:%s run"]}' \
		"$(sha256sum "$scratch/token" | cut -d' ' -f1)" >"$scratch/document"
	cp "$scratch/document" "$1"
	truncate -s %512 "$1"
}

# boot NAME ROOT [QEMU-ARGUMENT...]: from $scratch/NAME.esp where it is; $qemu, $url, and its
# console in $scratch/NAME.console
boot() {
	name=$1 root_disk=$2
	shift 2
	mkdir -p "$scratch/$name.tpm"
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$scratch/$name.vars"
	make_configuration "$scratch/config.img"
	swtpm socket --tpm2 --tpmstate "dir=$scratch/$name.tpm,mode=0600" --terminate --daemon --pid "file=$scratch/$name.swtpm" \
		--ctrl "type=unixio,path=$scratch/$name.tpm/sock" || exit 99
	[ ! -e "$scratch/$name.esp" ] || set -- -drive "if=none,id=esp,format=raw,readonly=on,file=$scratch/$name.esp" \
		-device virtio-blk-pci,drive=esp,bootindex=0 "$@"
	port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -nodefaults -display none -no-reboot \
		-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
		-drive "if=pflash,format=raw,unit=1,file=$scratch/$name.vars" \
		-chardev "socket,id=tpm,path=$scratch/$name.tpm/sock" -tpmdev emulator,id=tpm0,chardev=tpm \
		-device tpm-crb,tpmdev=tpm0 \
		-drive "if=none,id=root,format=raw,readonly=on,file=$root_disk" \
		-device virtio-blk-pci,drive=root,serial=aicert-root,romfile= \
		-drive "if=none,id=config,format=raw,readonly=on,file=$scratch/config.img" \
		-device virtio-blk-pci,drive=config,serial=aicert-config,romfile= \
		-netdev "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:$port-:8443" \
		-device virtio-net-pci,netdev=n0,romfile= -device virtio-rng-pci \
		-serial "file:$scratch/$name.console" "$@" >"$scratch/$name.qemu" 2>&1 &
	qemu=$! machines="${machines:-} $!" url=https://127.0.0.1:$port
}
trap 'kill -9 ${machines:-} $(cat "$scratch"/*.swtpm 2>/dev/null) 2>/dev/null; chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT

console() { tr -d '\000\r' <"$scratch/$name.console" | grep -a '[[:print:]]' | tail -15 | sed 's/^/    | /'; }
# is_up: waits until the daemon answers; fails when the machine has ended
is_up() {
	left=1200
	until curl -sk --max-time 5 "$url/healthz" >/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 "$qemu" 2>/dev/null || return 1
		sleep 0.25
	done
}
must_be_up() { is_up || { die "$name does not come up" && console && done_testing; }; }
power_off() {
	kill "$qemu" 2>/dev/null
	wait "$qemu" 2>/dev/null
}
# The certificate of HEAD's commit, as a file.
certificate_of_head() {
	aicert cat-file -p "$(aicert rev-parse "${1:-HEAD}")" |
		sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\).*/\1/' | xargs aicert cat-file -p
}
