"""Submit runs and look at them."""
from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any, Mapping, Sequence
from urllib.parse import quote

from .errors import BelfryError, Refused, Unreachable
from .retry import Retry
from .spool import Spool
from .transport import Abort, Transport, encode

log = logging.getLogger("belfry")
TERMINAL = frozenset({"succeeded", "failed", "timed_out", "lost", "cancelled", "skipped"})


@dataclass(frozen=True)
class Submission:
    #: The Idempotency-Key. Submitted again with it, the same content is the same run.
    key: str
    #: The node's answer (SubmittedRun or SubmittedBatch); None while it waits in the spool.
    answer: dict[str, Any] | None
    #: The node had taken it before: an answer was lost on the way.
    replayed: bool = False

    @property
    def spooled(self) -> bool:
        return self.answer is None

    @property
    def id(self) -> str:
        """The id of the run, or of the batch."""
        if self.answer is None:
            raise BelfryError("the submission waits in the spool and has no id yet")
        return str(self.answer.get("id") or self.answer["batch_id"])


class Client:
    """A node, as one process sees it. Safe to use from several threads."""

    def __init__(self, url: str = "http://127.0.0.1:7420", *, headers: Mapping[str, str] | None = None,
                 timeout: float = 30.0, retry: Retry = Retry(), spool: Spool | None = None,
                 spool_after: float = 2.0) -> None:
        """`timeout` is that of one exchange, in seconds. With a `spool`, a submission is tried for `spool_after`
        seconds and then kept on disk; a thread delivers it when the node is back."""
        self.transport = Transport(url, headers or {}, timeout, retry)
        self.spool = spool
        self._spool_retry = Retry(retry.base, retry.cap, min(spool_after, retry.give_up_after))
        self._closed = Abort()
        self._wake = threading.Event()
        self._courier: threading.Thread | None = None
        if spool is not None:
            spool.open()
            self._courier = threading.Thread(target=self._deliver, name="belfry-spool", daemon=True)
            self._courier.start()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """What is in the spool stays there for the next process."""
        self._closed.set()
        self._wake.set()
        if self._courier is not None:
            self._courier.join()
        if self.spool is not None:
            self.spool.close()
        self.transport.close()

    def submit(self, run: Mapping[str, Any], *, key: str | None = None) -> Submission:
        """Hands in one run, in the shape of `Submission` of the OpenAPI document. Durable when it returns.

        One call is one logical submission: it is sent again with the same Idempotency-Key until the node has
        answered. Give `key` to make a submission the same across calls or processes (within 24 h)."""
        return self._submit("/v1/runs", run, key)

    def submit_many(self, runs: Sequence[Mapping[str, Any]], *, key: str | None = None) -> Submission:
        """Up to 1,000 runs, all or none."""
        return self._submit("/v1/runs:batch", {"runs": list(runs)}, key)

    def get_run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.transport.ask("GET", f"/v1/runs/{quote(run_id, safe='')}").body
        return run

    def cancel_run(self, run_id: str, reason: str | None = None) -> dict[str, Any]:
        body = {} if reason is None else {"reason": reason}
        head: dict[str, Any] = self.transport.ask("POST", f"/v1/runs/{quote(run_id, safe='')}:cancel", body).body
        return head

    def reissue_leases(self, session_id: str, runs: Sequence[str] | None = None, lease: str | None = None) -> dict[str, Any]:
        """New tokens for the runs that a session holds, all of them or `runs`, for a worker that came back under its
        id without them. In the shape of a claim; whoever still has an old token gets StaleLease from now on."""
        body = {name: value for name, value in (("runs", runs), ("lease", lease)) if value is not None}
        path = f"/v1/sessions/{quote(session_id, safe='')}/leases:reissue"
        claims: dict[str, Any] = self.transport.ask("POST", path, body).body
        return claims

    def wait_for_wakes(self, session: str, wait: float = 30.0, *, after: str | None = None) -> list[dict[str, Any]]:
        """The wakes that a session has not acknowledged, those behind `after` if that is given; waits up to `wait`
        seconds (at most 60) for one. Advice only: a `Worker`, which waits in its claims, needs none."""
        path = f"/v1/sessions/{quote(session, safe='')}/wakes?wait={round(wait * 1000)}ms"
        if after is not None:
            path += f"&after={quote(after, safe='')}"
        page: dict[str, Any] = self.transport.ask("GET", path, timeout=wait + 30.0).body
        wakes: list[dict[str, Any]] = page["wakes"]
        return wakes

    def acknowledge_wakes(self, session: str, wakes: Sequence[str]) -> list[dict[str, Any]]:
        """Says that up to 1,000 wakes were heard; a result for each, in order. Again is fine."""
        path = f"/v1/sessions/{quote(session, safe='')}/wakes:ack"
        answer: dict[str, Any] = self.transport.ask("POST", path, {"wakes": list(wakes)}).body
        items: list[dict[str, Any]] = answer["items"]
        return items

    def wait_for(self, run_id: str, timeout: float = 60.0) -> dict[str, Any]:
        """The run when it has ended; TimeoutError when it has not within `timeout` seconds."""
        until = time.monotonic() + timeout
        pause = 0.05
        while True:
            run = self.get_run(run_id)
            if run["state"] in TERMINAL:
                return run
            if time.monotonic() + pause > until:
                raise TimeoutError(f"{run_id} is still {run['state']} after {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)

    def flush(self, timeout: float = 30.0) -> bool:
        """Waits until the spool is empty; False when it is not within `timeout` seconds."""
        until = time.monotonic() + timeout
        while self.spool is not None and self.spool.pending() > 0:
            if time.monotonic() > until:
                return False
            self._wake.set()
            time.sleep(0.05)
        return True

    def _submit(self, path: str, body: Any, key: str | None) -> Submission:
        key = key or str(uuid.uuid4())
        content = encode(body)
        if self.spool is None:
            return self._send(path, content, key, None)
        maybe_sent = False

        def note(error: Exception) -> None:
            nonlocal maybe_sent
            maybe_sent |= not isinstance(error, Unreachable) or error.maybe_sent

        if self.spool.pending() == 0:  # else it would overtake what waits
            try:
                return self._send(path, content, key, self._spool_retry, note)
            except Unreachable:
                pass
            except Refused as error:
                if not error.worth_a_retry:
                    raise
        self.spool.append(path, content, key, maybe_sent)
        self._wake.set()
        return Submission(key, None)

    def _send(self, path: str, content: bytes, key: str, retry: Retry | None, note: Any = None) -> Submission:
        answer = self.transport.ask("POST", path, content, key=key, retry=retry, failed=note)
        return Submission(key, answer.body, answer.headers.get("idempotency-replayed") == "true")

    def _deliver(self) -> None:
        assert self.spool is not None
        pace = Retry(base=0.2, cap=30.0)
        failures = 0
        while not self._closed.is_set():
            wait: float | None = None
            if self.spool.pending() > 0:
                try:
                    self.spool.deliver(self.transport)
                    failures = 0
                    continue
                except (BelfryError, OSError, ValueError) as error:
                    failures += 1
                    wait = pace.delay(failures, error.retry_after if isinstance(error, Refused) else None)
                    log.warning("spool-waits entries=%d next_try_s=%.1f: %s", self.spool.pending(), wait, error)
            if self._closed.is_set():
                return
            if wait is None:
                self._wake.wait()
                self._wake.clear()
            else:
                self._closed.wait(wait)
