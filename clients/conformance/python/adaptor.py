"""The Python client behind the line protocol of clients/conformance/README.md."""
import json
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "src"))
from belfry import (BelfryError, Cancelled, Client, Failed, Parked, Refused, Released, Retry, Spool,  # noqa: E402
                    SpoolBusy, SpoolFull, StaleLease, Unreachable, Worker)

KINDS = [(StaleLease, "stale_lease"), (Refused, "refused"), (Unreachable, "unreachable"), (SpoolFull, "spool_full"),
         (SpoolBusy, "spool_busy"), (BelfryError, "other"), (Exception, "other")]
out_lock = threading.Lock()
client: Client
worker: Worker


def say(**message):
    with out_lock:
        print(json.dumps(message), flush=True)


def describe(error):
    told = {"kind": next(name for kind, name in KINDS if isinstance(error, kind)), "text": str(error)}
    if isinstance(error, Refused):
        told.update(status=error.status, code=error.code, detail=error.detail, errors=error.errors,
                    command=error.command)
    return told


def perform(attempt):
    say(event="began", run=attempt.run_id, attempt=attempt.number, fencing=attempt.fencing, payload=attempt.payload,
        checkpoint=attempt.checkpoint, previous=[p["outcome"] for p in attempt.previous], token_shown="token" in attempt.claim,
        at=time.monotonic())
    try:
        for step in attempt.payload.get("steps", []):
            if "sleep_ms" in step:
                time.sleep(step["sleep_ms"] / 1000)
            elif "wait_cancel_ms" in step:
                if attempt.cancelled.wait(step["wait_cancel_ms"] / 1000):
                    say(event="cancelled", run=attempt.run_id, reason=attempt.cancel_reason)
            elif "progress" in step:
                attempt.progress(step["progress"], step["text"])
            elif "log" in step:
                attempt.log(step["log"], step["stream"])
            elif "checkpoint" in step:
                attempt.save_checkpoint(step["checkpoint"])
        return finish(attempt.payload.get("end", {"complete": None}))
    finally:
        say(event="ended", run=attempt.run_id, attempt=attempt.number, at=time.monotonic())


def finish(end):
    if "fail" in end:
        fail = end["fail"]
        raise Failed(fail["message"], failure_class=fail["class"], retry_after=seconds(fail, "retry_after_ms"))
    if "release" in end:
        raise Released(end["release"]["message"], delay=seconds(end["release"], "delay_ms"))
    if "park" in end:
        raise Parked(end["park"]["for_ms"] / 1000, end["park"]["message"], resource=end["park"].get("resource"))
    if "cancelled" in end:
        raise Cancelled("stopped")
    if "throw" in end:
        raise ValueError(end["throw"])
    if "complete_bytes" in end:
        return "x" * end["complete_bytes"]
    return end["complete"]


def seconds(members, name):
    return members[name] / 1000 if name in members else None


def open_client(c):
    global client
    spool = None
    if "spool" in c:
        s = c["spool"]
        spool = Spool(s["directory"], s["max_entries"], s["max_bytes"],
                      timedelta(milliseconds=s.get("resend_within_ms", 23 * 3600 * 1000)))
    client = Client(c["url"], timeout=c["timeout_ms"] / 1000, spool=spool, spool_after=c["spool_after_ms"] / 1000,
                    retry=Retry(c["base_ms"] / 1000, c["cap_ms"] / 1000, c["give_up_after_ms"] / 1000))
    return {}


def submitted(s):
    return {"key": s.key, "spooled": s.spooled, "replayed": s.replayed, "answer": s.answer}


def spool_state(_):
    assert client.spool is not None
    return {"pending": client.spool.pending(), "refused": [e["problem"]["code"] for e in client.spool.refused()]}


def work(c):
    global worker
    worker = Worker(client, perform, name=c["name"], agent_type=c.get("agent_type"),
                    capabilities=c.get("capabilities"), slots=c.get("slots"), lease=c["lease_ms"] / 1000, heartbeat=c["heartbeat_ms"] / 1000,
                    wait=c["wait_ms"] / 1000, drain_timeout=c["drain_timeout_ms"] / 1000,
                    reported=lambda r: say(event="reported", run=r.run_id, attempt=r.attempt, said=r.said,
                                           accepted=r.accepted, state=r.state, code=getattr(r.problem, "code", "")))

    def loop():
        error = None
        try:
            worker.run()
        except Exception as caught:
            error = describe(caught)
        say(event="stopped", error=error)

    threading.Thread(target=loop, daemon=True).start()
    return {}


COMMANDS = {
    "client": open_client,
    "submit": lambda c: submitted(client.submit(c["run"], key=c.get("key"))),
    "submit_many": lambda c: submitted(client.submit_many(c["runs"])),
    "get": lambda c: client.get_run(c["run"]),
    "reissue": lambda c: client.reissue_leases(c["session"]),
    "wakes": lambda c: client.wait_for_wakes(c["session"], c["wait_ms"] / 1000, after=c.get("after")),
    "acknowledge": lambda c: client.acknowledge_wakes(c["session"], c["wakes"]),
    "spool": spool_state,
    "work": work,
    "stop": lambda _: worker.stop() or {},
    "close": lambda _: client.close() or {},
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        say(id=command["id"], ok=COMMANDS[command["do"]](command))
    except Exception as caught:
        say(id=command["id"], error=describe(caught))
