"""The driver's end of the line protocol: one process with one client in it."""
import json
import os
import signal
import subprocess
import threading
import time

CLIENT = {"timeout_ms": 10_000, "base_ms": 50, "cap_ms": 500, "give_up_after_ms": 10_000, "spool_after_ms": 200}
WORKER = {"name": "worker", "agent_type": "tester", "capabilities": [], "slots": 1, "lease_ms": 10_000,
          "heartbeat_ms": 300, "wait_ms": 5_000, "drain_timeout_ms": 10_000}


class ClientError(Exception):
    def __init__(self, told):
        super().__init__(told["text"])
        self.told = told
        self.kind = told["kind"]
        self.code = told.get("code")


class Adaptor:
    def __init__(self, command, environment=None):
        """`environment` is added to ours."""
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, bufsize=1,
                                        env={**os.environ, **(environment or {})})
        self.news = threading.Condition()
        self.answers = {}
        self.events = []
        self.errors = []
        self.next = 0
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def open(self, url, **options):
        self.call("client", url=url, **{**CLIENT, **options})

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self.news:
                if "event" in message:
                    self.events.append({**message, "seen": time.monotonic()})
                else:
                    self.answers[message["id"]] = message
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def call(self, what, timeout=30, **members):
        self.next += 1
        number = self.next
        self.process.stdin.write(json.dumps({"id": number, "do": what, **members}) + "\n")
        self.process.stdin.flush()
        with self.news:
            if not self.news.wait_for(lambda: number in self.answers or self.process.poll() is not None, timeout):
                raise AssertionError(f"no answer to {what} within {timeout} s")
            message = self.answers.pop(number, None)
        if message is None:
            raise AssertionError(f"the adaptor ended at {what}: {''.join(self.errors)[-2000:]}")
        if "error" in message:
            raise ClientError(message["error"])
        return message["ok"]

    def submit(self, payload=None, key=None, **run):
        more = {} if key is None else {"key": key}
        return self.call("submit", run={"name": "run", "payload": payload, **run}, **more)

    def work(self, **options):
        """A member that is None is not given."""
        self.call("work", **{name: value for name, value in {**WORKER, **options}.items() if value is not None})

    def find(self, event, **match):
        with self.news:
            return [e for e in self.events if e["event"] == event and all(e.get(k) == v for k, v in match.items())]

    def wait(self, event, timeout=15, **match):
        """The first event of that kind, waited for."""
        until = time.monotonic() + timeout
        with self.news:
            while True:
                for e in self.events:
                    if e["event"] == event and all(e.get(k) == v for k, v in match.items()):
                        return e
                left = until - time.monotonic()
                if left <= 0 or self.process.poll() is not None and not self.news.wait(0.1):
                    raise AssertionError(f"no {event} {match or ''} within {timeout} s; seen: {self.events[-5:]}; "
                                         f"{''.join(self.errors)[-1500:]}")
                self.news.wait(left)

    def signal(self, which):
        os.kill(self.process.pid, which)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
