"""Clients of a daemon that do everything at once, for some seconds, and expect exactly what
the protocol says: load.py URL SECONDS CLIENTS TOKEN TOKEN.  At the end every object that
was acknowledged must be there.  Prints how often each thing was done."""
import collections, hashlib, http.client, json, os, random, ssl, sys, threading, time

URL, SECONDS, CLIENTS = sys.argv[1][len("https://"):], float(sys.argv[2]), int(sys.argv[3])
TOKENS = sys.argv[4:6]
TLS = ssl._create_unverified_context()
LISTS = "application/vnd.aicert.object-list.v1+json"
lock = threading.Lock()
stored = [{}, {}]           # by principal: id -> length
done, wrong = collections.Counter(), []


class Client:
    def __init__(self, who, seed):
        self.who, self.rng, self.http = who, random.Random(seed), None

    def ask(self, method, path, body=None, headers=None, token=True):
        """Status, headers, body; a connection that the daemon had closed is opened again."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + TOKENS[self.who]
        for attempt in range(3):
            try:
                if self.http is None:
                    self.http = http.client.HTTPSConnection(URL, context=TLS, timeout=60)
                self.http.request(method, path, body, headers)
                r = self.http.getresponse()
                return r.status, r.headers, r.read()
            except (OSError, http.client.HTTPException):
                self.drop()
                if attempt == 2:
                    raise

    def drop(self):
        if self.http is not None:
            self.http.close()
        self.http = None

    def expect(self, what, status, *allowed):
        done[what] += 1
        if status not in allowed:
            wrong.append("%s: status %s" % (what, status))
        return status == allowed[0]

    def fresh(self):
        data = self.rng.randbytes(self.rng.choice((16, 3000, 40000, 300000)))
        return hashlib.sha256(data).hexdigest(), data

    def known(self, who):
        with lock:
            return self.rng.choice(list(stored[who].items())) if stored[who] else None

    def put(self):
        name, data = self.fresh()
        if self.expect("put", self.ask("PUT", "/v1/objects/" + name, data)[0], 201, 200, 204):
            with lock:
                stored[self.who][name] = len(data)

    def get(self):
        known = self.known(self.who)
        if known is not None:
            status, _, body = self.ask("GET", "/v1/objects/" + known[0])
            if self.expect("get", status, 200) and hashlib.sha256(body).hexdigest() != known[0]:
                wrong.append("get: other bytes than those of %s" % known[0])

    def of_others(self):
        known = self.known(1 - self.who)
        if known is not None and known[0] not in stored[self.who]:
            self.expect("of others", self.ask("GET", "/v1/objects/" + known[0])[0], 404)

    def part(self):
        known = self.known(self.who)
        if known is not None and known[1] > 100:
            status, _, body = self.ask("GET", "/v1/objects/" + known[0],
                                       headers={"Range": "bytes=10-59"})
            if self.expect("part", status, 206) and len(body) != 50:
                wrong.append("part: %d bytes for 50" % len(body))

    def missing(self):
        absent = ["sha256:%064x" % self.rng.getrandbits(256) for _ in range(30)]
        with lock:
            here = ["sha256:" + name for name in list(stored[self.who])[:30]]
        body = json.dumps({"mediaType": LISTS, "objects": absent + here}, separators=(",", ":"))
        status, _, answer = self.ask("POST", "/v1/objects/missing", body)
        if self.expect("missing", status, 200, 429) and json.loads(answer)["objects"] != absent:
            wrong.append("missing: another list")

    def lie(self):
        name, data = self.fresh()
        self.expect("lie", self.ask("PUT", "/v1/objects/" + name, data + b"!")[0], 422)
        self.expect("lie", self.ask("GET", "/v1/objects/" + name)[0], 404)

    def bad_range(self):
        name, data = self.fresh()
        self.expect("bad range", self.ask("PUT", "/v1/objects/" + name, data[:5], {
            "Content-Range": self.rng.choice(("bytes 9-2/3", "bytes 0-99/5", "lines 1-2/3"))})[0], 400)
        self.expect("bad offset", self.ask("PUT", "/v1/objects/" + name, b"12345", {
            "Content-Range": "bytes 5-9/20"})[0], 409)

    def cut(self):
        """The connection goes in the middle of a body; then the rest is sent."""
        name, data = self.fresh()
        if len(data) < 30000:
            return
        self.drop()
        c = http.client.HTTPSConnection(URL, context=TLS, timeout=60)
        c.putrequest("PUT", "/v1/objects/" + name)
        c.putheader("Authorization", "Bearer " + TOKENS[self.who])
        c.putheader("Content-Length", str(len(data)))
        c.endheaders()
        c.send(data[:20000])
        c.close()
        for _ in range(200):
            status, headers, _ = self.ask("HEAD", "/v1/objects/" + name)
            at = int(headers.get("Upload-Offset", 0))
            rest = {"Content-Range": "bytes %d-%d/%d" % (at, len(data) - 1, len(data))} if at else {}
            status = self.ask("PUT", "/v1/objects/" + name, data[at:], rest)[0]
            if status != 409:
                break
            time.sleep(0.02)        # the daemon has not noticed yet
        if self.expect("cut", status, 201):
            with lock:
                stored[self.who][name] = len(data)

    def give_up(self):
        known = self.known(self.who)
        if known is not None:
            c = http.client.HTTPSConnection(URL, context=TLS, timeout=60)
            c.request("GET", "/v1/objects/" + known[0],
                      headers={"Authorization": "Bearer " + TOKENS[self.who]})
            c.sock.recv(1)
            c.close()
            done["give up"] += 1

    def identity(self):
        path = "/v1/identity?nonce=%064x" % self.rng.getrandbits(256)
        self.expect("identity", self.ask("GET", path, token=False)[0], 200, 429, 503)

    def trick(self):
        path = self.rng.choice(("/v1/objects/../../etc/passwd", "/%00v1/objects/" + "0" * 64,
                                "/v1%2fobjects/" + "0" * 64, "/v1/objects/" + "g" * 64, "//"))
        self.expect("trick", self.ask("GET", path)[0], 404, 400)

    def run(self):
        command = self.rng.choice(("echo out >o", "sleep 30", "exit 3"))
        spec = {"command": ["sh", "-c", "echo log; " + command], "env": {}, "image": "host",
                "imageFile": None, "inputs": [], "outputs": [{"kind": "file", "path": "o", "type": "blob"}],
                "limits": dict.fromkeys(("cpuMillis", "memoryBytes", "shmBytes", "timeSeconds")),
                "version": 1}
        body = json.dumps({"mediaType": "application/vnd.aicert.run-request.v1+json",
                           "nonce": "%064x" % self.rng.getrandbits(256), "spec": spec},
                          separators=(",", ":"), sort_keys=True)
        status, _, answer = self.ask("POST", "/v1/runs", body)
        if not self.expect("run", status, 201, 429):
            return
        path = "/v1/runs/" + json.loads(answer)["run"]
        if "sleep" in command:
            self.expect("cancel", self.ask("DELETE", path)[0], 200, 202, 204)
        status, _, log = self.ask("GET", path + "/log?offset=0&follow=1")
        if self.expect("log", status, 200) and "sleep" not in command and not log.startswith(b"log\n"):
            wrong.append("log: %r" % log[:80])
        for _ in range(600):
            state = json.loads(self.ask("GET", path)[2])["state"]
            if state in ("done", "failed", "cancelled", "interrupted"):
                break
            time.sleep(0.1)
        want = {"echo out >o": ("done",), "exit 3": ("done", "failed"), "sleep 30": ("cancelled", "done", "failed")}
        if state not in want[command]:
            wrong.append("run: %s is %s" % (command, state))
        if command == "echo out >o":
            self.expect("certificate", self.ask("GET", path + "/certificate")[0], 200)

    def work(self, end):
        deeds = [self.put] * 4 + [self.get] * 6 + [self.of_others, self.part, self.missing, self.lie,
                 self.bad_range, self.cut, self.give_up, self.identity, self.trick, self.run]
        while time.monotonic() < end and len(wrong) < 10:
            try:
                self.rng.choice(deeds)()
            except Exception as e:
                wrong.append("%s: %s" % (type(e).__name__, e))
                self.drop()


end = time.monotonic() + SECONDS
threads = [threading.Thread(target=Client(i % 2, i).work, args=(end,)) for i in range(CLIENTS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for who in (0, 1):
    c = Client(who, -1)
    for name in stored[who]:
        status, _, body = c.ask("GET", "/v1/objects/" + name)
        if not c.expect("still there", status, 200) or hashlib.sha256(body).hexdigest() != name:
            wrong.append("lost: %s" % name)
print(", ".join("%s %d" % pair for pair in sorted(done.items())))
for line in wrong[:20]:
    print(line)
sys.exit(1 if wrong or min(done[k] for k in ("put", "get", "cut", "run", "cancel", "missing")) == 0 else 0)
