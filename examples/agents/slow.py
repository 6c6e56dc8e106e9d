"""An agent that does its work, but takes its time: it claims, keeps the lease, and completes."""
import sys
import time

from protocol import SESSION, call

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
while True:
    answer = call("/v1/claims", {"session": SESSION, "wait": "5s", "lease": "10s", "start": True})
    if answer is None or "drain" in answer.get("commands", ()):
        break
    for claim in answer["claims"]:
        proof = {"token": claim["token"], "fencing": claim["fencing"]}
        run = "/v1/runs/" + claim["run_id"]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(2.0, max(0.0, end - time.monotonic())))
            if call(run + ":heartbeat", {**proof, "lease": "10s"}) is None:
                sys.exit(1)
        call(run + ":complete", {**proof, "result": {"took_s": seconds}})
