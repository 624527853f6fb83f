"""Debian packages as image/packages.lock pins them: found in a cache, fetched, unpacked.

The cache is addressed by content: ~/.cache/aicert/debs/<sha256>.deb.  What is there is
hashed before it is used, so a cache can be copied from anywhere.  Packages come from the
sources that apt is configured with; only their digests are trusted.
"""
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile

EPOCH = 1672531200              # the time of every file in the image
KERNEL = "linux-image-cloud-amd64"
UNUSED = re.compile(r"^usr/share/(doc|man|info|locale|lintian|bug|gcc|gdb|bash-completion)(/|$)")


class Refused(Exception):
    """A definite no: exit status 1."""


class Undone(Exception):
    """What could not be done: exit status 3."""


class Package:
    def __init__(self, name, version, digest, role):
        self.name, self.version, self.digest, self.role = name, version, digest, role

    def line(self):
        return "%s %s %s %s\n" % (self.name, self.version, self.digest, self.role)


def cache_directory(what):
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "aicert", what)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def read_lock(path):
    packages = []
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            words = line.split()
            if len(words) != 4 or not re.fullmatch(r"[0-9a-f]{64}|-", words[2]) \
                    or not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", words[0]) \
                    or not re.fullmatch(r"[A-Za-z0-9.+:~-]+", words[1]):
                raise Refused("%s:%d: not NAME VERSION SHA256 ROLE" % (path, number))
            packages.append(Package(*words))
    return packages


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def apt(*words, cwd=None):
    command = [words[0], "-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else [words[0]]
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    try:
        return subprocess.run(command + list(words[1:]), cwd=cwd, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    except FileNotFoundError:
        raise Undone("%s is not installed: packages that are not cached cannot be fetched" % words[0])


def records(names):
    """What apt would install: name -> the fields of its record."""
    done = apt("apt-cache", "show", "--no-all-versions", *names)
    found = {}
    for text in done.stdout.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", text, re.M))
        if "SHA256" in fields:
            found.setdefault(fields["Package"], fields)
    for name in names:
        if name not in found:
            raise Undone("%s: apt's sources do not have it (apt-get update?)" % name)
    return found


def update_lock(path):
    """The same names, as the sources have them now; the kernel by its meta package."""
    with open(path, encoding="ascii") as f:
        comments = [line for line in f if line.startswith("#")]
    wanted = {p.name: p.role for p in read_lock(path)}
    kernels = [n for n in wanted if n.startswith("linux-image-")]
    if kernels:
        newest = re.search(r"linux-image-[0-9][^ ,]*", records([KERNEL])[KERNEL]["Depends"]).group(0)
        wanted[newest] = wanted.pop(kernels[0])
    found = records(sorted(wanted))
    lines = [Package(n, found[n]["Version"], found[n]["SHA256"], wanted[n]).line() for n in sorted(wanted)]
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write("".join(comments + lines))
    os.replace(path + ".new", path)
    return len(lines)


def fetch_some(packages, cache, work):
    """One call of apt; those it brought are cached, the others returned."""
    apt("apt-get", "download", *["%s=%s" % (p.name, p.version) for p in packages], cwd=work)
    left = []
    for p in packages:
        found = [n for n in os.listdir(work) if n.startswith(p.name + "_" + p.version.replace(":", "%3a") + "_")]
        if not found:
            left.append(p)
            continue
        got = os.path.join(work, found[0])
        if digest_of(got) != p.digest:
            raise Refused("%s %s: the mirror's package does not have the locked digest %s"
                          % (p.name, p.version, p.digest))
        os.replace(got, os.path.join(cache, p.digest + ".deb"))
    return left


def fetch(packages, lock):
    """Every package in the cache and with its digest, or Undone."""
    cache = cache_directory("debs")
    left = [p for p in packages if not os.path.exists(os.path.join(cache, p.digest + ".deb"))]
    if left:
        with tempfile.TemporaryDirectory(dir=cache) as work:
            left = fetch_some(left, cache, work)
            # apt refuses a whole list for one version that it does not know
            left = [p for p in left if fetch_some([p], cache, work)]
    if left:
        raise Undone("%s: neither cached nor to be had from apt's sources: %s; '%s' takes the versions"
                     " that are there now (and makes another image)"
                     % (lock, ", ".join("%s %s" % (p.name, p.version) for p in left),
                        "image/build --update-lock"))
    for p in packages:
        path = os.path.join(cache, p.digest + ".deb")
        if digest_of(path) != p.digest:
            os.unlink(path)
            raise Refused("%s: damaged, removed; start again" % path)
    return cache


def merged(name):
    """Paths as a system with merged /usr has them."""
    name = os.path.normpath(name.lstrip("/")) if name not in (".", "./") else ""
    for top in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if name == top or name.startswith(top + "/"):
            return "usr/" + name
    return name


def unpack_one(package, deb, tree, owner):
    reader = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=reader.stdout, mode="r|") as tar:
        for m in tar:
            name = merged(m.name)
            if not name or UNUSED.match(name) or name.startswith("../"):
                continue
            path = os.path.join(tree, name)
            if m.isdir():
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.realpath(os.path.dirname(path)).startswith(os.path.realpath(tree) + os.sep):
                raise Refused("%s: %s leads out of the tree" % (deb, m.name))
            if os.path.lexists(path):
                os.unlink(path)
            if m.issym():
                os.symlink(m.linkname, path)
            elif m.islnk():
                os.link(os.path.join(tree, merged(m.linkname)), path)
            elif m.isreg():
                with open(path, "wb") as f:
                    shutil.copyfileobj(tar.extractfile(m), f, 1 << 20)
                os.chmod(path, 0o755 if m.mode & 0o111 else 0o644)
            else:
                continue
            owner[name] = package
    if reader.wait() != 0:
        raise Refused("%s: dpkg-deb cannot read it" % deb)


def unpack(packages, cache, tree):
    """All of them into one tree with merged /usr, no maintainer script run; path -> package."""
    owner = {}
    for top in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(tree, "usr", top))
        os.symlink("usr/" + top, os.path.join(tree, top))
    for p in packages:
        unpack_one(p, os.path.join(cache, p.digest + ".deb"), tree, owner)
    return owner
