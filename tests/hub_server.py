"""A hub of models on the loopback interface, for tests: what bertty and huggingface_hub ask of one, and the faults that a network has.

    hub = Hub({"org/tiny": folder})         serves the files of folder as the revision main
    run("pull", "org/tiny", env=hub.environment(home))
    hub.log                                 [Seen(where, method, path, headers)] in the order of their coming
    hub.rules.append(rule)                  rule(request) → True: it has answered; tried before the usual answer
    hub.close()

tls: an ssl.SSLContext for the hub; the second server is plain.

As on the real one, large files (model.safetensors, *.bin) are redirected to a second server, hub.cdn: another port, so another origin.
"""
import hashlib
import json
import os
import threading
import time
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

Seen = namedtuple("Seen", "where method path headers")
LARGE = (".safetensors", ".bin", ".data-00000-of-00001")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def commit_of(files):
    return hashlib.sha1(repr(sorted((name, sha256(data)) for name, data in files.items())).encode()).hexdigest()


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        server = self.server
        self.where, self.place = server.where, unquote(urlsplit(self.path).path)
        server.hub.note(self)
        try:
            if any(rule(self) for rule in list(server.hub.rules)):
                return
            server.usual(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # ── words for rules ──

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def wanted(self, data):
        """(first byte that Range asks for, the rest of data)"""
        text = self.headers.get("Range", "")
        start = int(text[6:].split("-")[0]) if text.startswith("bytes=") else 0
        return start, data[start:]

    def send_file(self, data, ranges=True, stop=None, pace=None, **headers):
        """stop: cut the connection after so many bytes of this answer; pace: (bytes, seconds) between pieces."""
        start, rest = self.wanted(data) if ranges else (0, data)
        if start and not rest:
            return self.reply(416, Content_Range=f"bytes */{len(data)}")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(rest)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command == "HEAD":
            return True
        rest = rest if stop is None else rest[:stop]
        step = pace[0] if pace else max(1, len(rest))
        for at in range(0, len(rest), step):
            self.wfile.write(rest[at:at + step])
            self.wfile.flush()
            if pace:
                time.sleep(pace[1])
        if stop is not None:
            self.cut()
        return True

    def cut(self):
        self.close_connection = True
        self.connection.close()
        return True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub, where, usual, tls=None):
        self.hub, self.where, self.usual, self.scheme = hub, where, usual, "https" if tls else "http"
        super().__init__(("127.0.0.1", 0), Request)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # the client is gone, or a rule has cut the connection

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


class Hub:
    def __init__(self, models, tls=None):
        self.rules, self.log, self.lock = [], [], threading.Lock()
        self.models = {}  # name → {revision: {file: bytes}}
        for name, folder in models.items():
            self.add(name, folder if isinstance(folder, dict) else files_of(folder))
        self.hub = Server(self, "hub", self.as_hub, tls)
        self.cdn = Server(self, "cdn", self.as_cdn)

    def add(self, name, files, revision="main"):
        self.models.setdefault(name, {})[revision] = files
        return commit_of(files)

    def commit(self, name, revision="main"):
        return commit_of(self.models[name][revision])

    def close(self):
        for server in (self.hub, self.cdn):
            server.shutdown()
            server.server_close()

    def note(self, request):
        with self.lock:
            self.log.append(Seen(request.where, request.command, request.place, dict(request.headers.items())))

    def environment(self, home, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "CURL_", "REQUESTS_", "SSL_")) and "proxy" not in k.lower()}
        return {**env, "HF_HOME": str(home), "HF_ENDPOINT": self.hub.url, "HF_HUB_DISABLE_TELEMETRY": "1", **more}

    def content_gets(self):
        """Paths of the requests for the bytes of files."""
        return [s.path for s in self.log if s.method == "GET" and not s.path.startswith("/api/")]

    # ── the usual answers ──

    def find(self, request):
        """(files, commit, rest of the path) of /NAME/resolve/COMMIT/FILE"""
        name, _, rest = request.place[1:].partition("/resolve/")
        commit, _, file = rest.partition("/")
        for revision, files in self.models.get(name, {}).items():
            if commit in (revision, commit_of(files)):
                return files, commit_of(files), file
        return None, None, file

    def as_hub(self, request):
        if request.place.startswith("/api/models/"):
            return self.info(request)
        files, commit, file = self.find(request)
        if files is None:
            return request.reply(404, X_Error_Code="RevisionNotFound")
        if file not in files:
            return request.reply(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        data = files[file]
        if not file.endswith(LARGE):
            return request.send_file(data, ETag=f'"{git_sha1(data)}"', X_Repo_Commit=commit)
        return request.reply(302, Location=f"{self.cdn.url}/blob/{sha256(data)}?signature=1", ETag='"not-of-the-file"', X_Repo_Commit=commit,
                             X_Linked_Etag=f'"{sha256(data)}"', X_Linked_Size=len(data))

    def info(self, request):
        name, _, revision = request.place[len("/api/models/"):].partition("/revision/")
        if name not in self.models:
            return request.reply(404, b'{"error": "Repository not found"}', X_Error_Code="RepoNotFound")
        for known, files in self.models[name].items():
            if revision in ("", known, commit_of(files)):
                rows = [{"rfilename": file} for file in files]
                body = {"id": name, "sha": commit_of(files), "siblings": rows, "tags": [], "private": False}
                return request.reply(200, json.dumps(body).encode())
        return request.reply(404, b'{"error": "Invalid rev id"}', X_Error_Code="RevisionNotFound")

    def blob(self, digest):
        for revisions in self.models.values():
            for files in revisions.values():
                for data in files.values():
                    if sha256(data) == digest:
                        return data
        return None

    def as_cdn(self, request):
        data = self.blob(request.place.removeprefix("/blob/"))
        return request.reply(404) if data is None else request.send_file(data, ETag='"of-the-cdn"')


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.is_file()}
