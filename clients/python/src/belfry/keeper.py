"""Keeps what is held: heartbeats on one thread, progress and log lines on another, so that they wait for nobody."""
from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable

from .attempt import Attempt
from .errors import BelfryError, Refused, StaleLease, Unreachable
from .transport import Transport

log = logging.getLogger("belfry")
LINES_AT_ONCE = 500
BYTES_AT_ONCE = 256 * 1024


class Held:
    """An attempt and the proof of the right to it."""

    def __init__(self, attempt: Attempt, token: str, lease: float) -> None:
        self.attempt = attempt
        self.proof: dict[str, Any] = {"token": token, "fencing": attempt.fencing}
        self.lease_until = time.monotonic() + lease
        self.next_beat = 0.0
        self.lost = False
        self.writing = threading.Lock()


class Keeper:
    def __init__(self, transport: Transport, lease: float, every: float, drain: Callable[[], None]) -> None:
        self._transport = transport
        self._lease = lease
        self._every = every
        self._drain = drain
        self._timeout = max(1.0, min(10.0, lease / 3))
        self._lock = threading.Condition()
        self._held: dict[Attempt, Held] = {}
        self._done = False
        self._news = threading.Event()
        self._threads = [threading.Thread(target=self._beat_loop, name="belfry-heartbeats", daemon=True),
                         threading.Thread(target=self._write_loop, name="belfry-lines", daemon=True)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._lock:
            self._done = True
            self._lock.notify_all()
        self._news.set()
        for thread in self._threads:
            thread.join(self._timeout)

    def add(self, held: Held) -> None:
        held.next_beat = time.monotonic() + self._every
        held.attempt._changed = self._news.set
        with self._lock:
            self._held[held.attempt] = held
            self._lock.notify_all()

    def remove(self, held: Held) -> None:
        with self._lock:
            self._held.pop(held.attempt, None)
            self._lock.notify_all()

    def find(self, attempt: Attempt) -> Held:
        with self._lock:
            return self._held[attempt]

    def busy(self) -> bool:
        with self._lock:
            return bool(self._held)

    def wait_idle(self, seconds: float) -> None:
        with self._lock:
            self._lock.wait_for(lambda: not self._held, seconds)

    def cancel_all(self, reason: str) -> None:
        with self._lock:
            for attempt in self._held:
                attempt._cancel(reason)

    # --- heartbeats ---

    def _beat_loop(self) -> None:
        while True:
            with self._lock:
                if self._done:
                    return
                alive = [h for h in self._held.values() if not h.lost]
                due = min((h.next_beat for h in alive), default=None)
                now = time.monotonic()
                if due is None or due > now:
                    self._lock.wait(None if due is None else due - now)
                    continue
                ready = sorted((h for h in alive if h.next_beat <= now), key=lambda h: h.lease_until)
            for held in ready:
                self._beat(held)

    def _beat(self, held: Held) -> None:
        attempt = held.attempt
        sent = time.monotonic()
        held.next_beat = sent + self._every
        try:
            body = {**held.proof, "lease": f"{round(self._lease * 1000)}ms"}
            answer = self._transport.once("POST", f"/v1/runs/{attempt.run_id}:heartbeat", body, timeout=self._timeout).body
        except Unreachable as error:
            log.info("heartbeat-failed run=%s: %s", attempt.run_id, error)
            held.next_beat = sent + min(self._every, 1.0)
        except Refused as error:
            if error.worth_a_retry:
                held.next_beat = sent + min(self._every, max(1.0, error.retry_after or 1.0))
            elif error.status in (404, 409):
                self._lose(held, error)
            else:
                log.error("heartbeat-refused run=%s: %s", attempt.run_id, error)
        else:
            held.lease_until = sent + self._lease
            self._obey(held, answer)
        if time.monotonic() > held.lease_until and not held.lost:
            attempt._cancel("lease_expired")

    def _lose(self, held: Held, error: Refused) -> None:
        held.lost = True
        # The end of the attempt may have been recorded just before this heartbeat.
        with self._lock:
            if held.attempt not in self._held:
                return
        log.warning("lease-lost run=%s attempt=%d: %s", held.attempt.run_id, held.attempt.number, error)
        held.attempt._cancel("lease_lost")

    def _obey(self, held: Held, answer: dict[str, Any]) -> None:
        commands = answer.get("commands", ())
        if "cancel" in commands:
            held.attempt._cancel("cancel")
        if "drain" in commands:
            self._drain()

    # --- progress and lines ---

    def _write_loop(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                if self._done:
                    return
                all_held = list(self._held.values())
            for held in all_held:
                try:
                    self._write(held)
                except (Unreachable, Refused) as error:
                    if isinstance(error, Unreachable) or error.worth_a_retry:
                        self._news.set()
                    log.info("lines-wait run=%s: %s", held.attempt.run_id, error)
            time.sleep(0.2)  # gathers what comes in quick succession

    def flush(self, held: Held, seconds: float = 5.0) -> None:
        """Before the end of the attempt: afterwards the node takes no lines. Gives up after a while, loudly."""
        until = time.monotonic() + seconds
        while not held.lost:
            try:
                return self._write(held)
            except BelfryError as error:
                again = isinstance(error, Unreachable) or isinstance(error, Refused) and error.worth_a_retry
                if not again or time.monotonic() > until:
                    log.warning("lines-dropped run=%s: %s", held.attempt.run_id, error)
                    return
                time.sleep(0.2)

    def _write(self, held: Held) -> None:
        attempt = held.attempt
        with held.writing:
            with attempt._lock:
                progress, attempt._progress = attempt._progress, None
            if progress and not held.lost:
                self._say(held, "progress", progress)
            while not held.lost:
                with attempt._lock:
                    if not attempt._sending:
                        attempt._sending = _portion(attempt._lines)
                        del attempt._lines[:len(attempt._sending)]
                if not attempt._sending:
                    return
                # Numbered, so that sending them again does no harm.
                self._say(held, "log", {"lines": attempt._sending, "first": attempt._first})
                attempt._first += len(attempt._sending)
                attempt._sending = []

    def _say(self, held: Held, verb: str, body: dict[str, Any]) -> None:
        try:
            answer = self._transport.once("POST", f"/v1/runs/{held.attempt.run_id}:{verb}", {**held.proof, **body},
                                          timeout=self._timeout).body
        except StaleLease as error:
            return self._lose(held, error)
        self._obey(held, answer)


def _portion(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    size = 0
    for count, line in enumerate(lines[:LINES_AT_ONCE]):
        size += len(line["text"]) * 4 + 50
        if size > BYTES_AT_ONCE and count > 0:
            return lines[:count]
    return lines[:LINES_AT_ONCE]
