# Bundles that were changed, each given to a command that has to refuse it:
#   bundle-flip.py BUNDLE COUNT COMMAND...      {} in COMMAND is the changed file
# COUNT places spread over the file get one bit flipped, then the file is cut at as
# many lengths.  The command must end with status 1 and say where in aicert-bundle(5).
import subprocess, sys

bundle, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
good = open(bundle, "rb").read()
changed = bundle + ".changed"


def refused(data, what):
    with open(changed, "wb") as f:
        f.write(data)
    done = subprocess.run([changed if word == "{}" else word for word in command],
                          capture_output=True)
    if done.returncode != 1 or b"aicert-bundle(5) section" not in done.stderr or done.stdout:
        sys.exit("%s: status %d, %r %r" % (what, done.returncode, done.stdout, done.stderr))


for i in range(count):
    at = (i * len(good) * 8 + len(good)) // count
    data = bytearray(good)
    data[at // 8] ^= 1 << at % 8
    refused(data, "bit %d flipped" % at)
for i in range(count):
    length = i * len(good) // count
    refused(good[:length], "cut after %d bytes" % length)
print(2 * count, "changes refused")
