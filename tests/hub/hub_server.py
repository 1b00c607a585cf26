"""A model hub on 127.0.0.1 that answers as its test says, faults included. It stops with the test, or by itself after a minute."""

import hashlib
import http.server
import json
import threading
import time
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files  # name, or org/name/name for one repository alone -> contents; weights are LFS files
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.faults: dict[
            str, list
        ] = {}  # "GET file" or "HEAD file" -> callables(handler, data) for the next requests; last one stays
        self.storage = None  # address of another server that LFS files are redirected to
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.alarm = threading.Timer(60, self.shutdown)
        self.alarm.daemon = True
        self.alarm.start()

    def stop(self) -> None:
        self.alarm.cancel()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def asked(self, method: str, file: str) -> list[dict[str, str]]:
        return [headers for m, path, headers in self.requests if m == method and path.endswith("/" + file)]

    def next_fault(self, method: str, file: str):
        queue = self.faults.get(f"{method} {file}", [])
        return (queue.pop(0) if len(queue) > 1 else queue[0]) if queue else None

    def etag(self, name: str) -> str:
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if name.endswith((".safetensors", ".gguf")) else git_hash(data)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer("HEAD")

    def do_GET(self):
        self.answer("GET")

    def answer(self, method: str) -> None:
        self.server.requests.append((method, self.path, dict(self.headers)))
        # /org/name/resolve/<revision, its slashes escaped>/<file>, or /<file> of a storage
        name = (
            self.path.split("/resolve/", 1)[1].split("/", 1)[1]
            if "/resolve/" in self.path
            else self.path.lstrip("/").removeprefix("api/models/org/model/revision/")
        )
        name = urllib.parse.unquote(name)
        of_repository = self.path.split("/resolve/", 1)[0].strip("/") + "/" + name
        name = of_repository if of_repository in self.server.files else name
        self.name = name
        fault = self.server.next_fault(method, name)
        if fault:
            fault(self, self.server.files.get(name, b""))
        elif name in self.server.files:
            self.serve(method, name)
        elif self.path.startswith("/api/models/"):
            siblings = [{"rfilename": file} for file in self.server.files]
            self.reply(200, {}, json.dumps({"siblings": siblings}).encode())
        else:
            self.reply(404, {"X-Error-Code": "EntryNotFound"}, b"Entry not found")

    def headers_of(self, name: str) -> dict[str, str]:
        etag = self.server.etag(name)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'}
        if len(etag) == 64:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(self.server.files[name]))}
        return headers

    def serve(self, method: str, name: str) -> None:
        headers = self.headers_of(name)
        if self.server.storage and len(self.server.etag(name)) == 64:
            self.reply(302, headers | {"Location": f"{self.server.storage}/{name}"}, b"")
            return
        self.send(headers, self.server.files[name], method == "HEAD")

    def send(self, headers: dict[str, str], data: bytes, head: bool = False) -> None:
        wanted = self.headers.get("Range")
        if wanted and not head:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            total = len(data)
            self.reply(206, headers | {"Content-Range": f"bytes {start}-{total - 1}/{total}"}, data[start:])
        else:
            self.reply(200, headers, data, head)

    def reply(self, status: int, headers: dict[str, str], data: bytes, head: bool = False) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if not head and self.command != "HEAD":
            self.wfile.write(data)


def status(code: int, **headers: str):
    """The hub answers with an error."""
    return lambda handler, data: handler.reply(
        code, {k.replace("_", "-"): v for k, v in headers.items()}, b"<html>error</html>"
    )


def serve(handler: Handler, data: bytes) -> None:
    """No fault."""
    handler.serve(handler.command, handler.name)


def head(**changes: str):
    """A HEAD answer with other headers."""

    def answer(handler: Handler, data: bytes) -> None:
        headers = handler.headers_of(handler.name) | {k.replace("_", "-"): v for k, v in changes.items()}
        handler.reply(200, {k: v for k, v in headers.items() if v}, data, head=True)

    return answer


def cut(fraction: float):
    """The connection breaks after part of what was asked for."""

    def answer(handler: Handler, data: bytes) -> None:
        start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        rest = data[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(rest)))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.end_headers()
        handler.wfile.write(rest[: int(len(rest) * fraction)])
        handler.close_connection = True

    return answer


def whole(data: bytes, **headers: str):
    """Other contents, or a whole file although a part was asked for."""
    return lambda handler, _: handler.reply(200, {k.replace("_", "-"): v for k, v in headers.items()}, data)


def stall(handler: Handler, data: bytes) -> None:
    """Half of the file, then silence."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    time.sleep(3)
    handler.close_connection = True
