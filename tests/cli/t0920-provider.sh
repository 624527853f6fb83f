#!/bin/sh
# Machines that are started for a run: registered, made, used, and always taken down.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/provider-lib.sh"
config=$XDG_CONFIG_HOME/aicert/config
make_image base
image=$scratch/base.efi

# the registry
fails 2 aicert runner add vm qemu:nowhere.efi
fails 2 aicert runner add vm "qemu:$scratch/base.root"
err_has "ends in .efi"
fails 2 aicert runner add --min-level vtpm vm "qemu:$image"
err_has "simulated at most"
fails 2 aicert runner add --token-file /dev/null vm "qemu:$image"
fails 2 aicert runner add --memory 16 vm "qemu:$image"
fails 2 aicert runner add --processors 65 vm "qemu:$image"
fails 2 aicert runner add --accelerator xen vm "qemu:$image"
fails 2 aicert runner add --processors 1 gpu https://127.0.0.1:1
fails 2 aicert runner list --memory 1024
[ ! -e "$config" ] || die "a refused runner left a record"
ok aicert runner add --accelerator tcg --processors 1 vm "qemu:$image"
out_has "started for every run"
fails 3 aicert runner add vm "qemu:$image"
ok aicert runner list
out_has "qemu:$image  started for every run"
ok aicert runner list --json
out_has '"akName":null'
printf '[runner "cloud"]\n\turl = cloud:/x\n\tminLevel = simulated\n' >>"$config"
ok aicert runner reap
same "$(cat "$scratch/out")" ""

new_repo repo
echo one >in.txt
spec ok.yaml "cat in.txt | tee out.txt" "in.txt" "out.txt"
fails 3 aicert commit -f ok.yaml -r cloud -m x
err_has "starts no machines"
# a repository starts nothing
printf '[runner "evil"]\n\turl = qemu:%s\n\tminLevel = simulated\n' "$image" >>.aicert/config
fails 2 aicert commit -f ok.yaml -r evil -m x
err_has "no such runner"
sed -i '/runner "evil"/,$d' .aicert/config

# a whole run
ok aicert commit -f ok.yaml -r vm -m "in a machine"
same "$(cat out.txt)" one
same "$(head -1 "$scratch/out")" one
ok aicert verify --min-level simulated out.txt
[ -z "$(ls .aicert/runs 2>/dev/null)" ] || die "a record of a run that nobody can ask about"
all_gone
same "$(cat "$scratch/bin/dir.mode")" 700
cmp -s "$image" "$scratch/bin/booted.efi" || die "another image on the ESP"
same "$(cat "$scratch/bin/qemu.env")" "AICERT_MACHINE HOME LC_ALL PATH PWD TMPDIR "
same "$(($(stat -c %s "$scratch/bin/config.img") % 512))" 0
checks=$((checks + 2))
grep -q '^{"clientCa":null,"idleSeconds":[0-9]*,"mediaType":"application/vnd.aicert.runtime-config.v1+json","tokens":\["client sha256:[0-9a-f]* run"\]}' \
	"$scratch/bin/config.img" || die "the document: $(head -c 300 "$scratch/bin/config.img")"
for word in "-nodefaults" "-no-reboot" "-smp 1 " "-m 2048 " "restrict=on" "file=$scratch/base.root" \
	"serial=aicert-root" "serial=aicert-config" "socket,id=tpm,fd=3" "-accel tcg"; do
	grep -qF -- "$word" "$scratch/bin/qemu.args" || die "no $word: $(cat "$scratch/bin/qemu.args")"
done
grep -q "clientfd=3" "$scratch/bin/swtpm.args" || die "swtpm: $(cat "$scratch/bin/swtpm.args")"
# every run has a machine, a token and a TPM of its own
cp "$scratch/bin/tokens" "$scratch/first"
ok aicert runner check vm
out_has "quote.binding     pass"
! cmp -s "$scratch/bin/tokens" "$scratch/first" || die "the same token twice"
all_gone
for command in "run list -r vm" "run log -r vm $(printf '%064d' 0)"; do
	# shellcheck disable=SC2086
	fails 2 aicert $command
	err_has "nothing to ask"
done

# a run that fails, and a file that is not there
spec bad.yaml "exit 7" "in.txt" "never.txt"
fails 1 aicert commit -f bad.yaml -r vm -m bad
err_has "exited with code 7"
all_gone
mv "$scratch/base.root" "$scratch/away"
fails 3 aicert commit -f ok.yaml -r vm -m x
err_has "base.root"
mv "$scratch/away" "$scratch/base.root"
all_gone

# machines that do not come up
echo fail >"$scratch/bin/mode"
fails 3 aicert commit -f ok.yaml -r vm -m x
err_has "ended before it answered: boom"
all_gone
echo init >"$scratch/bin/mode"
fails 3 aicert commit -f ok.yaml -r vm -m x
err_has "aicert-init: the root file system is damaged"
all_gone
echo port >"$scratch/bin/mode"
ok aicert commit -f ok.yaml -r vm -m "another port"
[ -e "$scratch/bin/port.tried" ] || die "the port was never taken"
all_gone
if [ -w /dev/kvm ]; then
	echo kvm >"$scratch/bin/mode"
	ok aicert runner add any "qemu:$image"
	ok aicert commit -f ok.yaml -r any -m "KVM that does not work"
	err_has "it is emulated"
	all_gone
	ok aicert runner add --accelerator kvm kvm "qemu:$image"
	fails 3 aicert commit -f ok.yaml -r kvm -m x
	err_has "KVM does not run the machine"
	all_gone
fi

# on a terminal it is shown what the machine is at, and the line is taken away
echo slow >"$scratch/bin/mode"
ok python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' aicert commit -f ok.yaml -r vm -m shown
out_has "starting the machine: 1 s, unpacking"
all_gone

# two at once, each with a port of its own
echo good >"$scratch/bin/mode"
mkdir ../second && cp -r . ../second
: >"$scratch/bin/qemu.args"
spec two.yaml "sleep 1; cp in.txt two.txt" "in.txt" "two.txt"
cp two.yaml ../second
aicert -C ../second commit -q -f two.yaml -r vm -m other >"$scratch/second.out" 2>&1 &
second=$!
ok aicert commit -q -f two.yaml -r vm -m this
wait $second
same $? 0
same "$(sed -n 's/.*127.0.0.1:\([0-9]*\)-.*/\1/p' "$scratch/bin/qemu.args" | sort -u | wc -l)" 2
all_gone

# programs come from the user's PATH, never from where we are
printf '#!/bin/sh\ntouch %s/stolen\n' "$scratch" >qemu-system-x86_64
chmod +x qemu-system-x86_64
ok env PATH=".::$PATH" aicert runner check vm
[ ! -e "$scratch/stolen" ] || die "a program of the repository was started"
all_gone
done_testing
