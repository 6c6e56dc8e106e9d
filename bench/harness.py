"""What every benchmark uses: a node of its own, a load, the lines of the report."""
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BELFRY_BENCH_BUILD", os.path.join(ROOT, "build", "release"))
BELFRY = os.path.join(BUILD, "belfry")
QUICK = "--quick" in sys.argv


def say(**fields):
    print(json.dumps(fields), flush=True)


def note(text):
    print(text, file=sys.stderr, flush=True)


def tool(name):
    for folder in (BUILD, os.path.join(BUILD, "bench")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    sys.exit(f"bench: {name} is not built: run ./dev build release")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """The real binary on a folder of its own."""

    def __init__(self, *flags, data=None, keep=False):
        self.keep = keep
        self.data = data or tempfile.mkdtemp(prefix="belfry-bench-")
        self.port = free_port()
        self.flags = flags

    def __enter__(self):
        self.start()
        return self

    def start(self):
        began = time.monotonic()
        self.log = open(os.path.join(self.data, "node.log"), "ab")
        self.process = subprocess.Popen(
            [BELFRY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.flags],
            stdout=self.log, stderr=self.log)
        while True:
            try:
                if self.get("/v1/ready")[0] == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit(f"bench: the node ended: {open(self.log.name).read()[-2000:]}")
            if time.monotonic() - began > 120:
                sys.exit("bench: the node did not become ready in 120 s")
            time.sleep(0.01)
        self.started_in = time.monotonic() - began

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def __exit__(self, *_):
        self.stop()
        if not self.keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def request(self, method, path, body=None, connection=None):
        c = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        c.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
        answer = c.getresponse()
        text = answer.read()
        if connection is None:
            c.close()
        return answer.status, text

    def get(self, path):
        return self.request("GET", path)

    def call(self, method, path, body=None, connection=None):
        status, text = self.request(method, path, body, connection)
        if status // 100 != 2:
            sys.exit(f"bench: {method} {path} answered {status}: {text[:500]!r}")
        return json.loads(text) if text else None

    def memory(self):
        fields = {}
        for line in open(f"/proc/{self.process.pid}/status"):
            key, _, value = line.partition(":")
            if key in ("VmRSS", "RssAnon", "RssFile"):
                fields[key] = int(value.split()[0]) / 1024
        return fields

    def cpu(self):
        parts = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def no_limits(self):
        self.call("PUT", "/v1/limits", {"global": 0, "per_lane": 0, "per_batch": 0, "per_agent_type": 0})


PAYLOAD = {"text": "x" * 186}  # 200 bytes as JSON


def one_run(i=None):
    run = {"name": "bench", "handler": {"kind": "process", "argv": ["/bin/true"]}, "payload": PAYLOAD}
    if i is not None:
        run["name"] = f"bench-{i}"
    return run


def load(node, name, path, body=None, connections=64, seconds=None):
    args = [tool("bench_load"), "--port", str(node.port), "--path", path, "--name", name, "--connections",
            str(connections), "--seconds", str(seconds or (1 if QUICK else 4))]
    if body is not None:
        file = os.path.join(node.data, f"{name}.json")
        with open(file, "wb") as f:
            f.write(json.dumps(body).encode())
        args += ["--method", "POST", "--body-file", file]
    out = subprocess.run(args, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"bench: load failed: {out.stdout} {out.stderr}")
    return json.loads(out.stdout)


def raw_rates():
    """Rows per second of a bare loop over SQLite's C API: the same rows, prepared statements, WAL, synchronous=FULL."""
    folder = tempfile.mkdtemp(prefix="belfry-raw-")
    out = subprocess.run([tool("bench_store"), "raw", folder], capture_output=True, text=True)
    shutil.rmtree(folder, ignore_errors=True)
    if out.returncode != 0:
        sys.exit(f"bench: bench_store failed: {out.stderr}")
    rows = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    return {r["name"]: r["per_second"] for r in rows}


def fill(node, n):
    """Queues n runs for workers outside."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    body = json.dumps({"runs": [{"name": "bench", "payload": PAYLOAD}] * 1000}).encode()
    for _ in range(n // 1000):
        node.call("POST", "/v1/runs:batch", body, connection)


def queued_run():
    return {"name": "bench", "payload": PAYLOAD}


def middle(values):
    return statistics.median(values)


def in_turn(rounds, **sides):
    """Runs each side once per round, so that a neighbour on the machine meets all of them; figures by side."""
    figures = {name: [] for name in sides}
    for _ in range(rounds):
        for name, once in sides.items():
            figures[name].append(once())
    return figures


def ratio(ours, theirs):
    return round(statistics.median(o / t for o, t in zip(ours, theirs)), 3)
