"""Runs the locked tools: a shell script in the tree that the packages were unpacked to.

No privilege is needed where a user may make namespaces; no tool of this machine has a
say in what comes out.
"""
import os
import re
import shutil
import subprocess

from debs import Undone

# As configure has them, without what would name a directory or a time.
FLAGS = ("-std=gnu17 -O2 -g0 -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection"
         " -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fno-strict-aliasing -D_GNU_SOURCE"
         " -D_FILE_OFFSET_BITS=64 -ffunction-sections -fdata-sections")
LIBRARIES = ("-lgit2 -ltss2-esys -ltss2-mu -ltss2-rc -ltss2-tctildr -ltpms -lcrypto -lsqlite3 -lcurl"
             " -ljansson -lyaml -lmicrohttpd -lgnutls -larchive -lpthread")
LAYERS = ("base", "git", "db", "codec", "crypto", "net", "object", "evidence", "tpm", "verify", "run",
          "runner", "remote", "serve")

OUTER = """set -e
mount --bind /dev/null "$1/dev/null"
exec chroot "$1" /usr/bin/busybox sh -e /make/script
"""


def run(tree, script, what):
    work = os.path.join(tree, "make")
    os.makedirs(work, exist_ok=True)
    os.makedirs(os.path.join(tree, "dev"), exist_ok=True)
    os.makedirs(os.path.join(tree, "tmp"), exist_ok=True)
    open(os.path.join(tree, "dev", "null"), "a", encoding="ascii").close()
    with open(os.path.join(work, "script"), "w", encoding="ascii") as f:
        f.write(script)
    name_spaces = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    environment = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/make",
                   "TMPDIR": "/tmp"}
    done = subprocess.run(["unshare"] + name_spaces + ["sh", "-c", OUTER, "sh", tree], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise Undone("%s failed (%d), in a change of root made by unshare(1), which needs root or user"
                     " namespaces:\n%s" % (what, done.returncode, done.stdout[-4000:]))


def version(source):
    with open(os.path.join(source, "configure.ac"), encoding="utf-8") as f:
        return re.search(r"AC_INIT\(\[aicert\], \[([0-9.]+)\]\)", f.read()).group(1)


def sources(source):
    """Every file that aicertd is compiled from, relative to the source tree, sorted."""
    found = ["src/aicertd.c"]
    for top in ["src/" + layer for layer in LAYERS] + ["store"]:
        for name in os.listdir(os.path.join(source, top)):
            if name.endswith((".c", ".h")):
                found.append(top + "/" + name)
    return sorted(found)


def compile_aicertd(tree, source):
    work = os.path.join(tree, "make")
    shutil.rmtree(work, ignore_errors=True)
    names = sources(source)
    for name in names:
        path = os.path.join(work, "aicert", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(os.path.join(source, name), path)
    c_files = [n for n in names if n.endswith(".c")]
    script = """cd /make/aicert
cc() { gcc-12 %s -DAICERT_VERSION='"%s"' -DAICERT_BINDIR='"/usr/bin"' -DAICERT_CRUN='"/usr/bin/crun"' \
	-DAICERT_DATADIR='"/usr/share/aicert"' -Isrc -I. "$@"; }
compile() { for f in "$@"; do cc -c -o "${f%%.c}.o" "$f" || exit 1; done; }
set -- %s
half=$(($# / 2)) first=
for i in $(seq $half); do first="$first $1"; shift; done
compile $first & other=$!
compile "$@"
wait $other
rm -f core.a
ar crD core.a %s
gcc-12 -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed -Wl,--gc-sections -Wl,--build-id=none \
	-o /make/aicertd src/aicertd.o core.a %s
strip --strip-all /make/aicertd
""" % (FLAGS, version(source), " ".join(c_files),
       " ".join(n[:-2] + ".o" for n in c_files if n != "src/aicertd.c"), LIBRARIES)
    run(tree, script, "compiling aicertd")
    with open(os.path.join(work, "aicertd"), "rb") as f:
        return f.read()
