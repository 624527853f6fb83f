"""change-uki.py TREE FROM TO SECTION=FILE | SECTION+=FILE ...: another content, or more of it."""
import struct
import sys

tree, source, target = sys.argv[1:4]
sys.dont_write_bytecode = True
sys.path.insert(0, tree + "/image")
import uki  # noqa: E402

data = bytearray(open(source, "rb").read())
image = uki.Stub(bytes(data))
parts = {}
for i in range(image.count):
    s = image.section(i)
    name = s[0].rstrip(b"\0").decode()
    if name in uki.ORDER:
        parts[name] = bytes(data[s[4]:s[4] + s[1]])
first = image.count - len(parts)
end = max(image.section(i)[4] + image.section(i)[3] for i in range(first))
struct.pack_into("<H", data, image.pe + 6, first)
for change in sys.argv[4:]:
    name, path = change.split("=", 1)
    content = open(path, "rb").read()
    if name.endswith("+"):
        name = name[:-1]
        content = parts[name] + b"\0" * (-len(parts[name]) % 4) + content
    parts[name] = content
open(target, "wb").write(uki.assemble(bytes(data[:end]), parts))
