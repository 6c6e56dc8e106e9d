"""A real node for one scenario, which can be killed and started again at the same address."""
import json
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    def __init__(self, binary, config=""):
        """`config` is the text of a configuration file."""
        self.binary = binary
        self.config = config
        self.folder = tempfile.TemporaryDirectory(prefix="belfry-clients-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        flags = []
        if self.config:
            with open(f"{self.folder.name}/belfry.toml", "w", encoding="utf-8") as file:
                file.write(self.config)
            flags = ["--config", file.name]
        with open(f"{self.folder.name}/node.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data", f"{self.folder.name}/data", "--listen", f"127.0.0.1:{self.port}",
                 "--executors", "0", "--log-level", "warning", *flags], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                self.get("/v1/ready")
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the node did not start: {self.log()}") from None
                time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.folder.cleanup()

    def log(self):
        with open(f"{self.folder.name}/node.log", encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return json.load(reply)

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def submit(self, payload, **more):
        return self.post("/v1/runs", {"name": "run", "payload": payload, **more})["id"]

    def run(self, run_id):
        return self.get(f"/v1/runs/{run_id}")

    def runs(self):
        return self.get("/v1/runs?limit=500")["runs"]

    def wait_run(self, run_id, *states, seconds=15):
        """The run as soon as it is in one of the states."""
        until = time.monotonic() + seconds
        while True:
            run = self.run(run_id)
            if run["state"] in states:
                return run
            if time.monotonic() > until:
                raise AssertionError(f"{run_id} is {run['state']} ({run['reason']}), not {' or '.join(states)}")
            time.sleep(0.02)
