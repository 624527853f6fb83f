#!/usr/bin/python3
"""Writes the golden documents beside it: the rules of aicert-certificate(5) in
another language, so that the C code is not compared with itself.  The texts are
frozen: a change that alters one of them needs a new version of its format."""

import base64
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def canonical(value):
    """RFC 8785 for integers and ASCII names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def b64(data):
    return base64.b64encode(data).decode()


def digest(name):
    return sha256(name.encode())


def thing(type_, path, kind, size, **more):
    return {"type": type_, "path": path, "kind": kind, "size": size,
            "digests": {"sha256": digest(path), **more}}


def source(origin, src=None, license_=None, made_by=None, ignored=None):
    return {"origin": origin, "source": src, "license": license_, "madeBy": made_by,
            "ignored": ignored}


NONCE = digest("nonce")
SPKI = b"the run key, SubjectPublicKeyInfo in DER, of 91 bytes in a real one"

INPUTS = [
    {**thing("blob", "train.py", "code", 1534), **source("declared")},
    {**thing("tree", "data/words", "dataset", 987654321,
             sha384=hashlib.sha384(b"words").hexdigest(),
             sha512=hashlib.sha512(b"words").hexdigest(), blake3=digest("blake3")),
     **source("fetched", "https://example.org/words?a=1&b=\u00e9", "CC0-1.0",
              ignored={"count": 12, "rules": "sha256:" + digest("rules")})},
    {**thing("blob", "base.safetensors", "model", 9007199254740991),
     **source("declared", made_by={"certificate": "sha256:" + digest("ancestor"),
                                   "path": "out/base.safetensors"})},
]


def spec(image, image_file, outputs, limits):
    return {"version": 1, "image": image, "imageFile": image_file,
            "command": ["python3", "train.py", "", "quote \" slash \\ tab\t \u20ac \U0001f600"],
            "env": {"SEED": "1", "_a": "", "A9": "x=y"}, "inputs": INPUTS,
            "outputs": outputs, "limits": limits}


def run(name, image, image_file, verity, outputs, results, finished, tpm):
    events = []

    def add(pcr, event, **members):
        events.append({"pcr": pcr, "data": {"v": 1, "event": event, "run": digest("run " + name),
                                            "seq": len(events), **members}})

    limits = {"cpuMillis": 1500, "memoryBytes": 4294967296, "timeSeconds": 7200, "shmBytes": None}
    add(14, "run_request", nonce=NONCE, spec=spec(image, image_file, outputs, limits),
        image={"name": "unmeasured", "version": None}, daemon={"version": "0.1.0"}, tpm=tpm,
        sandbox={"name": "crun", "version": "1.8.1", "rootless": False, "userNamespace": True,
                 "seccomp": True, "cgroup": True, "uid": 65534},
        config={"queue": "4", "log": "info"}, network="none")
    if image == "host":
        add(14, "input_image", image=image, verity=verity)
    else:
        add(14, "input_image", image=image, **image_file)
    for item in INPUTS:
        add(14, "input_resource", **item)
    add(14, "inputs_sealed", runKey={"algorithm": "ecdsa-p256-sha256",
                                     "digests": {"sha256": sha256(SPKI)}, "spki": b64(SPKI)})
    add(15, "run_started", pcr14={"sha256": digest("pcr14"),
                                  "sha384": hashlib.sha384(b"pcr14").hexdigest()})
    for kind, members in results:
        add(15, kind, **members)
    add(15, "run_finished", **finished)
    add(15, "outputs_sealed", outputs=len(outputs))
    return events


def ok_run():
    outputs = [{"type": "blob", "path": "model.safetensors", "kind": "model"},
               {"type": "tree", "path": "ckpt", "kind": "checkpoint"}]
    results = [("output_resource", thing("blob", "model.safetensors", "model", 4096)),
               ("output_resource", thing("tree", "ckpt", "checkpoint", 0))]
    finished = {"reason": "exited", "exitCode": 0, "signal": None,
                "started": "2026-11-23T19:00:00Z", "finished": "2026-11-23T19:00:07Z",
                "tpm": {"clock": 123456, "resetCount": 4294967295, "restartCount": 0},
                "log": {"type": "blob", "size": 77, "digests": {"sha256": digest("log")},
                        "truncated": False},
                "cpuMicroseconds": 6500000, "peakMemoryBytes": 123456789,
                "devices": ["/dev/nvidia0", "/dev/nvidia1"]}
    return run("ok", "host", None, None, outputs, results, finished, "embedded")


def failed_run():
    image = thing("blob", "root.tar.zst", "image", 33554432)
    outputs = [{"type": "blob", "path": "model.safetensors", "kind": "model"}]
    results = [("output_missing", {**outputs[0], "reason": "not-run"})]
    finished = {"reason": "sandbox", "exitCode": None, "signal": None, "started": None,
                "finished": None, "tpm": {"clock": 1, "resetCount": 0, "restartCount": 0},
                "log": {"type": "blob", "size": 0, "digests": {"sha256": sha256(b"")},
                        "truncated": True},
                "cpuMicroseconds": None, "peakMemoryBytes": None, "devices": []}
    return run("failed", "rootfs", image, None, outputs, results, finished, "device")


def descriptor(ev):
    out = {"name": ev["path"], "digest": ev["digests"]}
    if ev["type"] == "tree":
        out["mediaType"] = "application/vnd.aicert.tree.v1"
    return out


def dependency(ev):
    out = descriptor(ev)
    out["annotations"] = {"kind": ev["kind"]}
    if "origin" in ev:
        out["annotations"].update({k: ev[k] for k in ("origin", "license", "madeBy", "ignored")})
        if ev["source"] is not None:
            out["uri"] = ev["source"]
    return out


def statement(events):
    events = [e["data"] for e in events]
    request = events[0]
    fin = events[-2]
    metadata = {"invocationId": "urn:aicert:run:" + request["run"],
                "aicert_result": {k: fin[k] for k in ("exitCode", "reason", "signal")}}
    if fin["started"] is not None:
        metadata.update(startedOn=fin["started"], finishedOn=fin["finished"])
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [descriptor(e) for e in events if e["event"] == "output_resource"],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:aicert:attested-run:v1",
                "externalParameters": {k: v for k, v in request["spec"].items() if k != "inputs"},
                "internalParameters": {k: request[k] for k in (
                    "run", "nonce", "image", "daemon", "tpm", "sandbox", "config", "network")},
                "resolvedDependencies": [dependency(e) for e in events
                                         if e["event"] in ("input_image", "input_resource")
                                         and "digests" in e]},
            "runDetails": {
                "builder": {"id": "urn:aicert:daemon:v1",
                            "version": {"aicertd": request["daemon"]["version"]}},
                "metadata": metadata,
                "byproducts": [{"name": "log", "digest": fin["log"]["digests"]}]}}}


def quote(name, banks):
    pcrs = {}
    for bank in banks:
        pcrs[bank] = {str(i): hashlib.new(bank, ("%s %d" % (name, i)).encode()).hexdigest()
                      for i in range(24)}
    return {"attest": b64(b"TPMS_ATTEST " + name.encode()),
            "signature": b64(b"TPMT_SIGNATURE " + name.encode()), "pcrs": pcrs}


def certificate(events, banks, chain, boot_log, hardware):
    return {
        "mediaType": "application/vnd.aicert.certificate.v1+json", "nonce": NONCE,
        "events": [{"pcr": e["pcr"], "data": canonical(e["data"]).decode()} for e in events],
        "attestations": [{
            "format": "tpm2-quote", "quote": quote("final", banks),
            "startQuote": quote("start", banks),
            "ak": {"public": b64(b"TPMT_PUBLIC"), "chain": chain},
            "bootLog": boot_log, "hardware": hardware}],
        "envelope": {
            "payloadType": "application/vnd.in-toto+json",
            "payload": b64(canonical(statement(events))),
            "signatures": [{"keyid": sha256(SPKI), "sig": b64(b"a signature in DER")}]}}


def ref(type_, name):
    return {"type": type_, "id": "sha256:" + digest(name)}


def commit(kind, parents, subject, **more):
    return {"mediaType": "application/vnd.aicert.commit.v1+json", "kind": kind,
            "parents": ["sha256:" + digest(p) for p in parents], "subject": subject,
            "author": {"name": "A U Thor", "email": "author@example.org"},
            "time": "2026-11-23T19:00:08Z", "message": "pretrain\n\n\u00fcber\n", "code": None, **more}


def tree():
    entries = [
        (b"a", "100644", 0), (b"a b", "100755", 10), (b"a%20b", "100644", 1),
        (b"dir", "040000", 9007199254740000), (b"line\nfeed", "100644", 2),
        (b"link", "120000", 7), (b"\x01\x7f\x80\xff", "100644", 3), (b"-", "100644", 4),
        ("\u00e9t\u00e9".encode(), "100644", 5), (b".gitignore", "100644", 6),
    ]
    out = b"aicert tree 1\n"
    for name, mode, size in sorted(entries):
        text = b"".join(b"%%%02X" % c if c <= 0x20 or c in (0x7f, 0x25) else bytes([c])
                        for c in name)
        out += b"%s %d %s %s\n" % (mode.encode(), size, sha256(name).encode(), text)
    return out


def documents():
    ok, failed = ok_run(), failed_run()
    for name, events in (("ok", ok), ("failed", failed)):
        for e in events:
            yield "event-%s-%02d-%s.json" % (name, e["data"]["seq"], e["data"]["event"]), \
                canonical(e["data"])
        yield "statement-%s.json" % name, canonical(statement(events))
        yield "spec-%s.json" % name, canonical(events[0]["data"]["spec"])
    boot_log = {"type": "blob", "digests": {"sha256": digest("boot log")}, "size": 30000,
                "mediaType": "application/vnd.aicert.tcg-event-log"}
    yield "certificate-ok.json", canonical(certificate(
        ok, ("sha256", "sha384"), [b64(b"leaf"), b64(b"intermediate")], boot_log, None))
    yield "certificate-failed.json", canonical(certificate(
        failed, ("sha256",), [], None, {"format": "azure-hcl-snp", "report": b64(b"HCL report"),
                                "chain": [b64(b"VCEK"), b64(b"ASK")]}))
    yield "commit-run.json", canonical(commit("run", ["p"], ref("certificate", "c"),
                                              code={"git": "0123456789abcdef" * 2 + "01234567"}))
    yield "commit-root.json", canonical(commit("run", [], ref("certificate", "c")))
    yield "commit-evidence.json", canonical(commit("evidence", ["p"], ref("evidence", "e")))
    yield "commit-revoke.json", canonical(commit("revoke", ["p"], ref("certificate", "c"),
                                                 reason="poisoned data"))
    yield "commit-merge.json", canonical(commit("merge", ["p", "q"], None))
    resource = {**thing("tree", "data/words", "dataset", 12),
                **source("declared", "https://example.org/words", "CC0-1.0",
                         ignored={"count": 3, "rules": "sha256:" + digest("rules")})}
    yield "commit-import.json", canonical(commit("import", ["p"], ref("tree", "data/words"),
                                                 resource=resource))
    yield "commit-signed.json", canonical(commit(
        "run", ["p"], ref("certificate", "c"), annotations={"note": [1, {"x": None}]},
        signature={"format": "ssh", "data": b64(b"SSHSIG")}))
    yield "commit-unsigned.json", canonical(commit(
        "run", ["p"], ref("certificate", "c"), annotations={"note": [1, {"x": None}]}))
    for kind in ("rfc3161", "log-proof", "crl", "ssh-signature", "enrolment"):
        yield "evidence-%s.json" % kind, canonical({
            "mediaType": "application/vnd.aicert.evidence.v1+json", "kind": kind,
            "subject": ref("certificate", "c"), "data": b64(b"token " + kind.encode())})
    yield "tree.txt", tree()
    yield "tree-empty.txt", b"aicert tree 1\n"


def main():
    sums = []
    for name, data in documents():
        with open(os.path.join(HERE, name), "wb") as out:
            out.write(data)
        sums.append("%s  %s\n" % (sha256(data), name))
    with open(os.path.join(HERE, "SHA256SUMS"), "w") as out:
        out.writelines(sorted(sums, key=lambda line: line.split()[1]))


if __name__ == "__main__":
    main()
