#!/usr/bin/env python3
"""Peers that misbehave, for the tests of remote runners.

peer.py tcp DIR            passes connections on to the port that DIR/backend names;
                           DIR/cut-up and DIR/cut-down hold a number of bytes after which a
                           connection is cut, once; DIR/rate a number of bytes a second;
                           SIGUSR1 drops all connections; DIR/passed-up and
                           DIR/passed-down count bytes, written when a connection ends
peer.py http DIR CERT KEY  ends TLS, speaks HTTP with the TLS server at the port that
                           DIR/backend names, and does to its answers what DIR/mode says

Both write their port to DIR/port, and http what it was asked to DIR/requests.
"""
import base64
import http.client
import http.server
import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time

where = sys.argv[2]


def read(name, default=""):
    try:
        with open(os.path.join(where, name)) as f:
            return f.read().strip()
    except FileNotFoundError:
        return default


def write(name, text, mode="w"):
    path = os.path.join(where, name)
    if mode == "w":
        with open(path + ".new", mode) as f:
            f.write(text)
        os.rename(path + ".new", path)
    else:
        with open(path, mode) as f:
            f.write(text)


def remove(name):
    try:
        os.unlink(os.path.join(where, name))
    except FileNotFoundError:
        pass


class Passage:
    def __init__(self):
        self.lock = threading.Lock()
        self.sockets = set()
        self.passed = {"cut-up": 0, "cut-down": 0}

    def drop(self, *_):
        for s in list(self.sockets):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def take(self, name, n):
        """False when the limit in the file is used up; the file goes with it."""
        with self.lock:
            self.passed[name] += n
            left = read(name)
            if left == "":
                return True
            if int(left) <= n:
                remove(name)
                return False
            write(name, str(int(left) - n))
            return True

    def pump(self, source, target, limit):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                rate = int(read("rate", "0"))
                if rate:
                    time.sleep(len(data) / rate)
                target.sendall(data)
                if not self.take(limit, len(data)):
                    break
        except OSError:
            pass
        with self.lock:
            write(limit.replace("cut", "passed"), str(self.passed[limit]))
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(self, client):
        server = socket.socket()
        try:
            server.connect(("127.0.0.1", int(read("backend"))))
        except OSError:
            client.close()
            return
        self.sockets |= {client, server}
        down = threading.Thread(target=self.pump, args=(server, client, "cut-down"))
        down.start()
        self.pump(client, server, "cut-up")
        down.join()
        self.sockets -= {client, server}
        client.close()
        server.close()

    def main(self):
        signal.signal(signal.SIGUSR1, self.drop)
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        write("port", str(listener.getsockname()[1]))
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()


def own_spki(cert):
    from subprocess import PIPE, run
    pem = run(["openssl", "x509", "-in", cert, "-noout", "-pubkey"], stdout=PIPE, check=True).stdout
    return run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, stdout=PIPE,
               check=True).stdout


def canonical(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def change(mode, path, status, body):
    """What a dishonest peer makes of an answer."""
    word, _, argument = mode.partition(" ")
    if path.startswith("/v1/identity"):
        if word == "own-key":
            document = json.loads(body)
            document["spki"] = base64.b64encode(own_spki(sys.argv[3])).decode()
            return status, canonical(document)
        if word == "record":
            write("identity", base64.b64encode(body).decode())
        if word == "replay":
            return status, base64.b64decode(read("identity"))
        if word == "redirect":
            return 307, b""
        if word == "endless":
            return status, b"x" * (64 * 1024 * 1024)
        if word == "garbage":
            return status, b'{"mediaType":'
    if (word == "flip" and path.startswith("/v1/objects/") and not path.endswith("/missing") and
            len(body) > 0 and status in (200, 206)):
        return status, body[:-1] + bytes([body[-1] ^ 1])
    if word == "other-certificate" and path.endswith("/certificate"):
        if argument:
            with open(argument, "rb") as f:
                return 200, f.read()
        with open(os.path.join(where, "certificate"), "wb") as f:
            f.write(body)
    if word == "curious" and path == "/v1/objects/missing":
        document = json.loads(body)
        document["objects"] = ["sha256:" + argument]
        return status, canonical(document)
    return status, body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def ask(self, body):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        server = http.client.HTTPSConnection("127.0.0.1", int(read("backend")), context=context)
        keep = {k: v for k, v in self.headers.items() if k.lower() not in ("expect", "host")}
        server.request(self.command, self.path, body, keep)
        answer = server.getresponse()
        return answer, answer.read()

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        write("requests", f"{self.command} {self.path}\n" + "".join(
            f"{k}: {v}\n" for k, v in self.headers.items()) + "\n", "a")
        answer, content = self.ask(body)
        status, content = change(read("mode"), self.path, answer.status, content)
        self.send_response(status)
        for k, v in answer.getheaders():
            if k.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(k, v)
        if status == 307:
            self.send_header("Location", f"https://127.0.0.1:{read('elsewhere')}{self.path}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass


def main():
    if sys.argv[1] == "tcp":
        Passage().main()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if read("old") != "":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    write("port", str(server.server_address[1]))
    server.serve_forever()


main()
