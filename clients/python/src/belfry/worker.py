"""The worker loop: register, claim, hand to the handler, keep the lease, report."""
from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, Sequence

from .attempt import Attempt, Cancelled, Failed, Parked, Released, plain
from .client import Client
from .errors import BelfryError, Refused, StaleLease, Unreachable
from .keeper import Held, Keeper
from .retry import Retry
from .transport import Abort

log = logging.getLogger("belfry")
Handler = Callable[[Attempt], Any]


@dataclass(frozen=True)
class Report:
    """What became of one attempt's end."""

    run_id: str
    attempt: int
    #: complete, fail, release or park
    said: str
    #: The node recorded it. False: see `problem`; `stale_lease` means that it is kept as evidence only.
    accepted: bool
    #: The state of the run after it, "" when it was not accepted.
    state: str = ""
    problem: Exception | None = None


class Worker:
    def __init__(self, client: Client, handler: Handler, *, name: str | None = None, agent_type: str | None = None,
                 workspace: str | None = None, channel: str | None = None,
                 capabilities: Sequence[str] | None = None, slots: int | None = None,
                 metadata: dict[str, Any] | None = None, at_least: str | None = None, lease: float = 60.0,
                 heartbeat: float | None = None, wait: float = 30.0, drain_timeout: float = 60.0,
                 report_for: float = 600.0, reported: Callable[[Report], None] | None = None) -> None:
        """`handler(attempt)` runs on a thread of its own, at most `slots` at a time; what it returns is the result.

        All times are seconds. `lease`: length of the leases. `heartbeat`: between two of them; default a third of the
        lease, at most 10. `wait`: length of a long poll, at most 60. `drain_timeout`: how long handlers may go on
        after a stop. `report_for`: how long an end is sent again while the node cannot be reached.

        A worker that the node has started for an agent type comes back as the session that BELFRY_SESSION names, and
        takes from its environment what is not given here; else `agent_type` is "python" and `slots` is 1."""
        given: Mapping[str, str] = os.environ if os.environ.get("BELFRY_SESSION") else {}
        agent_type = agent_type or given.get("BELFRY_AGENT_TYPE") or "python"
        workspace = given.get("BELFRY_WORKSPACE", "") if workspace is None else workspace
        channel = given.get("BELFRY_CHANNEL", "") if channel is None else channel
        if capabilities is None:
            capabilities = [word for word in given.get("BELFRY_CAPABILITIES", "").split(",") if word]
        slots = slots or int(given.get("BELFRY_SLOTS") or 1)
        self.client = client
        self.handler = handler
        self.slots = slots
        self.lease = lease
        self.wait = wait
        self.drain_timeout = drain_timeout
        self.session_id: str | None = given.get("BELFRY_SESSION")
        self._spawned = self.session_id is not None
        if self._spawned and given.get("BELFRY_TOKEN"):
            client.transport.session_token = given["BELFRY_TOKEN"]
        self._registered = False
        self._registration = {"name": name or f"{socket.gethostname()}-{os.getpid()}", "agent_type": agent_type,
                              "workspace": workspace, "channel": channel, "capabilities": list(capabilities),
                              "slots": slots, "wake": {"sink": "none"}}  # it waits in its claims
        if metadata is not None:
            self._registration["metadata"] = metadata
        self._at_least = at_least
        self._reported = reported
        self._report_retry = Retry(client.transport.retry.base, client.transport.retry.cap, report_for)
        self._keeper = Keeper(client.transport, lease, heartbeat or min(lease / 3, 10.0), self._drain_asked)
        self._free = threading.Semaphore(slots)
        self._stopping = Abort()   # ends the claim that waits
        self._drain = threading.Event()
        self._at_once = Abort()    # ends retries of reports
        self._claiming = threading.Thread(target=self._claim_loop, name="belfry-claims", daemon=True)
        self._error: Exception | None = None
        self._pipe = os.pipe()     # a write is all that a signal handler may safely do

    def run(self, *, stop_on: Iterable[signal.Signals] = ()) -> None:
        """Works until `stop`, one of the signals `stop_on` (the main thread only), or a drain asked for at the node.

        The first stop drains: nothing new is claimed, handlers go on for `drain_timeout`. The second cancels them.
        Raises what the node refused for good, such as a registration with a mistake in it."""
        kept = {s: signal.signal(s, lambda *_: self.stop()) for s in stop_on}
        try:
            self._keeper.start()
            self._claiming.start()
            os.read(self._pipe[0], 1)
            self._end()
        finally:
            for which, before in kept.items():
                signal.signal(which, before)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """From any thread or signal handler. Once: drain. Twice: at once."""
        os.write(self._pipe[1], b"s")

    # --- claims ---

    def _claim_loop(self) -> None:
        failures = 0
        try:
            while not self._drain.is_set():
                self._free.acquire()
                free = 1
                while free < min(self.slots, 1000) and self._free.acquire(blocking=False):
                    free += 1
                claims: list[dict[str, Any]] = []
                try:
                    if not self._drain.is_set():
                        claims = self._claim(free)
                    failures = 0
                except (Unreachable, Refused) as error:
                    if isinstance(error, Refused) and not error.worth_a_retry:
                        raise
                    failures += 1
                    pause = self.client.transport.retry.delay(failures, getattr(error, "retry_after", None))
                    if not self._drain.is_set():
                        log.warning("claim-failed next_try_s=%.1f: %s", pause, error)
                        self._stopping.wait(pause)
                finally:
                    for _ in range(free - len(claims)):
                        self._free.release()
                for claim in claims:
                    self._take(claim)
        except Exception as error:  # refused for good: tell it to who called run()
            self._error = error
            os.write(self._pipe[1], b"e")

    def _claim(self, free: int) -> list[dict[str, Any]]:
        if not self._registered:
            self._register(again=self._spawned)
        body = {"session": self.session_id, "max": free, "wait": _seconds(self.wait), "lease": _seconds(self.lease),
                "start": True}
        if self._at_least:
            body["at_least"] = self._at_least
        try:
            answer = self.client.transport.once("POST", "/v1/claims", body, timeout=self.wait + 15,
                                                abort=self._stopping).body
        except Refused as error:
            if self._spawned:  # whom the node has started it for is all that it is here for
                raise
            if error.status == 404 or error.code == "invalid_transition":  # removed, or lost with the node's store
                self._register(again=True)
                return []
            raise
        if "drain" in answer.get("commands", ()):
            self._drain_asked()
        elif not answer["claims"] and answer.get("reasons"):
            self._stopping.wait(min(self.wait, 1.0))  # the node says at once that it would wait in vain
        claims: list[dict[str, Any]] = answer["claims"]
        return claims

    def _register(self, again: bool = False) -> None:
        body = dict(self._registration)
        if again and self.session_id is not None:
            body["id"] = self.session_id
        key = str(uuid.uuid4())
        forever = Retry(self.client.transport.retry.base, self.client.transport.retry.cap, float("inf"))
        try:
            answer = self.client.transport.ask("POST", "/v1/sessions", body, key=key, retry=forever,
                                               abort=self._stopping)
        except Refused as error:
            if "id" in body and error.status == 404 and not self._spawned:
                self.session_id = None
                return self._register()
            raise
        self.session_id = answer.body["id"]
        self._registered = True
        log.info("registered session=%s name=%s", self.session_id, self._registration["name"])

    def _drain_asked(self) -> None:
        if not self._drain.is_set():
            log.info("drain-asked session=%s", self.session_id)
            self._drain.set()
            os.write(self._pipe[1], b"d")

    # --- one attempt ---

    def _take(self, claim: dict[str, Any]) -> None:
        token = claim.pop("token")  # a handler may print what it got
        held = Held(Attempt(claim, self._save_checkpoint), token, self.lease)
        self._keeper.add(held)
        if self._drain.is_set():  # it came while we were stopping
            held.attempt._cancel("stop")
        threading.Thread(target=self._perform, args=(held,), name=f"belfry-{claim['run_id']}", daemon=True).start()

    def _perform(self, held: Held) -> None:
        attempt = held.attempt
        try:
            said, body = self._outcome(attempt)
            self._keeper.flush(held)
            self._report(held, said, body)
        except Exception:
            log.exception("report-failed run=%s attempt=%d", attempt.run_id, attempt.number)
        finally:
            self._keeper.remove(held)
            self._free.release()

    def _outcome(self, attempt: Attempt) -> tuple[str, dict[str, Any]]:
        try:
            attempt.raise_if_cancelled()
            result = self.handler(attempt)
            json.dumps(result, allow_nan=False)
            return "complete", {} if result is None else {"result": result}
        except Cancelled as end:
            return "release", {"message": _said(end)}
        except Released as end:
            return "release", _given(message=_said(end) or None, delay=_seconds(end.delay))
        except Parked as end:
            return "park", _given(message=_said(end) or None, resource=end.resource, **{"for": _seconds(end.seconds)})
        except Failed as end:
            return "fail", _given(message=_said(end) or None, retry_after=_seconds(end.retry_after),
                                  result=end.result, **{"class": end.failure_class})
        except Exception as error:
            log.exception("handler-failed run=%s attempt=%d", attempt.run_id, attempt.number)
            return "fail", {"class": "error", "message": plain(f"{type(error).__name__}: {error}", 4000)}

    def _report(self, held: Held, said: str, body: dict[str, Any]) -> None:
        attempt = held.attempt
        try:
            answer = self._settle(held, said, body)
            report = Report(attempt.run_id, attempt.number, said, True, answer["state"])
        except StaleLease as error:
            # Sent once: the node keeps it as evidence, and another attempt is under way or done.
            attempt._cancel("lease_lost")
            log.warning("lease-lost run=%s attempt=%d: %s", attempt.run_id, attempt.number, error)
            report = Report(attempt.run_id, attempt.number, said, False, problem=error)
        except Refused as error:
            log.error("end-refused run=%s attempt=%d: %s", attempt.run_id, attempt.number, error)
            report = Report(attempt.run_id, attempt.number, said, False, problem=error)
            if error.status in (400, 413, 422) and said != "fail":
                self._report(held, "fail", {"class": "permanent", "message": plain(f"the end was refused: {error}", 4000)})
        except Unreachable as error:
            log.error("end-unsent run=%s attempt=%d: %s", attempt.run_id, attempt.number, error)
            report = Report(attempt.run_id, attempt.number, said, False, problem=error)
        if self._reported is not None:
            self._reported(report)

    def _settle(self, held: Held, said: str, body: dict[str, Any]) -> dict[str, Any]:
        path = f"/v1/runs/{held.attempt.run_id}:{said}"
        settled: dict[str, Any] = self.client.transport.ask("POST", path, {**held.proof, **body},
                                                            retry=self._report_retry, abort=self._at_once).body
        return settled

    def _save_checkpoint(self, attempt: Attempt, value: Any) -> None:
        held = self._keeper.find(attempt)
        attempt.raise_if_cancelled()
        retry = Retry(self.client.transport.retry.base, self.client.transport.retry.cap, self.lease)
        try:
            self.client.transport.ask("POST", f"/v1/runs/{attempt.run_id}:checkpoint",
                                      {**held.proof, "checkpoint": value}, retry=retry)
        except StaleLease as error:
            attempt._cancel("lease_lost")
            raise Cancelled(f"stopped: {error}") from error

    # --- the end ---

    def _end(self) -> None:
        self._drain.set()
        self._end_claim()
        until = time.monotonic() + self.drain_timeout
        os.set_blocking(self._pipe[0], False)
        while self._keeper.busy() and time.monotonic() < until and not self._stop_again():
            self._keeper.wait_idle(0.1)
        self._keeper.cancel_all("stop")
        self._keeper.wait_idle(10.0)
        self._at_once.set()
        self._keeper.stop()
        if self._registered and not self._keeper.busy():  # else the session is not ours to end
            try:
                self.client.transport.ask("DELETE", f"/v1/sessions/{self.session_id}", retry=Retry(give_up_after=2))
            except BelfryError as error:
                log.info("session-left session=%s: %s", self.session_id, error)

    def _end_claim(self) -> None:
        """A claim whose answer is lost would keep its runs until their leases end. So the node is asked to answer it,
        and only if that does not help the connection is cut."""
        self._free.release()  # lets a loop that waits for a slot see the end
        if self.session_id is not None and self._claiming.is_alive():
            try:
                self.client.transport.once("POST", f"/v1/sessions/{self.session_id}:drain", {}, timeout=2)
                self._claiming.join(1.0)
            except BelfryError:
                pass
        self._stopping.set()
        self._claiming.join(5.0)

    def _stop_again(self) -> bool:
        try:
            return os.read(self._pipe[0], 1) == b"s"
        except BlockingIOError:
            return False


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{round(value * 1000)}ms"


def _said(end: Exception) -> str:
    return plain(str(end), 4000)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
