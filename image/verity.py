"""dm-verity's hash tree over a file, appended to it: version 1, SHA-256, blocks of 4096, no salt, no superblock."""
import hashlib

BLOCK = 4096


def level(data):
    digests = b"".join(hashlib.sha256(data[i:i + BLOCK]).digest() for i in range(0, len(data), BLOCK))
    return digests + b"\0" * (-len(digests) % BLOCK)


def append(path):
    """The root hash in hex, and how many blocks of data precede the tree."""
    with open(path, "r+b") as f:
        data = f.read()
        data += b"\0" * (-len(data) % BLOCK)
        levels = [level(data)]
        while len(levels[-1]) > BLOCK:
            levels.append(level(levels[-1]))
        f.seek(0)
        f.write(data)
        for one in reversed(levels):    # the topmost first
            f.write(one)
        f.truncate()
    return hashlib.sha256(levels[-1]).hexdigest(), len(data) // BLOCK
