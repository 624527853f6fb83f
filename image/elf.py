"""As much of ELF as it takes to find a program's libraries and a kernel module's needs."""
import struct

PT_DYNAMIC, PT_INTERP, PT_LOAD = 2, 3, 1
DT_NEEDED, DT_STRTAB = 1, 5


def string_at(data, offset):
    return data[offset:data.index(b"\0", offset)].decode("ascii")


def is_elf(data):
    return data[:5] == b"\x7fELF\x02"


def segments(data):
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, at, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        yield kind, at, address, length


def needed(data):
    """The sonames it is linked with, and its interpreter or None."""
    loads, dynamic, interpreter = [], None, None
    for kind, at, address, length in segments(data):
        if kind == PT_LOAD:
            loads.append((address, at, length))
        elif kind == PT_DYNAMIC:
            dynamic = (at, length)
        elif kind == PT_INTERP:
            interpreter = string_at(data, at)
    if dynamic is None:
        return [], interpreter
    entries = [struct.unpack_from("<qQ", data, dynamic[0] + i) for i in range(0, dynamic[1], 16)]
    table = [value for tag, value in entries if tag == DT_STRTAB]
    if not table:
        return [], interpreter
    base = next(at + table[0] - address for address, at, length in loads
                if address <= table[0] < address + length)
    return [string_at(data, base + value) for tag, value in entries if tag == DT_NEEDED], interpreter


def modinfo(data):
    """A kernel module's .modinfo: key -> value, the first of each."""
    offset, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    names_at = headers[names][4]
    for name, _, _, _, at, length in headers:
        if string_at(data, names_at + name) == ".modinfo":
            pairs = [t.split("=", 1) for t in data[at:at + length].decode("latin-1").split("\0") if "=" in t]
            return {k: v for k, v in reversed(pairs)}
    return {}
