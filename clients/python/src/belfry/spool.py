"""Submissions that could not reach the node, kept on disk until they can.

One file per submission, named by a number that only grows; written under another name, synced and renamed, so that a
crash leaves a whole entry or none. The request is kept as the bytes that were sent, together with its
Idempotency-Key: sent again, it is the same submission for the node. The node remembers a key for 24 h, so an entry
that it may have seen longer ago than 23 h is not sent any more but set aside: it could become a second run.
"""
from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from .errors import Refused, SpoolBusy, SpoolFull
from .retry import Retry
from .transport import Transport

ONCE = Retry(give_up_after=0)


@dataclass
class Spool:
    """A directory that belongs to one process at a time."""

    directory: str | os.PathLike[str]
    #: Most entries, those set aside included. Default 10,000.
    max_entries: int = 10_000
    #: Most bytes of all entries. Default 64 MiB.
    max_bytes: int = 64 * 1024 * 1024
    #: How long after it was first sent an entry may be sent again. The node forgets keys after 24 h.
    resend_within: timedelta = timedelta(hours=23)
    _sizes: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _aside_sizes: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _next: int = field(default=1, init=False, repr=False)
    _lock_file: int = field(default=-1, init=False, repr=False)

    def __post_init__(self) -> None:
        self._root = Path(self.directory)
        self._aside = self._root / "refused"
        self._lock = threading.Lock()
        self._delivery = threading.Lock()

    def open(self) -> None:
        self._aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock_file)
            raise SpoolBusy(f"another process has the spool {self._root}; give each process its own") from None
        for left in self._root.glob("*.part"):
            left.unlink()
        self._sizes = {p.name: p.stat().st_size for p in self._root.glob("*.json")}
        self._aside_sizes = {p.name: p.stat().st_size for p in self._aside.glob("*.json")}
        numbers = [int(name[:16]) for name in (*self._sizes, *self._aside_sizes)]
        self._next = max(numbers, default=0) + 1

    def close(self) -> None:
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def pending(self) -> int:
        """Entries that wait for delivery."""
        with self._lock:
            return len(self._sizes)

    def refused(self) -> list[dict[str, Any]]:
        """Entries that were set aside, each with its `problem`. Delete their files in refused/ to make room."""
        return [json.loads(p.read_text()) for p in sorted(self._aside.glob("*.json"))]

    def append(self, path: str, body: bytes, key: str, maybe_sent: bool) -> None:
        """Durable when it returns; SpoolFull when there is no room."""
        now = _now()
        entry = {"key": key, "path": path, "body": body.decode(), "spooled_at_ms": now, "sent_at_ms": now if maybe_sent else None}
        text = json.dumps(entry).encode()
        with self._lock:
            for name in [n for n in self._aside_sizes if not (self._aside / n).exists()]:
                del self._aside_sizes[name]  # somebody looked at it and made room
            count = len(self._sizes) + len(self._aside_sizes)
            size = sum(self._sizes.values()) + sum(self._aside_sizes.values())
            if count + 1 > self.max_entries or size + len(text) > self.max_bytes:
                raise SpoolFull(f"the spool {self._root} is full ({count} of {self.max_entries} entries, {size} of "
                                f"{self.max_bytes} bytes) and the node cannot be reached: nothing was submitted")
            name = f"{self._next:016d}.json"
            _write(self._root / name, text)
            self._next += 1
            self._sizes[name] = len(text)

    def deliver(self, transport: Transport) -> int:
        """Sends what waits, in order, until it is empty or the node fails. Returns how many are gone.

        Raises what stopped it, if something did."""
        with self._delivery:
            done = 0
            with self._lock:
                names = sorted(self._sizes)
            if names:
                # Asked first, so that a node that is away does not count as one that may have seen the entry.
                transport.ask("GET", "/v1/health", retry=ONCE)
            for name in names:
                self._deliver_one(transport, name)
                done += 1
            return done

    def _deliver_one(self, transport: Transport, name: str) -> None:
        path = self._root / name
        entry = json.loads(path.read_text())
        if entry["sent_at_ms"] is None:
            entry["sent_at_ms"] = _now()
            _write(path, json.dumps(entry).encode())
        elif _now() - entry["sent_at_ms"] > self.resend_within / timedelta(milliseconds=1):
            return self._set_aside(name, entry, {
                "code": "spooled_too_long", "detail": "the node may have taken it when it was first sent and has since "
                "forgotten its key: look for the run before you submit it again"})
        try:
            transport.ask("POST", entry["path"], entry["body"].encode(), key=entry["key"], retry=ONCE)
        except Refused as error:
            if error.worth_a_retry:
                raise
            return self._set_aside(name, entry, error.problem)
        path.unlink()
        with self._lock:
            del self._sizes[name]

    def _set_aside(self, name: str, entry: dict[str, Any], problem: dict[str, Any]) -> None:
        text = json.dumps({**entry, "problem": problem}).encode()
        _write(self._aside / name, text)
        (self._root / name).unlink()
        with self._lock:
            del self._sizes[name]
            self._aside_sizes[name] = len(text)


def _now() -> int:
    return int(time.time() * 1000)


def _write(path: Path, text: bytes) -> None:
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.rename(part, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
