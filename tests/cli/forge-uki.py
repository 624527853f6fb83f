"""Changes a base image: forge-uki.py cmdline|initrd IMAGE TARGET; it boots all the same."""
import struct
import sys


def header(image, name):
    pe = struct.unpack_from("<I", image, 60)[0]
    table = pe + 24 + struct.unpack_from("<H", image, pe + 20)[0]
    for i in range(struct.unpack_from("<H", image, pe + 6)[0]):
        at = table + 40 * i
        if image[at:at + 8].rstrip(b"\0") == name:
            return at
    raise SystemExit("no section " + name.decode())


def cmdline(image):
    at = struct.unpack_from("<I", image, header(image, b".cmdline") + 20)[0]
    at = image.index(b"loglevel=", at) + 9
    image[at:at + 1] = b"3" if image[at:at + 1] != b"3" else b"4"


def initrd(image):
    """A few of the zeros behind it become part of it."""
    at = header(image, b".initrd")
    size, raw = struct.unpack_from("<I", image, at + 8)[0], struct.unpack_from("<I", image, at + 16)[0]
    if size + 4 > raw:
        raise SystemExit("the section is full")
    struct.pack_into("<I", image, at + 8, size + 4)


data = bytearray(open(sys.argv[2], "rb").read())
{"cmdline": cmdline, "initrd": initrd}[sys.argv[1]](data)
open(sys.argv[3], "wb").write(data)
