# An S3 server that checks what it is asked, for tests of s3.c:
#   s3-server.py PORT-FILE [OPTION...]
# It listens on 127.0.0.1, writes its port to PORT-FILE, keeps everything in memory, and
# ends when its standard input does.  Every request must carry a Signature Version 4 that
# is right over the method, the path, the query, the headers and the body's digest.
# Buckets are in the path.  Options:
#   --ignore-conditions   conditional writes succeed whatever is there
#   --refuse-conditions   they are answered with 501
#   --no-uploads          uploads under way cannot be listed
#   --no-list             nothing can be listed
#   --session TOKEN       the session token that must come with the key
#   --public              whoever does not sign may read
#   --log FILE            a line a request
# Requests that begin with /control/ change its behaviour, without a signature:
#   /control/later?N      the next N requests are answered with 503
#   /control/drop?N       the next N answers of GET are cut after 100 kB, of PUT never sent
#   /control/parts?N      what would be more parts of an upload than N is answered with 503; 0: ends
#   /control/swap?KEY     the object's bytes become others of the same length
#   /control/keys         a line of key and size for each object
#   /control/uploads      how many uploads are under way, and their parts
# It is a metadata service too (/latest/...), IMDSv2 only.
import base64, hashlib, hmac, http.server, json, os, re, socketserver, sys, threading, time
from urllib.parse import unquote, quote, parse_qsl
from xml.sax.saxutils import escape

KEY, SECRET, REGION = "AKIDTEST", "secret/with+signs", os.environ.get("S3_REGION", "eu-test-1")
BUCKETS = {"bucket", "other.bucket"}
options = sys.argv[2:]
option = lambda name: name in options
value = lambda name: options[options.index(name) + 1] if name in options else None
lock = threading.RLock()
objects, uploads = {}, {}
state = {"later": 0, "drop": 0, "parts": 0, "upload": 0}


# what was sent in parts is put together for the first who reads it, as servers do
def whole(key):
    if isinstance(objects[key], list):
        objects[key] = b"".join(objects[key])
    return objects[key]


def size(key):
    return sum(map(len, objects[key])) if isinstance(objects[key], list) else len(objects[key])


def etag(data):
    return '"%s"' % hashlib.md5(data).hexdigest()


class Wrong(Exception):
    def __init__(self, status, code, message=""):
        self.status, self.code, self.message = status, code, message


def signature(handler, path, query, digest):
    auth = handler.headers.get("Authorization", "")
    m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
                     r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})", auth)
    if not m:
        raise Wrong(403, "AccessDenied", "not signed")
    key, day, region, names, given = m.groups()
    if key != KEY:
        raise Wrong(403, "InvalidAccessKeyId")
    if region != REGION:
        raise Wrong(400, "AuthorizationHeaderMalformed", "wrong region</Message><Region>%s</Region>"
                    "<Message>" % REGION)
    names = names.split(";")
    must = {"host", "x-amz-date", "x-amz-content-sha256"}
    must |= {n.lower() for n in handler.headers if n.lower() in ("if-match", "if-none-match")}
    if value("--session") is not None:
        must.add("x-amz-security-token")
        if handler.headers.get("x-amz-security-token") != value("--session"):
            raise Wrong(403, "InvalidToken")
    there = {n.lower() for n in handler.headers}
    if not set(names) <= there:
        raise Wrong(403, "SignatureDoesNotMatch", "signed and not sent: %s" % (set(names) - there))
    if not must <= set(names) or names != sorted(names):
        raise Wrong(403, "AccessDenied", "not all headers are signed: %s" % (must - set(names)))
    stamp = handler.headers["x-amz-date"]
    then = time.mktime(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - time.timezone
    if abs(then - time.time()) > 900 or stamp[:8] != day:
        raise Wrong(403, "RequestTimeTooSkewed")
    pairs = sorted((quote(k, "-._~"), quote(v, "-._~")) for k, v in parse_qsl(query, True, True))
    canonical = "\n".join([
        handler.command, quote(unquote(path), "/-._~"), "&".join("%s=%s" % p for p in pairs),
        "".join("%s:%s\n" % (n, " ".join(handler.headers.get(n, "").split())) for n in names),
        ";".join(names), digest])
    scope = "%s/%s/s3/aws4_request" % (day, region)
    text = "AWS4-HMAC-SHA256\n%s\n%s\n%s" % (stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
    k = ("AWS4" + SECRET).encode()
    for part in (day, region, "s3", "aws4_request"):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    if hmac.new(k, text.encode(), hashlib.sha256).hexdigest() != given:
        raise Wrong(403, "SignatureDoesNotMatch", canonical)


def page(text):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode()


def condition(handler, key):
    match, none = handler.headers.get("If-Match"), handler.headers.get("If-None-Match")
    if match is None and none is None:
        return
    if option("--refuse-conditions"):
        raise Wrong(501, "NotImplemented", "A header implies functionality that is not implemented")
    if option("--ignore-conditions"):
        return
    there = whole(key) if key in objects else None
    if none is not None and (none != "*" or there is not None):
        raise Wrong(412, "PreconditionFailed")
    if match is not None and there is None:
        raise Wrong(404, "NoSuchKey")
    if match is not None and etag(there) != match:
        raise Wrong(412, "PreconditionFailed")


def upload_of(query, key):
    u = uploads.get(query.get("uploadId"))
    if u is None or u["key"] != key:
        raise Wrong(404, "NoSuchUpload")
    return u


def put(handler, key, query, body):
    if "partNumber" in query:
        tag, number, u = etag(body), int(query["partNumber"]), upload_of(query, key)
        with lock:
            if len(u["parts"]) >= state["parts"] > 0:
                raise Wrong(503, "SlowDown")
            u["parts"][number], u["tags"][number] = body, tag
        return 200, b"", {"ETag": tag}
    condition(handler, key)
    objects[key] = body
    return 200, b"", {"ETag": etag(body)}


def post(handler, key, query, body):
    if "uploads" in query:
        state["upload"] += 1
        name = "up+load/%d=" % state["upload"]
        uploads[name] = {"key": key, "parts": {}, "tags": {}}
        return 200, page("<InitiateMultipartUploadResult><UploadId>%s</UploadId>"
                         "</InitiateMultipartUploadResult>" % name), {}
    u = upload_of(query, key)
    wanted = re.findall(r"<Part><PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag></Part>", body.decode())
    if [int(n) for n, _ in wanted] != list(range(1, len(wanted) + 1)) or len(wanted) != len(u["parts"]):
        return 200, page("<Error><Code>InvalidPartOrder</Code></Error>"), {}
    for n, tag in wanted:
        part = u["parts"][int(n)]
        if tag.replace("&quot;", '"') != u["tags"][int(n)] or (int(n) < len(wanted) and len(part) < 5 << 20):
            return 200, page("<Error><Code>InvalidPart</Code><Message>part %s</Message></Error>" % n), {}
    objects[key] = [u["parts"][n] for n in sorted(u["parts"])]
    del uploads[query["uploadId"]]
    return 200, page("<CompleteMultipartUploadResult/>"), {}


def listing(bucket, query):
    keys = sorted(k[1] for k in objects if k[0] == bucket and k[1].startswith(query.get("prefix", "")))
    after = base64.b64decode(query.get("continuation-token", "")).decode()
    keys = [k for k in keys if k > after]
    some = keys[:min(int(query["max-keys"]), 40)]
    more = len(some) < len(keys)
    return page("<ListBucketResult><IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>" % (
        str(more).lower(),
        "<NextContinuationToken>%s</NextContinuationToken>" % base64.b64encode(
            some[-1].encode()).decode() if more else "",
        "".join("<Contents><Key>%s</Key><Size>%d</Size></Contents>" % (escape(k), size((bucket, k)))
                for k in some)))


def get(handler, key, query):
    bucket, name = key
    if name == "":
        if option("--no-list") or ("uploads" in query and option("--no-uploads")):
            raise Wrong(403, "AccessDenied")
        if "uploads" in query:
            return 200, page("<ListMultipartUploadsResult>%s</ListMultipartUploadsResult>" % "".join(
                "<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>" % (u["key"][1], i)
                for i, u in uploads.items() if u["key"][0] == bucket and
                u["key"][1].startswith(query["prefix"]))), {}
        return 200, listing(bucket, query), {}
    if "uploadId" in query:
        parts = sorted(upload_of(query, key)["parts"].items())
        parts = [p for p in parts if p[0] > int(query["part-number-marker"])]
        some = parts[:3]
        return 200, page("<ListPartsResult><IsTruncated>%s</IsTruncated><NextPartNumberMarker>%d"
                         "</NextPartNumberMarker>%s</ListPartsResult>" % (
                             str(len(some) < len(parts)).lower(), some[-1][0] if some else 0,
                             "".join("<Part><PartNumber>%d</PartNumber><ETag>&quot;%s&quot;</ETag>"
                                     "<Size>%d</Size></Part>" % (
                                         n, upload_of(query, key)["tags"][n][1:-1], len(b))
                                     for n, b in some))), {}
    if key not in objects:
        raise Wrong(404, "NoSuchKey")
    body, head = whole(key), {"ETag": etag(whole(key))}
    m = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if m and int(m[1]) < len(body):
        head["Content-Range"] = "bytes %s-%d/%d" % (m[1], len(body) - 1, len(body))
        return 206, body[int(m[1]):], head
    if m:
        raise Wrong(416, "InvalidRange")
    return 200, body, head


def control(path, argument):
    if path in ("/control/later", "/control/drop", "/control/parts"):
        state[path[9:]] = int(argument)
    elif path == "/control/swap":
        for key in [k for k in objects if k[1].endswith(argument)]:
            objects[key] = bytes([whole(key)[0] ^ 1]) + objects[key][1:]
    elif path == "/control/keys":
        return "".join("%s/%s %d\n" % (*k, size(k)) for k in sorted(objects)).encode()
    elif path == "/control/uploads":
        return ("%d %d\n" % (len(uploads), sum(len(u["parts"]) for u in uploads.values()))).encode()
    return b""


def metadata(handler, path):
    if handler.command == "PUT" and path == "/latest/api/token":
        return b"meta-token=="
    if handler.headers.get("X-aws-ec2-metadata-token") != "meta-token==":
        raise Wrong(401, "Unauthorized")
    role = "/latest/meta-data/iam/security-credentials/"
    if path == role:
        return b"some-role"
    if path == role + "some-role":
        return json.dumps({"Code": "Success", "AccessKeyId": KEY, "SecretAccessKey": SECRET,
                           "Token": value("--session") or ""}, indent=1).encode()
    raise Wrong(404, "NotFound")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, body, head):
        self.send_response(status)
        for name, text in head.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.command == "GET" and state["drop"] > 0 and len(body) > 200000:
            state["drop"] -= 1
            self.wfile.write(body[:100000])
            self.close_connection = True
            return
        self.wfile.write(body)

    def serve(self, path, query):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            if path.startswith("/control/"):
                return 200, control(path, query), {}
            if path.startswith("/latest/"):
                return 200, metadata(self, path), {}
            if state["later"] > 0:
                state["later"] -= 1
                raise Wrong(503, "SlowDown")
        digest = self.headers.get("x-amz-content-sha256", "")
        unsigned = "Authorization" not in self.headers
        if unsigned and not (option("--public") and self.command in ("GET", "HEAD")):
            raise Wrong(403, "AccessDenied")
        if not unsigned:
            signature(self, path, query, digest)
            if hashlib.sha256(body).hexdigest() != digest:
                raise Wrong(400, "XAmzContentSHA256Mismatch")
        bucket, _, name = unquote(path)[1:].partition("/")
        if bucket not in BUCKETS:
            raise Wrong(404, "NoSuchBucket")
        pairs = dict(parse_qsl(query, True, True))
        if self.command == "PUT" and "partNumber" in pairs:
            return put(self, (bucket, name), pairs, body) # digests of several at a time
        with lock:
            if self.command == "PUT":
                done = put(self, (bucket, name), pairs, body)
                if state["drop"] > 0:
                    state["drop"] -= 1
                    self.close_connection = True
                    return None
                return done
            if self.command == "POST":
                return post(self, (bucket, name), pairs, body)
            if self.command == "DELETE":
                uploads.pop(pairs.get("uploadId"), None)
                return 204, b"", {}
            return get(self, (bucket, name), pairs)

    def handle_any(self):
        path, _, query = self.path.partition("?")
        try:
            done = self.serve(path, query)
        except Wrong as w:
            done = w.status, page("<Error><Code>%s</Code><Message>%s</Message></Error>" % (
                w.code, w.message)), {}
        if value("--log"):
            with open(value("--log"), "a") as f:
                f.write("%s %s %s\n" % (self.command, self.path, done[0] if done else "lost"))
        if done is not None:
            self.answer(*done)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
