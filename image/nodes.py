"""What goes into the image: files chosen one by one from packages and from this directory.

A node is a directory, a link or a file with its bytes, mode and origin; a tree is a
dictionary from path (no leading '/') to node.  Programs bring the libraries that they are
linked with, and nothing else of any package is taken.
"""
import hashlib
import io
import os
import stat
import tarfile

import elf
from debs import EPOCH, Refused, merged

LIBRARY_PATHS = ("usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu/systemd")


class Node:
    def __init__(self, mode, data=b"", origin="image"):
        self.mode, self.data, self.origin = mode, data, origin


class Tree:
    def __init__(self, unpacked, owner):
        self.unpacked, self.owner, self.nodes = unpacked, owner, {}

    def parents(self, path):
        while "/" in path:
            path = path.rpartition("/")[0]
            if path not in self.nodes:
                self.nodes[path] = Node(stat.S_IFDIR | 0o755)

    def directory(self, path, mode=0o755):
        self.parents(path)
        self.nodes[path] = Node(stat.S_IFDIR | mode)

    def link(self, path, target, origin="image"):
        self.parents(path)
        self.nodes[path] = Node(stat.S_IFLNK | 0o777, target.encode("ascii"), origin)

    def file(self, path, data, mode=0o644, origin="image"):
        self.parents(path)
        self.nodes[path] = Node(stat.S_IFREG | mode, data, origin)

    def origin(self, path):
        if path not in self.owner:
            raise Refused("%s is in none of the packages with the role \"image\"" % path)
        package = self.owner[path]
        if package.role != "image":
            raise Refused("%s is in %s, whose role is not \"image\"" % (path, package.name))
        return "%s=%s" % (package.name, package.version)

    def read(self, path):
        with open(os.path.join(self.unpacked, path), "rb") as f:
            return f.read()

    def resolve(self, path):
        """Where a link of the tree leads, as it would in the tree's own root."""
        for _ in range(16):
            full = os.path.join(self.unpacked, path)
            if not os.path.islink(full):
                return path
            target = os.readlink(full)
            path = merged(os.path.join("/", os.path.dirname(path), target))
        raise Refused("%s: links without end" % path)

    def package_file(self, path, to=None):
        """A file of a package, and of a program all that it is linked with."""
        data = self.read(path)
        mode = 0o755 if os.access(os.path.join(self.unpacked, path), os.X_OK) else 0o644
        self.file(to or path, data, mode, self.origin(path))
        if elf.is_elf(data):
            self.libraries(data)

    def libraries(self, data):
        sonames, interpreter = elf.needed(data)
        if interpreter is not None:
            self.library(os.path.basename(interpreter), "usr" + interpreter)
        for soname in sonames:
            self.library(soname)

    def library(self, soname, at=None):
        for path in [at] if at else [d + "/" + soname for d in LIBRARY_PATHS]:
            if path in self.nodes:
                return
            if os.path.lexists(os.path.join(self.unpacked, path)):
                self.package_file(self.resolve(path), path)
                return
        raise Refused("%s: in none of the locked packages" % soname)

    def merged_usr(self):
        for top in ("bin", "sbin", "lib", "lib64"):
            self.directory("usr/" + top)
            self.link(top, "usr/" + top)

    def tar(self):
        """As sqfstar reads it; everything belongs to root and has one time."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(self.nodes):
                node, info = self.nodes[path], tarfile.TarInfo(path)
                info.mode, info.mtime = stat.S_IMODE(node.mode), EPOCH
                if stat.S_ISDIR(node.mode):
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                elif stat.S_ISLNK(node.mode):
                    info.type, info.linkname = tarfile.SYMTYPE, node.data.decode("ascii")
                    tar.addfile(info)
                else:
                    info.size = len(node.data)
                    tar.addfile(info, io.BytesIO(node.data))
        return out.getvalue()

    def manifest(self, where):
        """A line a file: where, path, mode, size, SHA-256, origin."""
        lines = []
        for path, node in sorted(self.nodes.items()):
            what = "-" if stat.S_ISDIR(node.mode) else hashlib.sha256(node.data).hexdigest()
            if stat.S_ISLNK(node.mode):
                what = "->" + node.data.decode("ascii")
            lines.append("%s /%s %06o %d %s %s\n"
                         % (where, path, node.mode, len(node.data), what, node.origin))
        return "".join(lines)
