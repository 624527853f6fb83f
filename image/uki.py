"""Puts a Unified Kernel Image together: systemd's stub and, as PE sections, what it starts.

The PE file is written here and not by objcopy, which writes the time into the header
and leaves the stub's symbol table behind the sections, where signing would change the
image's Authenticode hash.  The result depends on the parts alone.
"""
import struct

FILE_ALIGN = 512
PAGE = 4096
FLAGS = 0x40000040              # initialised data, readable
ORDER = (".osrel", ".cmdline", ".uname", ".initrd", ".linux")


def up(n, to):
    return (n + to - 1) // to * to


def checksum(image, at):
    """The PE checksum; the field itself counts as zero."""
    data = bytes(image[:at]) + b"\0\0\0\0" + bytes(image[at + 4:])
    data += b"\0" * (-len(data) % 4)
    total = sum(struct.unpack("<%dI" % (len(data) // 4), data))
    total = (total >> 32) + (total & 0xffffffff)
    total = (total >> 16) + (total & 0xffff)
    total = (total >> 16) + (total & 0xffff)
    return (total + len(image)) & 0xffffffff


class Stub:
    def __init__(self, data):
        self.data = data
        self.pe, = struct.unpack_from("<I", data, 0x3c)
        if data[:2] != b"MZ" or data[self.pe:self.pe + 4] != b"PE\0\0":
            raise ValueError("the stub is no PE file")
        self.count, self.optional_size = struct.unpack_from("<H12xH", data, self.pe + 6)
        self.optional = self.pe + 24
        if struct.unpack_from("<H", data, self.optional)[0] != 0x20b:
            raise ValueError("the stub is not PE32+")
        self.table = self.optional + self.optional_size

    def section(self, i):
        return struct.unpack_from("<8sIIIIIIHHI", self.data, self.table + 40 * i)


def assemble(stub_data, parts):
    """parts: section name -> bytes."""
    stub = Stub(stub_data)
    sections = [stub.section(i) for i in range(stub.count)]
    headers_size = max(up(stub.table + 40 * (stub.count + len(parts)), FILE_ALIGN),
                       struct.unpack_from("<I", stub_data, stub.optional + 60)[0])
    if headers_size > min(s[4] for s in sections if s[3]):
        raise ValueError("the stub's headers have no room for %d sections" % len(parts))
    end = max(s[4] + s[3] for s in sections)
    image = bytearray(stub_data[:end])
    image += b"\0" * (up(end, FILE_ALIGN) - end)
    address = up(max(s[2] + s[1] for s in sections), PAGE)
    slot = stub.table + 40 * stub.count
    for name in ORDER:
        if name not in parts:
            continue
        data = parts[name]
        struct.pack_into("<8sIIIIIIHHI", image, slot, name.encode("ascii"), len(data), address,
                         up(len(data), FILE_ALIGN), len(image), 0, 0, 0, 0, FLAGS)
        image += data + b"\0" * (-len(data) % FILE_ALIGN)
        address = up(address + len(data), PAGE)
        slot += 40
    pe, optional = stub.pe, stub.optional
    struct.pack_into("<HIII", image, pe + 6, stub.count + len(parts), 0, 0, 0)
    struct.pack_into("<I", image, optional + 56, address)
    struct.pack_into("<I", image, optional + 60, headers_size)
    struct.pack_into("<I", image, optional + 64, checksum(image, optional + 64))
    return bytes(image)
