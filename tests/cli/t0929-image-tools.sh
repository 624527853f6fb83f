#!/bin/sh
# What builds the base image, without building one: the lock, the cache, the hash tree, the
# comparison.  Nothing is fetched.
. "${top_srcdir:-.}/tests/cli/lib.sh"
for tool in python3 dpkg-deb apt-get; do
	command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done
build() { "$source_dir/image/build" -o result --lock lock "$@"; }
cache=$XDG_CACHE_HOME/aicert/debs
digest=$(printf 'no package' | sha256sum | cut -d' ' -f1)

# every line of the real lock is one, and sorted
ok python3 - "$source_dir" <<'END'
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/image")
import debs
for path, roles in (("image", {"image", "build"}), ("examples/rootfs", {"rootfs"})):
    packages = debs.read_lock("%s/%s/packages.lock" % (sys.argv[1], path))
    names = [p.name for p in packages]
    assert names == sorted(set(names)) and len(names) > 50, path
    assert {p.role for p in packages} == roles and all(len(p.digest) == 64 for p in packages), path
END

# lines that are none
for line in "only-a-name" "../x 1 $digest image" "x 1;2 $digest image" "x 1 1234 image" "x 1 $digest image more"; do
	echo "$line" >lock
	fails 1 build
	err_has "lock:1: not NAME VERSION SHA256 ROLE"
done

# a version that is nowhere
echo "aicert-no-such-package 1.0 $digest image" >lock
fails 3 build
err_has "aicert-no-such-package 1.0"
err_has "image/build --update-lock"
[ ! -e result ] || die "something was built"
fails 3 build --update-lock
err_has "aicert-no-such-package"
same "$(cat lock)" "aicert-no-such-package 1.0 $digest image"
fails 2 build --nonsense

# what lies in the cache under another's digest
mkdir -p "$cache"
echo other >"$cache/$digest.deb"
fails 1 build
err_has "damaged, removed"
[ ! -e "$cache/$digest.deb" ] || die "it is still there"

# a package that links to places outside of its tree goes nowhere else
mkdir -p pkg/DEBIAN pkg/lib pkg/usr/bin
printf 'Package: odd\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' >pkg/DEBIAN/control
echo a >pkg/lib/a
ln -s /etc/passwd pkg/usr/bin/b
dpkg-deb -b pkg odd.deb >/dev/null || exit 99
ok python3 - "$source_dir" <<'END'
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/image")
import debs, nodes
d = debs.digest_of("odd.deb")
os.rename("odd.deb", d + ".deb")
p = debs.Package("odd", "1", d, "image")
owner = debs.unpack([p], ".", "tree")
assert set(owner) == {"usr/lib/a", "usr/bin/b"}, owner
tree = nodes.Tree("tree", owner)
tree.package_file("usr/lib/a")
try:
    tree.package_file(tree.resolve("usr/bin/b"))
    raise SystemExit("a link led out of the tree")
except (debs.Refused, FileNotFoundError):
    pass
try:
    tree.library("libnowhere.so.1")
    raise SystemExit("a library from nowhere")
except debs.Refused:
    pass
os.symlink("/tmp", "tree/usr/lib/away")
os.makedirs("pkg2/usr/lib/away"), os.makedirs("pkg2/DEBIAN")
open("pkg2/usr/lib/away/x", "w").close()
open("pkg2/DEBIAN/control", "w").write(open("pkg/DEBIAN/control").read())
import subprocess
subprocess.run(["dpkg-deb", "-b", "pkg2", "out.deb"], check=True, stdout=subprocess.DEVNULL)
try:
    debs.unpack_one(p, "out.deb", "tree", owner)
    raise SystemExit("a package wrote outside of the tree")
except debs.Refused:
    pass
assert tree.manifest("root").count("\n") == 3 and "odd=1" in tree.manifest("root")
END

# the hash tree, for one level and for three; veritysetup has the last word where it is
ok python3 - "$source_dir" <<'END'
import hashlib, os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/image")
import verity
open("one", "wb").write(b"x" * 5000)
root, blocks = verity.append("one")
a, b = b"x" * 4096, b"x" * 904 + b"\0" * 3192
leaf = (hashlib.sha256(a).digest() + hashlib.sha256(b).digest()).ljust(4096, b"\0")
assert blocks == 2 and root == hashlib.sha256(leaf).hexdigest()
assert open("one", "rb").read() == a + b + leaf
open("three", "wb").write(os.urandom(4096) * 20000)
print(*verity.append("three"))
END
if command -v veritysetup >/dev/null; then
	read -r root blocks <"$scratch/out"
	ok veritysetup verify --no-superblock --salt - --data-blocks "$blocks" --hash-offset $((blocks * 4096)) \
		three three "$root"
	spoil three 70000000
	checks=$((checks + 1))
	! veritysetup verify --no-superblock --salt - --data-blocks "$blocks" --hash-offset $((blocks * 4096)) \
		three three "$root" >/dev/null 2>&1 || die "a changed block passes"
fi

# the comparison names the file, then the place
new_repo machine
"$build/forge-machine" uki >/dev/null || exit 99
mkdir a b
for d in a b; do
	cp image.efi $d/aicert-base.efi
	echo "root /usr/bin/x 100755 5 $digest x=1" >$d/aicert-base.manifest
	echo "a file system" >$d/aicert-base.root
done
ok "$source_dir/image/compare" a b
out_has "the same"
sed -i 's/x=1/x=2/' b/aicert-base.manifest
echo "a file System" >b/aicert-base.root
python3 - <<'END'
d = bytearray(open("b/aicert-base.efi", "rb").read())
at = d.index("console".encode()) if b"console" in d else len(d) - 1
d[at] ^= 1
open("b/aicert-base.efi", "wb").write(d)
END
fails 1 "$source_dir/image/compare" a b
out_has "file /usr/bin/x of the root"
out_has "aicert-base.root: byte 7 of 14 and 14"
out_has "aicert-base.efi: "
fails 2 "$source_dir/image/compare" a
fails 3 "$source_dir/image/compare" a nowhere
done_testing
