"""An initramfs archive ("newc") that depends on names and contents alone."""
import stat


def entry(number, name, mode, data, mtime):
    name = name.encode("ascii") + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, mtime, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def archive(nodes, mtime):
    """nodes: (path, mode with its type, bytes), in any order."""
    out = [entry(i + 1, path, mode, data, mtime) for i, (path, mode, data) in enumerate(sorted(nodes))]
    out.append(entry(0, "TRAILER!!!", 0, b"", 0))
    blob = b"".join(out)
    return blob + b"\0" * (-len(blob) % 512)
