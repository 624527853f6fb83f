# Shared by the tests of started machines: a pair of programs with the names of QEMU and
# swtpm that start an aicertd of this computer on the port that is forwarded.  Sourced
# after lib.sh.  What the pair does is in $scratch/bin/mode.
for tool in mformat:mtools python3:python3; do
	command -v "${tool%:*}" >/dev/null || { echo "${tool%:*} is missing (${tool#*:})"; exit 77; }
done
[ -r /usr/share/OVMF/OVMF_CODE_4M.fd ] || { echo "OVMF is missing (ovmf)"; exit 77; }

machines=$XDG_DATA_HOME/aicert/machines
mkdir -p "$scratch/bin"
PATH=$scratch/bin:$PATH
echo good >"$scratch/bin/mode"
cat >"$scratch/bin/swtpm" <<'END'
#!/bin/sh
echo "$@" >>"${0%/*}/swtpm.args"
exec cat <&3
END
cat >"$scratch/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
# in the machine's directory
here=${0%/*}
mode=$(cat "$here/mode")
echo "$@" >>"$here/qemu.args"
stat -c %a . >"$here/dir.mode"
env | cut -d= -f1 | sort | tr '\n' ' ' >"$here/qemu.env"
port=$(echo "$*" | sed -n 's/.*hostfwd=tcp:127.0.0.1:\([0-9]*\)-.*/\1/p')
[ -e tpm ] && [ -s vars.fd ] && [ -s esp.img ] || exit 9
case $mode in
fail) echo "boom" >&2; exit 1 ;;
init) echo "aicert-init: the root file system is damaged" >console; exit 0 ;;
silent) echo "booting" >console; exec sleep 1000 ;;
port) [ -e "$here/port.tried" ] || {
	touch "$here/port.tried"
	echo "Could not set up host forwarding rule" >&2
	exit 1
} ;;
kvm) case $* in *"-accel kvm"*) echo "KVM internal error. Suberror: 1" >&2; exec sleep 1000 ;; esac ;;
child) setsid sleep 1000 & ;;
slow) echo "unpacking" >console; sleep 2 ;;
esac
python3 - <<'PY' >tokens
import json
for line in json.loads(open("config.img").read().rstrip("\0"))["tokens"]:
    print(line)
PY
chmod 600 tokens
cp tokens config.img "$here"
mcopy -n -i esp.img ::/EFI/BOOT/BOOTX64.EFI "$here/booted.efi"
echo "listening" >console
exec aicertd --store "$PWD/guest/.aicert" --listen "127.0.0.1:$port" --tpm "embedded:$PWD/guest.tpm" \
	--token-file tokens
END
chmod 755 "$scratch/bin/swtpm" "$scratch/bin/qemu-system-x86_64"

# make_image NAME: $scratch/NAME.efi and .root
make_image() {
	head -c 300000 /dev/urandom >"$scratch/$1.efi"
	head -c 4096 /dev/zero >"$scratch/$1.root"
}
# Processes that carry the tag of a machine of this test.
left_processes() {
	grep -lz "^HOME=$machines/" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}
left_directories() { find "$machines" -mindepth 1 -maxdepth 1 -type d 2>/dev/null; }
# Nothing is left of any machine.
all_gone() {
	checks=$((checks + 1))
	tries=40
	while [ -n "$(left_processes)$(left_directories)" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			die "left: $(left_processes) $(left_directories)"
			return
		}
		sleep 0.05
	done
}
trap 'for p in $(left_processes); do kill -9 "$p" 2>/dev/null; done
	chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
