#!/usr/bin/env python3
"""A web server that does to its clients what DIR/mode says, for the tests of remotes.

hostile-web.py DIR CERT KEY    writes its port to DIR/port, and every request with its
                               Authorization to DIR/requests; serves the files of DIR/www
"""
import http.server
import json
import os
import ssl
import sys

where, cert, key = sys.argv[1:4]


def mode():
    try:
        with open(os.path.join(where, "mode")) as f:
            return f.read().split()
    except FileNotFoundError:
        return ["plain"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        try:
            while True:
                self.wfile.write(block)
        except OSError:
            self.close_connection = True

    def refs(self, what, value):
        hub = "application/vnd.aicert.ref-list.v1+json"
        if what == "endless":
            return self.endless(hub)
        name = {"names": "refs/heads/../../etc", "escape": "refs/heads/a\x1b[2Jb"}.get(what, "refs/heads/main")
        kind = "blob" if what == "blobs" else "commit"
        body = {"mediaType": hub, "refs": [{"name": name, "object": {"id": "sha256:" + value, "type": kind}}]}
        if what == "twice":
            body["refs"] *= 2
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.answer(200, text.encode(), hub)

    def do_GET(self):
        with open(os.path.join(where, "requests"), "a") as f:
            f.write("%s %s %s\n" % (self.command, self.path, self.headers.get("Authorization", "-")))
        what, value = (mode() + ["0" * 64])[:2]
        if what == "redirect":
            return self.answer(302, b"", Location=value + self.path)
        if self.path == "/v1/refs" and what != "plain":
            return self.refs(what, value)
        if self.path.startswith("/v1/objects/") and what == "wrong":
            return self.answer(200, b"other bytes\n")
        if self.path.startswith("/v1/objects/") and what == "long":
            return self.endless("application/octet-stream")
        try:
            with open(os.path.join(where, "www") + self.path, "rb") as f:
                self.answer(200, f.read())
        except OSError:
            self.answer(404, b"no\n", "text/plain")

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        self.rfile.read(length)
        self.answer(404, b"no\n", "text/plain")

    do_PUT = do_POST


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(where, "port.new"), "w") as f:
    f.write(str(server.server_address[1]))
os.rename(os.path.join(where, "port.new"), os.path.join(where, "port"))
server.serve_forever()
