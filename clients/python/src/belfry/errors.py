"""What can go wrong between a client and its node."""
from __future__ import annotations

from typing import Any, Mapping


class BelfryError(Exception):
    """The base of everything that this package raises on its own."""


class Unreachable(BelfryError):
    """No answer: refused, cut or timed out.

    `maybe_sent` tells whether the node may have seen the request: False only when no connection came about.
    """

    def __init__(self, text: str, maybe_sent: bool) -> None:
        super().__init__(text)
        self.maybe_sent = maybe_sent


class Refused(BelfryError):
    """The node answered with a problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        #: Every field at fault: pointer, value, allowed, detail.
        self.errors: list[dict[str, str]] = list(problem.get("errors", []))
        #: A command of the CLI that helps, or "".
        self.command = str(problem.get("command", ""))
        self.retryable = bool(problem.get("retryable", False))
        #: Seconds, from the header Retry-After.
        self.retry_after = retry_after
        super().__init__(self._text())

    def _text(self) -> str:
        text = f"{self.code or self.status}: {self.detail or self.title}"
        for error in self.errors:
            text += f"\n  {error.get('pointer', '')}: {error.get('detail', '')}"
            if "value" in error:
                text += f" (given: {error['value']})"
            if "allowed" in error:
                text += f"; allowed: {error['allowed']}"
        return text

    @property
    def worth_a_retry(self) -> bool:
        """The same request may succeed later: the node is overloaded, stopping, or still at the first one."""
        return self.status in (429, 502, 503, 504) or self.code == "idempotency_in_progress"


class StaleLease(Refused):
    """The lease ran out or the run was claimed again: what this worker says about the run no longer counts."""


class SpoolFull(BelfryError):
    """The node cannot be reached and the spool has no room: the submission was NOT accepted."""


class SpoolBusy(BelfryError):
    """Another process has this spool directory."""


def refusal(status: int, problem: Mapping[str, Any], retry_after: float | None) -> Refused:
    kind = StaleLease if problem.get("code") == "stale_lease" else Refused
    return kind(status, problem, retry_after)
