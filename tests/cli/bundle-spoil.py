# A bundle that is well formed and not what aicert would write:
#   bundle-spoil.py BUNDLE RESULT WHAT
# All of it is sealed again, so that only what the objects say can give it away.
import hashlib, json, sys, tarfile


def sha(data):
    return hashlib.sha256(data).hexdigest()


def write(path, index, objects):
    text = json.dumps(index, separators=(",", ":"), sort_keys=True).encode()
    members = [("aicert-bundle.json", text)] + sorted(objects)
    members.append(("SHA256SUMS", "".join("%s  %s\n" % (sha(b), n) for n, b in members).encode()))
    with open(path, "wb") as out:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o444
            head = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
            head[329:336] = head[337:344] = b"0000000"
            head[148:156] = b" " * 8
            head[148:156] = b"%06o\0 " % sum(head)
            out.write(bytes(head) + data + b"\0" * (-len(data) % 512))
        out.write(b"\0" * 1024)


source, result, what = sys.argv[1:4]
with tarfile.open(source) as tar:
    files = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
index = json.loads(files.pop("aicert-bundle.json"))
files.pop("SHA256SUMS")
subject = index["subjects"][0]["certificate"][7:]
certificates = [n for n in files if n.startswith("certificate/")]


def rename(old, data):
    new = old.split("/")[0] + "/" + sha(data)
    del files[old]
    files[new] = data
    return new


if what == "same":
    pass
elif what == "drop-ancestor":
    for name in certificates:
        if name != "certificate/" + subject:
            del files[name]
elif what == "edit-certificate":
    # a self-consistent forgery: certificate, commit, head and index all agree
    old = "certificate/" + subject
    new = rename(old, files[old].replace(b'cat mid', b'cat Mid'))
    for name in [n for n in files if n.startswith("commit/")]:
        if subject.encode() in files[name]:
            commit = rename(name, files[name].replace(subject.encode(), new[12:].encode()))
            index["heads"] = [{"id": "sha256:" + commit[7:], "type": "commit"}]
    index["subjects"][0]["certificate"] = "sha256:" + new[12:]
elif what == "junk":
    files["blob/" + sha(b"junk")] = b"junk"
elif what == "drop-commit":
    name = [n for n in files if n.startswith("commit/") and b'"parents":[]' in files[n]][0]
    del files[name]
elif what == "bad-commit":
    name = "commit/" + index["heads"][0]["id"][7:]
    new = rename(name, files[name].replace(b'"message":', b'"massage":'))
    index["heads"][0]["id"] = "sha256:" + new[7:]
elif what == "path":
    files["commit/../../../../etc/x"] = b"x"
elif what == "wrong-type":
    for name in certificates:
        files["blob/" + name.split("/")[1]] = files.pop(name)
elif what == "fake-digest":
    name = "certificate/" + subject
    files[name] = files[name].replace(b'cat mid', b'cat Mid')
else:
    sys.exit("what?")
write(result, index, files.items())
