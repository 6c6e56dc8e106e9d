"""One try of a run, as its handler sees it."""
from __future__ import annotations

import threading
from typing import Any, Callable

from .errors import BelfryError

#: Bound of what is kept for the node while it cannot be reached; the oldest lines go first.
MOST_LINES = 10_000
#: Of the node, in bytes. It would cut what is longer by itself, and then number the lines otherwise than we do.
LONGEST_LINE = 16 * 1024


class Cancelled(BelfryError):
    """Raise it in a handler that was told to stop and did: the run is handed back, or ends cancelled if that is
    what was asked."""


class Failed(BelfryError):
    """The attempt failed. Any other exception means the same with class `error`."""

    def __init__(self, message: str, *, failure_class: str = "error", retry_after: float | None = None,
                 result: Any = None) -> None:
        """`failure_class`: error, permanent, timeout, resource, rate_limited. `retry_after`: seconds."""
        super().__init__(message)
        self.failure_class = failure_class
        self.retry_after = retry_after
        self.result = result


class Released(BelfryError):
    """Hand the run back without using up an attempt, optionally not before `delay` seconds."""

    def __init__(self, message: str = "", *, delay: float | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Parked(BelfryError):
    """Put the run aside for `seconds`, because something named is not available. Uses up no attempt."""

    def __init__(self, seconds: float, message: str = "", *, resource: str | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.resource = resource


class Attempt:
    """What was claimed, and what can be said about it while the handler works.

    `cancelled` is set as soon as the work should stop; `cancel_reason` is then one of
    `cancel` (somebody asked for it), `lease_lost` (the node gave the run away), `lease_expired` (the node could not be
    reached for the length of the lease, so somebody else may have the run) and `stop` (this worker is stopping).
    """

    def __init__(self, claim: dict[str, Any], save: Callable[["Attempt", Any], None]) -> None:
        #: `ClaimedRun` of the OpenAPI document, without the token.
        self.claim = claim
        self.run_id: str = claim["run_id"]
        self.name: str = claim["name"]
        self.number: int = claim["attempt"]
        #: Grows with each claim of the run; outside systems can refuse what carries a smaller one.
        self.fencing: int = claim["fencing"]
        self.payload: Any = claim.get("payload")
        self.metadata: Any = claim.get("metadata")
        self.tags: list[str] = claim.get("tags", [])
        self.traceparent: str | None = claim.get("traceparent")
        #: What an earlier attempt saved last, or None.
        self.checkpoint: Any = (claim.get("checkpoint") or {}).get("value")
        #: How earlier attempts ended: attempt, outcome, class, message, ended_at; oldest first.
        self.previous: list[dict[str, Any]] = claim.get("previous") or []
        self.cancelled = threading.Event()
        self.cancel_reason: str | None = None
        self._save = save
        self._lock = threading.Lock()
        self._progress: dict[str, Any] | None = None
        self._lines: list[dict[str, str]] = []
        self._sending: list[dict[str, str]] = []  # a portion that the node has not confirmed
        self._first = 1  # number of its first line
        self._changed: Callable[[], None] = lambda: None

    def raise_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled(f"stopped: {self.cancel_reason}")

    def progress(self, value: float | None = None, text: str | None = None) -> None:
        """0 to 1, and in plain words. Returns at once; the newest is sent."""
        news: dict[str, Any] = {}
        if value is not None:
            news["value"] = min(1.0, max(0.0, value))
        if text is not None:
            news["text"] = plain(text, 1000)
        with self._lock:
            self._progress = {**(self._progress or {}), **news}
        self._changed()

    def log(self, text: str, stream: str = "stdout", level: str | None = None) -> None:
        """One or more lines of the run's log; `stream` is `stdout` or `stderr`, `level` is `debug`, `info`, `warn`,
        `error` or nothing. Returns at once."""
        said = {"stream": stream} if level is None else {"stream": stream, "level": level}
        with self._lock:
            for line in text.removesuffix("\n").split("\n"):
                self._lines += [{"text": piece, **said} for piece in pieces(line.removesuffix("\r"))]
            if len(self._lines) > MOST_LINES:
                del self._lines[:len(self._lines) - MOST_LINES]
        self._changed()

    def save_checkpoint(self, value: Any) -> None:
        """Stores JSON of at most 64 KiB for the next attempt. On the node's disk when it returns; raises Cancelled
        when the work is to stop before that."""
        self._save(self, value)
        self.checkpoint = value

    def _cancel(self, reason: str) -> None:
        with self._lock:
            if self.cancel_reason is None:
                self.cancel_reason = reason
        self.cancelled.set()


def plain(text: str, most_bytes: int) -> str:
    """Valid UTF-8 of at most so many bytes: what a handler says must never keep its end from being reported."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def pieces(line: str) -> list[str]:
    """The line in parts that the node takes as one line each; at least one."""
    rest = line.encode("utf-8", "replace")
    found = []
    while len(rest) > LONGEST_LINE:
        piece = rest[:LONGEST_LINE].decode("utf-8", "ignore")
        found.append(piece)
        rest = rest[len(piece.encode()):]
    return [*found, rest.decode()]
