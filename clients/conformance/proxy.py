"""Stands between a client and its node and misbehaves when told to.

A rule is [verb, beginning of the path, what to do, how often]:
  pass           as if nothing was in between
  cut_before     closes the connection; the node never sees the request
  cut_after      lets the node answer, then closes the connection instead of handing the answer on
  (status, headers)  answers by itself
"""
import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    def __init__(self, node_port):
        self.rules = []
        self.seen = []  # (monotonic time, verb, path, Idempotency-Key)
        self.lock = threading.Lock()
        proxy = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                action = proxy.choose(self.command, self.path, self.headers.get("Idempotency-Key"))
                if action == "cut_before":
                    return self.cut()
                if isinstance(action, tuple):
                    return self.answer(action[0], action[1], json.dumps({
                        "type": "/problems/overloaded", "title": "Overloaded", "status": action[0], "detail": "planted",
                        "code": "overloaded", "instance": "", "retryable": True}).encode())
                try:
                    upstream = http.client.HTTPConnection("127.0.0.1", node_port, timeout=90)
                    upstream.request(self.command, self.path, body or None, {
                        k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "content-length")})
                    reply = upstream.getresponse()
                    content = reply.read()
                except (OSError, http.client.HTTPException):
                    return self.cut()
                if action == "cut_after":
                    return self.cut()
                kept = {k: v for k, v in reply.getheaders()
                        if k.lower() in ("content-type", "retry-after", "idempotency-replayed", "location")}
                self.answer(reply.status, kept, content)

            do_POST = do_DELETE = do_PUT = do_GET

            def answer(self, status, headers, content):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def cut(self):
                self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a client that was killed or has left
                pass

        self.server = Server(("127.0.0.1", 0), Exchange)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def choose(self, verb, path, key):
        with self.lock:
            self.seen.append((time.monotonic(), verb, path, key))
            for rule in self.rules:
                if rule[0] == verb and path.startswith(rule[1]) and rule[3] > 0:
                    rule[3] -= 1
                    return rule[2]
        return "pass"

    def plant(self, verb, path, action, times=1):
        with self.lock:
            self.rules.append([verb, path, action, times])

    def requests(self, verb, path):
        with self.lock:
            return [s for s in self.seen if s[1] == verb and s[2].startswith(path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
