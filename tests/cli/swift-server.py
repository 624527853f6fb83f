# OpenStack Swift with its S3 middleware, whole and in one process: an S3 server that others
# wrote, which checks every signature.
#   swift-server.py DIRECTORY PORT-FILE [--conditions]
# It keeps everything in DIRECTORY, listens on 127.0.0.1, writes its port to PORT-FILE, and ends
# when its standard input does.  The key is test:tester, the secret "testing", the region
# us-east-1, the bucket "bucket".  Swift does not know conditional writes by If-Match; with
# --conditions they are added in front of it.
import eventlet
eventlet.monkey_patch()
import functools, os, sys
from eventlet import wsgi
from swift.common import utils

directory, port_file = sys.argv[1:3]
utils.HASH_PATH_PREFIX = utils.HASH_PATH_SUFFIX = b"aicert"

from swift.account.server import AccountController
from swift.common.middleware import bulk, gatekeeper, slo, tempauth
from swift.common.middleware.s3api import s3api
from swift.common.middleware.s3api.controllers.obj import ObjectController as S3Object
from swift.common.middleware.s3api.s3request import S3Request
from swift.common.middleware.s3api.s3response import NoSuchKey, PreconditionFailed
from swift.common.ring import Ring, RingBuilder
from swift.common.swob import Request
from swift.container.server import ContainerController
from swift.obj.server import ObjectController
from swift.proxy.server import Application


class Quiet:
    """A logger of Swift's kind that says nothing."""
    thread_locals = None

    def __getattr__(self, name):
        return lambda *arguments, **named: None


def conf(**more):
    return {"devices": directory + "/devices", "swift_dir": directory, "mount_check": "false",
            "fallocate_reserve": "0", "log_level": "CRITICAL", **more}


def serve(socket, app):
    eventlet.spawn(wsgi.server, socket, app, Quiet(), debug=False)


def listen():
    return eventlet.listen(("127.0.0.1", 0), backlog=256)


def ring(name, socket):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "device": "disk",
                     "ip": "127.0.0.1", "port": socket.getsockname()[1]})
    builder.rebalance()
    builder.get_ring().save("%s/%s.ring.gz" % (directory, name))


class Cache:
    """Where Swift remembers what it asked the others, in the place of memcached."""

    def __init__(self):
        self.known = {}

    def set(self, key, value, *arguments, **named):
        self.known[key] = value

    def get(self, key, *arguments, **named):
        return self.known.get(key)

    def delete(self, key, *arguments, **named):
        self.known.pop(key, None)


CONDITIONS = ("If-Match", "If-None-Match")


def validate_headers(req, validate=S3Request._validate_headers):
    """Without what Swift would refuse; it is signed, and stays."""
    held = {name: req.headers.pop(name) for name in CONDITIONS if name in req.headers}
    validate(req)
    req.headers.update(held)


turn = eventlet.semaphore.Semaphore()


@functools.wraps(S3Object.PUT)
def put_if(controller, req, put=S3Object.PUT):
    must, never = (req.headers.pop(name, None) for name in CONDITIONS)
    with turn:
        try:
            there = req.get_response(controller.app, "HEAD").headers["ETag"].strip('"')
        except NoSuchKey:
            there = None
            if must is not None:
                raise
        if (must is not None and there != must.strip('"')) or (never == "*" and there is not None):
            raise PreconditionFailed()
        return put(controller, req)


if "--conditions" in sys.argv:
    S3Object.PUT, S3Request._validate_headers = put_if, validate_headers
os.makedirs(directory + "/devices/disk")
sockets = {"account": listen(), "container": listen(), "object": listen()}
for name, socket in sockets.items():
    ring(name, socket)
serve(sockets["account"], AccountController(conf(), Quiet()))
serve(sockets["container"], ContainerController(conf(), Quiet()))
serve(sockets["object"], ObjectController(conf(), Quiet()))
app = Application(conf(account_autocreate="true"), Quiet())
eventlet.sleep(0.1)
made = Request.blank("/v1/AUTH_test/bucket", method="PUT").get_response(app)
if made.status_int != 201:
    sys.exit("the bucket cannot be made: " + made.status)
for factory, more in [
        (slo.filter_factory, {}), (bulk.filter_factory, {}),
        (tempauth.filter_factory, {"user_test_tester": "testing .admin"}),
        (s3api.filter_factory, {"location": "us-east-1", "check_bucket_owner": "false",
                                "force_swift_request_proxy_log": "false"}),
        (gatekeeper.filter_factory, {})]:
    app = factory(conf(), **more)(app)
cache, behind = Cache(), app
app = lambda env, start_response: behind({**env, "swift.cache": cache}, start_response)
front = listen()
serve(front, app)
with open(port_file + ".new", "w") as f:
    f.write("%d\n" % front.getsockname()[1])
os.rename(port_file + ".new", port_file)
while eventlet.tpool.execute(os.read, 0, 1):
    pass
