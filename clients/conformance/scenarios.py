"""The scenarios of README.md. Each gets a `world` and fails by an assertion."""
import json
import os
import signal
import threading
import time
import urllib.error

from adaptor import ClientError
from node import free_port

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def needs(operation):
    """Skipped, and counted as such, by a node whose OpenAPI document does not have the operation."""
    def mark(function):
        function.needs = operation
        return function
    return mark


def refused(call, *arguments, **members):
    try:
        answer = call(*arguments, **members)
    except ClientError as error:
        return error
    raise AssertionError(f"it was not refused: {answer}")


def keys(requests):
    return {r[3] for r in requests}


# --- submit ---------------------------------------------------------------------------------------------------------

@scenario
def submit__a_run_is_taken_and_can_be_looked_at(world):
    node = world.node()
    c = world.client(node.url)
    s = c.submit({"n": 1.5, "text": "größe ✓"}, tags=["a"])
    assert s["answer"]["created"] and not s["replayed"] and not s["spooled"] and len(s["key"]) >= 16
    assert c.call("get", run=s["answer"]["id"])["state"] == "queued"
    assert node.run(s["answer"]["id"])["payload"] == {"n": 1.5, "text": "größe ✓"}
    assert c.submit()["key"] != s["key"]


@scenario
def submit__a_list_is_taken_whole_or_not_at_all(world):
    node = world.node()
    c = world.client(node.url)
    assert len(c.call("submit_many", runs=[{"name": "a"}, {"name": "b"}, {"name": "c"}])["answer"]["ids"]) == 3
    error = refused(c.call, "submit_many", runs=[{"name": "d"}, {"nme": "e"}])
    assert error.code == "unknown_field" and error.told["errors"][0]["pointer"] == "/runs/1/nme", error.told
    assert len(node.runs()) == 3


@scenario
@needs("/v1/sessions/{id}/leases:reissue")
def reissue__a_session_that_lost_its_tokens_gets_new_ones_and_the_old_are_refused(world):
    node = world.node()
    session = node.post("/v1/sessions", {"name": "w"})["id"]
    run = node.submit({"n": 1})
    old = node.post("/v1/claims", {"session": session})["claims"][0]
    claims = world.client(node.url).call("reissue", session=session)["claims"]
    assert [c["run_id"] for c in claims] == [run] and claims[0]["payload"] == {"n": 1}, claims
    assert claims[0]["fencing"] == old["fencing"] + 1 and claims[0]["token"] != old["token"]
    try:
        node.post(f"/v1/runs/{run}:complete", {"token": old["token"], "fencing": old["fencing"]})
        raise AssertionError("the old token was taken")
    except urllib.error.HTTPError as error:
        assert error.code == 409
    node.post(f"/v1/runs/{run}:complete", {"token": claims[0]["token"], "fencing": claims[0]["fencing"]})
    assert node.run(run)["state"] == "succeeded"


@scenario
def submit__cut_after_the_request_was_sent_makes_one_run(world):
    node = world.node()
    proxy = world.proxy(node)
    c = world.client(proxy.url)
    proxy.plant("POST", "/v1/runs", "cut_after", 2)
    s = c.submit({"n": 1})
    assert s["replayed"] and s["answer"]["id"] == node.runs()[0]["id"]
    assert len(node.runs()) == 1
    assert len(proxy.requests("POST", "/v1/runs")) == 3 and len(keys(proxy.requests("POST", "/v1/runs"))) == 1


@scenario
def submit__cut_before_the_node_saw_it_is_sent_again(world):
    node = world.node()
    proxy = world.proxy(node)
    c = world.client(proxy.url)
    proxy.plant("POST", "/v1/runs", "cut_before", 2)
    assert not c.submit({"n": 1})["replayed"]
    assert len(node.runs()) == 1


@scenario
def submit__a_key_of_the_caller_is_the_same_run_and_other_content_is_refused(world):
    node = world.node()
    c = world.client(node.url)
    first = c.submit({"n": 1}, key="order-17")
    again = c.submit({"n": 1}, key="order-17")
    assert again["replayed"] and again["answer"]["id"] == first["answer"]["id"]
    error = refused(c.submit, {"n": 2}, key="order-17")
    assert error.code == "idempotency_mismatch" and error.told["status"] == 422, error.told
    assert len(node.runs()) == 1


@scenario
def submit__a_mistake_shows_the_problem_document_and_is_sent_once(world):
    node = world.node()
    proxy = world.proxy(node)
    c = world.client(proxy.url)
    error = refused(c.submit, {}, priority="highest", timeout="yesterday")
    assert error.kind == "refused" and error.told["status"] == 422 and error.code == "invalid", error.told
    found = {e["pointer"]: e for e in error.told["errors"]}
    assert "highest" in found["/priority"]["value"] and "urgent" in found["/priority"]["allowed"], found
    assert "/timeout" in found and "/priority" in error.told["text"], error.told
    assert len(proxy.requests("POST", "/v1/runs")) == 1
    assert refused(c.call, "get", run="run_0000000000001").told["status"] == 404


@scenario
def submit__429_waits_as_long_as_the_node_says(world):
    node = world.node()
    proxy = world.proxy(node)
    c = world.client(proxy.url)
    proxy.plant("POST", "/v1/runs", (429, {"Retry-After": "1"}))
    c.submit({"n": 1})
    first, second = (r[0] for r in proxy.requests("POST", "/v1/runs"))
    assert 1.0 <= second - first < 2.5, second - first
    assert len(node.runs()) == 1


@scenario
def submit__503_is_sent_again_with_growing_pauses(world):
    node = world.node()
    proxy = world.proxy(node)
    c = world.client(proxy.url)
    proxy.plant("POST", "/v1/runs", (503, {}), 4)
    c.submit({"n": 1})
    times = [r[0] for r in proxy.requests("POST", "/v1/runs")]
    pauses = [b - a for a, b in zip(times, times[1:])]
    assert len(pauses) == 4 and pauses[0] >= 0.02 and pauses[3] >= 0.19 and pauses[3] > pauses[0], pauses


@scenario
def submit__a_node_that_is_away_is_an_error_after_the_time_given(world):
    c = world.client(f"http://127.0.0.1:{free_port()}", give_up_after_ms=600)
    started = time.monotonic()
    assert refused(c.submit, {"n": 1}).kind == "unreachable"
    assert time.monotonic() - started < 3


# --- the spool ------------------------------------------------------------------------------------------------------

@scenario
def wakes__are_waited_for_and_acknowledged(world):
    node = world.node()
    c = world.client(node.url)
    session = node.post("/v1/sessions", {"name": "agent"})["id"]
    assert c.call("wakes", session=session, wait_ms=50) == []
    run = c.submit()["answer"]["id"]
    waker = threading.Timer(0.3, node.post, (f"/v1/sessions/{session}:wake", {"run_id": run}))
    waker.start()
    wakes = c.call("wakes", session=session, wait_ms=20_000)
    waker.join()
    assert [w["run_id"] for w in wakes] == [run] and not wakes[0]["starved"], wakes
    id = wakes[0]["id"]
    assert c.call("wakes", session=session, wait_ms=50, after=id) == []
    heard = c.call("acknowledge", session=session, wakes=[id, "wak_00NF2XPW00000", id])
    assert [h["status"] for h in heard] == ["ok", "error", "ok"] and heard[2]["repeated"], heard
    assert heard[1]["code"] == "not_found"
    assert c.call("wakes", session=session, wait_ms=50) == []
    world.until(lambda: "wake_acknowledged" in [e["kind"] for e in node.get(f"/v1/runs/{run}/events")["events"]])


def spool(world, **more):
    return {"directory": world.folder("spool"), "max_entries": 100, "max_bytes": 1 << 20, **more}


@scenario
def spool__delivers_in_order_when_the_node_is_back_and_refuses_when_it_is_full(world):
    node = world.node()
    node.kill()
    c = world.client(node.url, spool=spool(world, max_entries=5))
    for n in range(5):
        assert c.submit({"n": n})["spooled"]
    error = refused(c.submit, {"n": 5})
    assert error.kind == "spool_full" and "5" in str(error), error.told
    assert c.call("spool") == {"pending": 5, "refused": []}
    node.start()
    world.until(lambda: c.call("spool")["pending"] == 0)
    rows = sorted(node.runs(), key=lambda r: r["id"])
    assert [node.run(r["id"])["payload"]["n"] for r in rows] == [0, 1, 2, 3, 4]
    assert not c.submit({"n": 6})["spooled"]
    assert len(node.runs()) == 6


@scenario
def spool__is_bounded_in_bytes(world):
    c = world.client(f"http://127.0.0.1:{free_port()}", spool=spool(world, max_bytes=3000))
    assert c.submit({"text": "x" * 2000})["spooled"]
    assert refused(c.submit, {"text": "x" * 2000}).kind == "spool_full"
    assert c.submit({"text": "x" * 100})["spooled"]


@scenario
def spool__survives_a_killed_client_and_doubles_nothing(world):
    node = world.node()
    proxy = world.proxy(node)
    proxy.plant("POST", "/v1/runs", "cut_after", 1000)
    room = spool(world)
    c = world.client(proxy.url, spool=room)
    assert c.submit({"n": 0})["spooled"]  # the node has it, the client cannot know
    assert c.submit({"n": 1})["spooled"]
    c.signal(signal.SIGKILL)
    c.process.wait()
    assert len(node.runs()) >= 1
    proxy.rules.clear()
    c = world.client(proxy.url, spool=room)
    world.until(lambda: c.call("spool")["pending"] == 0)
    assert len(node.runs()) == 2
    assert sorted(node.run(r["id"])["payload"]["n"] for r in node.runs()) == [0, 1]


@scenario
def spool__sets_aside_what_the_node_refuses_and_goes_on(world):
    node = world.node()
    node.kill()
    c = world.client(node.url, spool=spool(world))
    assert c.submit({"n": 0})["spooled"]
    assert c.submit({"n": 1}, priority="highest")["spooled"]
    assert c.submit({"n": 2})["spooled"]
    node.start()
    world.until(lambda: c.call("spool")["pending"] == 0)
    assert c.call("spool")["refused"] == ["invalid"]
    assert len(node.runs()) == 2


@scenario
def spool__does_not_send_again_what_the_node_may_have_forgotten(world):
    node = world.node()
    proxy = world.proxy(node)
    proxy.plant("POST", "/v1/runs", "cut_after", 1000)
    c = world.client(proxy.url, spool=spool(world, resend_within_ms=1), base_ms=300, spool_after_ms=0)
    assert c.submit({"n": 0})["spooled"]
    world.until(lambda: c.call("spool")["pending"] == 0)
    assert c.call("spool")["refused"] == ["spooled_too_long"]
    assert len(node.runs()) == 1


@scenario
def spool__belongs_to_one_process(world):
    room = spool(world)
    away = f"http://127.0.0.1:{free_port()}"
    first = world.client(away, spool=room)
    assert refused(world.client, away, spool=room).kind == "spool_busy"
    first.call("close")
    world.client(away, spool=room)


# --- the worker -----------------------------------------------------------------------------------------------------

@scenario
@needs("/v1/runs/{id}:log")
def worker__performs_a_run_and_tells_progress_and_lines(world):
    node = world.node()
    w = world.client(node.url)
    w.work(capabilities=["gpu"], name="one")
    run = node.submit({"steps": [{"progress": 0.25, "text": "a quarter"}, {"log": "first\nsecond", "stream": "stdout"},
                                 {"log": "bad ✓", "stream": "stderr"},
                                 {"log": "é" * 10_000, "stream": "stdout"}, {"sleep_ms": 500}],
                       "end": {"complete": {"answer": 42}}}, capabilities=["gpu"])
    world.until(lambda: node.run(run)["progress"] == 0.25)
    done = node.wait_run(run, "succeeded")
    assert done["result"] == {"answer": 42}
    assert done["attempts"][0]["session_name"] == "one"
    lines = [(line["stream"], line["text"]) for line in node.get(f"/v1/runs/{run}/logs")["lines"]]
    assert lines == [("stdout", "first"), ("stdout", "second"), ("stderr", "bad ✓"), ("stdout", "é" * 8192),
                     ("stdout", "é" * 1808)], lines
    assert w.wait("reported", run=run)["accepted"] and not w.find("began")[0]["token_shown"]


@scenario
@needs("/v1/runs/{id}:checkpoint")
def worker__a_failed_attempt_hands_its_checkpoint_to_the_next(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    run = node.submit({"steps": [{"checkpoint": {"row": 7}}], "end": {"fail": {"message": "no luck", "class": "error"}}},
                      retry={"max_attempts": 2, "base": "50ms"})
    done = node.wait_run(run, "failed")
    assert [a["message"] for a in done["attempts"]] == ["no luck", "no luck"], done["attempts"]
    second = w.wait("began", run=run, attempt=2)
    assert second["checkpoint"] == {"row": 7} and second["previous"] == ["failed"], second
    assert second["fencing"] > w.find("began", run=run, attempt=1)[0]["fencing"]


@scenario
def worker__failure_classes_exceptions_release_and_park(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    permanent = node.submit({"end": {"fail": {"message": "never", "class": "permanent"}}})
    assert node.wait_run(permanent, "failed")["failure_class"] == "permanent"
    later = node.submit({"end": {"fail": {"message": "busy", "class": "rate_limited", "retry_after_ms": 3600000}}})
    assert node.wait_run(later, "retrying")["failure_class"] == "rate_limited"
    thrown = node.submit({"end": {"throw": "kaput"}}, retry={"max_attempts": 1})
    assert "kaput" in node.wait_run(thrown, "failed")["reason"]
    back = node.submit({"end": {"release": {"message": "not now", "delay_ms": 3600000}}})
    assert node.wait_run(back, "scheduled")["reason"] == "not now"
    parked = node.submit({"end": {"park": {"for_ms": 3600000, "message": "quota"}}})
    assert node.wait_run(parked, "parked")["attempts_used"] == 0


@scenario
def worker__an_end_that_the_node_cannot_take_fails_the_run_with_the_reason(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    run = node.submit({"end": {"complete_bytes": 70_000}})
    assert "the end was refused" in node.wait_run(run, "failed")["reason"]


@scenario
def worker__heartbeats_keep_a_lease_beyond_its_length(world):
    node = world.node()
    w = world.client(node.url)
    w.work(lease_ms=1000, heartbeat_ms=300)
    run = node.submit({"steps": [{"sleep_ms": 2600}]})
    done = node.wait_run(run, "succeeded", "lost")
    assert done["state"] == "succeeded" and done["attempt"] == 1 and done["losses"] == 0, done


@scenario
def worker__a_cancel_reaches_the_handler(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    run = node.submit({"steps": [{"wait_cancel_ms": 10000}], "end": {"cancelled": True}})
    w.wait("began", run=run)
    node.post(f"/v1/runs/{run}:cancel", {})
    assert w.wait("cancelled", run=run, timeout=3)["reason"] == "cancel"
    assert node.wait_run(run, "cancelled")["attempts"][0]["outcome"] == "cancelled"


@scenario
def worker__a_node_killed_and_started_again_in_mid_run_loses_and_doubles_nothing(world):
    node = world.node()
    w = world.client(node.url)
    w.work(slots=2)
    first = node.submit({"steps": [{"sleep_ms": 1500}], "end": {"complete": 1}})
    second = node.submit({"steps": [{"sleep_ms": 400}], "end": {"complete": 2}})  # ends while the node is away
    w.wait("began", run=first)
    w.wait("began", run=second)
    node.kill()
    w.wait("ended", run=second)
    time.sleep(0.2)
    node.start()
    third = node.submit({"end": {"complete": 3}})
    for run, result in ((first, 1), (second, 2), (third, 3)):
        done = node.wait_run(run, "succeeded")
        assert done["result"] == result and done["attempt"] == 1 and done["losses"] == 0, done
    assert len(w.find("began")) == 3 and [e["accepted"] for e in w.find("reported")] == [True] * 3


@scenario
def worker__a_lost_lease_cancels_the_handler_and_its_report_is_kept_as_evidence(world):
    node = world.node()
    w = world.client(node.url)
    w.work(lease_ms=1000, heartbeat_ms=300)
    run = node.submit({"steps": [{"wait_cancel_ms": 8000}], "end": {"complete": "late"}})
    w.wait("began", run=run)
    w.signal(signal.SIGSTOP)
    other = world.client(node.url)
    other.work(name="other", agent_type="other")
    other.wait("began", run=run)
    w.signal(signal.SIGCONT)
    assert w.wait("cancelled", run=run)["reason"] in ("lease_lost", "lease_expired")
    report = w.wait("reported", run=run, attempt=1)
    assert not report["accepted"] and report["code"] == "stale_lease", report
    time.sleep(0.5)
    assert len(w.find("reported", run=run)) == 1
    shown = node.run(run)
    assert shown["state"] == "running" and shown["attempt"] == 2, shown
    assert "complete" in json.dumps(shown["late_writes"]) or "succeeded" in json.dumps(shown["late_writes"]), shown


@scenario
def worker__a_node_away_for_longer_than_the_lease_stops_the_handler(world):
    node = world.node()
    w = world.client(node.url)
    w.work(lease_ms=1000, heartbeat_ms=300)
    run = node.submit({"steps": [{"wait_cancel_ms": 10000}], "end": {"cancelled": True}})
    w.wait("began", run=run)
    node.kill()
    assert w.wait("cancelled", run=run, timeout=5)["reason"] == "lease_expired"


@scenario
def worker__two_workers_never_have_the_same_run_at_once(world):
    node = world.node()
    workers = [world.client(node.url) for _ in range(2)]
    for n, w in enumerate(workers):
        w.work(name=f"w{n}", slots=4)
    ids = node.post("/v1/runs:batch", {"runs": [
        {"name": f"r{n}", "payload": {"steps": [{"sleep_ms": 20}],
                                      "end": {"fail": {"message": "again", "class": "error"}}},
         "retry": {"max_attempts": 2, "base": "20ms"}} for n in range(40)]})["ids"]
    for run in ids:
        assert node.wait_run(run, "failed", seconds=20)["attempt"] == 2
    spans = {}
    for w in workers:
        ends = {(e["run"], e["attempt"]): e["at"] for e in w.find("ended")}
        for e in w.find("began"):
            spans.setdefault(e["run"], []).append((e["at"], ends[e["run"], e["attempt"]], e["attempt"]))
    for run in ids:
        (_, first_end, a), (second_begin, _, b) = sorted(spans[run])
        assert first_end <= second_begin and (a, b) == (1, 2), spans[run]
    assert all(w.find("began") for w in workers)


@scenario
def worker__an_end_whose_answer_was_lost_is_said_again_and_counts_once(world):
    node = world.node()
    proxy = world.proxy(node)
    w = world.client(proxy.url)
    w.work()
    run = node.submit({"end": {"complete": 1}})
    proxy.plant("POST", f"/v1/runs/{run}:complete", "cut_after", 2)
    assert w.wait("reported", run=run)["accepted"]
    done = node.run(run)
    assert done["state"] == "succeeded" and len(done["attempts"]) == 1
    assert len(proxy.requests("POST", f"/v1/runs/{run}:complete")) == 3


@scenario
def worker__goes_on_after_503_429_and_cut_claims(world):
    node = world.node()
    proxy = world.proxy(node)
    proxy.plant("POST", "/v1/sessions", (503, {}))
    proxy.plant("POST", "/v1/claims", (503, {}))
    proxy.plant("POST", "/v1/claims", (429, {"Retry-After": "1"}))
    proxy.plant("POST", "/v1/claims", "cut_before")
    w = world.client(proxy.url)
    w.work()
    run = node.submit({"end": {"complete": 1}})
    node.wait_run(run, "succeeded")
    times = [r[0] for r in proxy.requests("POST", "/v1/claims")]
    assert times[2] - times[1] >= 1.0, times


@scenario
def worker__waits_for_a_node_that_is_not_there_yet(world):
    node = world.node()
    node.kill()
    w = world.client(node.url)
    w.work()
    time.sleep(0.3)
    node.start()
    assert node.wait_run(node.submit({"end": {"complete": 1}}), "succeeded")


@scenario
def worker__registers_again_when_its_session_was_removed(world):
    node = world.node()
    w = world.client(node.url)
    w.work(wait_ms=200)
    node.wait_run(node.submit({}), "succeeded")
    for session in node.get("/v1/sessions")["sessions"]:
        if session["name"] == "worker":
            world.delete(node, f"/v1/sessions/{session['id']}")
    node.wait_run(node.submit({}), "succeeded")


@scenario
def worker__a_registration_with_a_mistake_ends_it_with_the_problem(world):
    node = world.node()
    w = world.client(node.url)
    w.work(slots=100_000)
    error = w.wait("stopped")["error"]
    assert error["code"] == "invalid" and error["errors"][0]["pointer"] == "/slots", error


@scenario
def worker__a_stop_drains(world):
    node = world.node()
    w = world.client(node.url)
    w.work(slots=2)
    first = node.submit({"steps": [{"sleep_ms": 700}], "end": {"complete": 1}})
    w.wait("began", run=first)
    w.call("stop")
    time.sleep(0.2)
    second = node.submit({})
    assert w.wait("stopped")["error"] is None
    assert node.run(first)["state"] == "succeeded"
    assert node.run(second)["state"] == "queued" and not w.find("began", run=second)
    assert not [s for s in node.get("/v1/sessions")["sessions"] if s["name"] == "worker"]


@scenario
def worker__a_stop_while_it_waits_is_quick(world):
    node = world.node()
    w = world.client(node.url)
    w.work(wait_ms=60000)
    node.wait_run(node.submit({}), "succeeded")
    time.sleep(0.2)
    asked = time.monotonic()
    w.call("stop")
    w.wait("stopped", timeout=3)
    assert time.monotonic() - asked < 2


@scenario
def worker__a_second_stop_cancels_and_gives_the_run_back(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    run = node.submit({"steps": [{"wait_cancel_ms": 10000}], "end": {"cancelled": True}})
    w.wait("began", run=run)
    w.call("stop")
    time.sleep(0.2)
    assert not w.find("cancelled")
    w.call("stop")
    assert w.wait("cancelled", run=run)["reason"] == "stop"
    w.wait("stopped")
    shown = node.run(run)
    assert shown["state"] == "queued" and shown["attempts_used"] == 0 and shown["losses"] == 0, shown


@scenario
def worker__a_drain_timeout_ends_handlers_that_go_on(world):
    node = world.node()
    w = world.client(node.url)
    w.work(drain_timeout_ms=300)
    run = node.submit({"steps": [{"wait_cancel_ms": 10000}], "end": {"cancelled": True}})
    w.wait("began", run=run)
    w.call("stop")
    w.wait("stopped", timeout=5)
    assert node.run(run)["state"] == "queued"


@scenario
@needs("/v1/sessions/{id}:drain")
def worker__a_drain_asked_for_at_the_node_stops_it(world):
    node = world.node()
    w = world.client(node.url)
    w.work()
    run = node.submit({"steps": [{"sleep_ms": 800}], "end": {"complete": 1}})
    w.wait("began", run=run)
    session = next(s for s in node.get("/v1/sessions")["sessions"] if s["name"] == "worker")
    node.post(f"/v1/sessions/{session['id']}:drain", {})
    assert w.wait("stopped")["error"] is None
    assert node.run(run)["state"] == "succeeded"


# --- workers that the node starts -----------------------------------------------------------------------------------

def started_by_the_node(world):
    """A node that has started a worker for an agent type, and what that worker found in its environment: the process
    itself only sleeps, so that a client under test can be what it was started to be."""
    folder = world.folder("spawned")
    script = f"env > {folder}/env.new && mv {folder}/env.new {folder}/env; exec sleep 600"
    node = world.node(f'[agent_types.hand]\ncommand = ["/bin/sh", "-c", {json.dumps(script)}]\n'
                      'capabilities = ["code"]\nworkspace = "team"\nslots = 2\n')
    session = node.post("/v1/agent-types/hand:spawn", {})["session_id"]
    world.until(lambda: os.path.exists(f"{folder}/env"))
    with open(f"{folder}/env", encoding="utf-8") as file:
        told = dict(line.rstrip("\n").split("=", 1) for line in file if line.startswith("BELFRY_"))
    del told["BELFRY_NODE"]  # by which the node finds and kills what is left of a worker: that would be us
    assert told["BELFRY_SESSION"] == session and len(told["BELFRY_TOKEN"]) == 43, sorted(told)
    return node, session, told


NOT_GIVEN = {"agent_type": None, "capabilities": None, "slots": None}


@scenario
@needs("/v1/agent-types/{name}:spawn")
def spawned__a_worker_comes_back_as_the_session_that_it_was_given(world):
    node, session, told = started_by_the_node(world)
    w = world.client(node.url, environment=told)
    w.work(**NOT_GIVEN)
    runs = [node.submit({"steps": [{"sleep_ms": 700}], "end": {"complete": n}}, capabilities=["code"], workspace="team")
            for n in range(2)]
    done = [node.wait_run(run, "succeeded", "failed") for run in runs]
    assert [d["result"] for d in done] == [0, 1], done
    assert [d["attempts"][0]["session_id"] for d in done] == [session, session], done
    began = [w.wait("began", run=run)["at"] for run in runs]
    assert abs(began[0] - began[1]) < 0.6, "the slots of the agent type were not used"
    known = node.get(f"/v1/sessions/{session}")
    assert [known[k] for k in ("agent_type", "workspace", "capabilities", "slots")] == ["hand", "team", ["code"], 2]
    assert len(node.get("/v1/sessions")["sessions"]) == 1
    # Whatever is said for the session shows its token; a client that has none is refused.
    assert w.call("wakes", session=session, wait_ms=50) == []
    assert w.call("reissue", session=session)["claims"] == []
    stranger = world.client(node.url)
    for ask in (lambda: stranger.call("wakes", session=session, wait_ms=50),
                lambda: stranger.call("reissue", session=session)):
        assert refused(ask).told["status"] == 401
    w.call("stop")
    assert w.wait("stopped")["error"] is None
    world.until(lambda: node.get(f"/v1/sessions/{session}")["state"] == "gone")


@scenario
@needs("/v1/agent-types/{name}:spawn")
def spawned__a_worker_with_a_wrong_token_ends_with_the_problem(world):
    node, session, told = started_by_the_node(world)
    wrong = "A" * 43
    w = world.client(node.url, environment={**told, "BELFRY_TOKEN": wrong})
    w.work(**NOT_GIVEN)
    error = w.wait("stopped")["error"]
    assert error["status"] == 403 and wrong not in json.dumps(error), error
    assert len(node.get("/v1/sessions")["sessions"]) == 1


@scenario
@needs("/v1/agent-types/{name}:spawn")
def spawned__a_worker_whose_session_was_removed_ends_and_makes_no_other(world):
    node, session, told = started_by_the_node(world)
    w = world.client(node.url, environment=told)
    w.work(**NOT_GIVEN, wait_ms=500)
    world.until(lambda: node.get("/v1/agent-types/hand")["workers"][0]["state"] == "ready")
    world.delete(node, f"/v1/sessions/{session}")
    assert w.wait("stopped")["error"] is not None
    assert node.get("/v1/sessions")["sessions"] == []


@scenario
@needs("/v1/agent-types/{name}:spawn")
def spawned__a_worker_that_says_what_it_is_not_is_refused(world):
    node, session, told = started_by_the_node(world)
    w = world.client(node.url, environment=told)
    w.work(**{**NOT_GIVEN, "capabilities": ["code", "paint"]})
    error = w.wait("stopped")["error"]
    assert error["status"] == 409 and error["errors"][0]["pointer"] == "/capabilities", error
    world.until(lambda: node.get("/v1/agent-types/hand")["workers"][0]["end"] == "misfit")
