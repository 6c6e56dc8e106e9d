"""One HTTP exchange after another over a few kept connections. Knows JSON and problem documents, not belfry."""
from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

from .errors import Refused, Unreachable, refusal
from .retry import Retry


def encode(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _readable(sock: socket.socket) -> bool:
    """Nothing is due on a kept connection: what can be read there is its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: Any


class Abort:
    """Ends a request from another thread, also one that waits for its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._socket: socket.socket | None = None

    def set(self) -> None:
        self._event.set()
        with self._lock:
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def _watch(self, sock: socket.socket | None) -> None:
        with self._lock:
            self._socket = sock
        if sock is not None and self._event.is_set():
            self.set()


class Transport:
    def __init__(self, url: str, headers: Mapping[str, str], timeout: float, retry: Retry) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"the node's address is http://HOST:PORT or https://HOST:PORT, not {url!r}")
        self._https = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._https else 80)
        self._headers = dict(headers)
        #: Of a worker that the node has started; shown with everything that it says.
        self.session_token: str | None = None
        self._timeout = timeout
        self.retry = retry
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, retry: Retry | None = None,
            timeout: float | None = None, abort: Abort | None = None,
            failed: Callable[[Exception], None] | None = None) -> Answer:
        """Sends until there is an answer that counts, or `retry` gives up and the last error is raised."""
        policy = retry or self.retry
        started = time.monotonic()
        tries = 0
        while True:
            tries += 1
            try:
                return self.once(method, path, body, key=key, timeout=timeout, abort=abort)
            except Unreachable as error:
                last: Unreachable | Refused = error
                wait = policy.delay(tries)
            except Refused as error:
                if not error.worth_a_retry:
                    raise
                last = error
                wait = policy.delay(tries, error.retry_after)
            if failed:
                failed(last)
            if time.monotonic() - started + wait > policy.give_up_after:
                raise last
            if abort is not None:
                if abort.wait(wait):
                    raise last
            else:
                time.sleep(wait)

    def once(self, method: str, path: str, body: Any = None, *, key: str | None = None,
             timeout: float | None = None, abort: Abort | None = None) -> Answer:
        headers = {"Accept": "application/json", **self._headers}
        if self.session_token:
            headers["Belfry-Session-Token"] = self.session_token
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else encode(body)
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = self._connection(timeout or self._timeout)
        try:
            if abort is not None:
                abort._watch(connection.sock)
            connection.request(method, path, content, headers)
            reply = connection.getresponse()
            raw = reply.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            text = f"no answer from {self._host}:{self._port}: {error or type(error).__name__}"
            raise Unreachable(text, maybe_sent=True) from error
        finally:
            if abort is not None:
                abort._watch(None)
        if reply.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return self._judge(reply, raw)

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if connection.sock is not None and not _readable(connection.sock):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=timeout)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            raise Unreachable(f"cannot reach {self._host}:{self._port}: {error}", maybe_sent=False) from error
        return connection

    @staticmethod
    def _judge(reply: http.client.HTTPResponse, raw: bytes) -> Answer:
        headers = {name.lower(): value for name, value in reply.getheaders()}
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        if 200 <= reply.status < 300:
            return Answer(reply.status, headers, body)
        # A proxy in between may answer with a page of its own.
        problem = body if isinstance(body, dict) else {"title": reply.reason, "detail": raw[:200].decode("utf-8", "replace")}
        seconds = headers.get("retry-after", "")
        raise refusal(reply.status, problem, float(seconds) if seconds.isdigit() else None)
