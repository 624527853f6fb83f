"""Changes one byte of HEAD's certificate where the store keeps it."""
import pathlib
import subprocess


def aicert(*args):
    return subprocess.run(["aicert", *args], check=True, capture_output=True).stdout


commit = aicert("cat-file", "-p", "HEAD").decode()
certificate = commit.split('"subject":{"id":"sha256:')[1][:64]
text = aicert("cat-file", "-p", certificate)
large = pathlib.Path(".aicert/objects", certificate[:2], certificate[2:])
path = large if large.exists() else pathlib.Path(".aicert/objects/small.db")
data = bytearray(path.read_bytes())
at = data.index(text[:500]) + text.index(b'"data":"') + 40
data[at] ^= 1
path.chmod(0o644)
path.write_bytes(data)
