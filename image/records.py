"""aicert-base.json: what this image measures (aicert image measure), and whole records for the
firmware in firmware.json, whose values were learnt from boots (README.md, "Reference records").
"""
import json
import os
import shutil
import subprocess

from debs import Undone

IMA = {"any": "the kernel measures into it while it runs"}


def program(source, given):
    """The aicert to ask: the one given, the tree's own, or the user's; None: there is none."""
    for path in [given] if given else [os.path.join(source, "build", "aicert"), shutil.which("aicert")]:
        if path and os.access(path, os.X_OK):
            return path
    if given:
        raise Undone("%s: cannot be started" % given)
    return None


def whole(image, firmware):
    """Pairs of the same bank and platform; a firmware's says more after the image part's."""
    for f in firmware["records"]:
        for i in image["records"]:
            if i["bank"] == f["bank"] and f["platform"].startswith(i["platform"] + ", "):
                yield {"bank": i["bank"], "events": i["events"] + f["events"], "part": "whole",
                       "pcrs": dict(i["pcrs"], **f["pcrs"], **{"10": IMA}), "platform": f["platform"]}


def write(aicert, efi, lock, firmware_path, out):
    done = subprocess.run([aicert, "image", "measure", "--lock", lock, efi], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Undone("%s image measure: %s" % (aicert, done.stderr.strip()))
    document = json.loads(done.stdout)
    with open(firmware_path, encoding="ascii") as f:
        document["records"] += list(whole(document, json.load(f)))
    with open(out + ".new", "w", encoding="ascii") as f:
        json.dump(document, f, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    os.replace(out + ".new", out)
