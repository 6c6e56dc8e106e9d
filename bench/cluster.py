"""Benchmarks of a cluster on one machine: members beside executors at home, the way of a claim, how soon a loss is seen."""
import contextlib
import http.client

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from harness import BELFRY, QUICK, Node, fill, free_port, in_turn, middle, one_run, ratio, say

USUAL = max(4, min(32, 4 * (os.cpu_count() or 1)))  # executors that a node takes for itself


def command(*words):
    subprocess.run([BELFRY, *words], check=True, capture_output=True)


class Cluster:
    """A coordinator and members, each the real binary, with certificates of an authority of their own."""

    def __init__(self, stack, members, slots_at_home, slots_per_member):
        self.folder = tempfile.mkdtemp(prefix="belfry-cluster-")
        stack.callback(shutil.rmtree, self.folder, True)
        authority = os.path.join(self.folder, "authority")
        command("cluster", "init", "--name", "bench", "--folder", authority)
        names = ["home", *(f"member-{i + 1}" for i in range(members))]
        for name in names:
            command("cluster", "issue", name, "--folder", authority, "--into", self.certificates(name))
        port = free_port()
        self.home = stack.enter_context(Node(
            "--executors", str(slots_at_home), "--cluster-certificates", self.certificates("home"),
            "--cluster-listen", f"127.0.0.1:{port}"))
        self.members = [stack.enter_context(Node(
            "--executors", str(slots_per_member), "--cluster-certificates", self.certificates(name),
            "--join", f"127.0.0.1:{port}")) for name in names[1:]]
        self.home.no_limits()
        self.wait(lambda nodes: sum(n["state"] == "up" for n in nodes) == len(names))

    def certificates(self, name):
        return os.path.join(self.folder, name)

    def nodes(self):
        return self.home.call("GET", "/v1/nodes")["nodes"]

    def wait(self, right, limit=30):
        began = time.monotonic()
        while not right(self.nodes()):
            if time.monotonic() - began > limit:
                raise SystemExit(f"bench: cluster: not within {limit} s: {self.nodes()}")
            time.sleep(0.005)
        return time.monotonic() - began


def processes(node, runs):
    """/bin/true, captured and durable, from the first submit to the last end, a second."""
    began = time.monotonic()
    batches = [node.call("POST", "/v1/runs:batch", {"runs": [one_run() for _ in range(1000)]})["batch_id"]
               for _ in range(runs // 1000)]
    while any(node.call("GET", f"/v1/batches/{b}")["by_state"].get("succeeded", 0) < 1000 for b in batches):
        time.sleep(0.02)
    return runs / (time.monotonic() - began)


def bench_cluster():
    """/bin/true on a node alone, and on a cluster of it and two members: at the usual settings, each node with as
    many executors as it takes for itself; the same with the members alone at work; and with as many executors in
    all as the node had. In turn."""
    runs = 2000 if QUICK else 6000
    with contextlib.ExitStack() as stack:
        alone = stack.enter_context(Node("--executors", str(USUAL)))
        alone.no_limits()
        together = Cluster(stack, 2, USUAL, USUAL)
        members = Cluster(stack, 2, 0, USUAL)
        shared_out = Cluster(stack, 2, 0, USUAL // 2)
        rounds = in_turn(3 if QUICK else 7, alone=lambda: processes(alone, runs),
                         together=lambda: processes(together.home, runs),
                         members=lambda: processes(members.home, runs),
                         shared_out=lambda: processes(shared_out.home, runs))
        share = ratio(rounds["together"], rounds["alone"])
        say(bench="cluster_process_true", runs=runs, members=2, executors_per_node=USUAL, durability="full",
            per_second={name: [round(r) for r in all_of_it] for name, all_of_it in rounds.items()},
            ratio=share, ratio_members_alone=ratio(rounds["members"], rounds["alone"]),
            ratio_same_executors_in_all=ratio(rounds["shared_out"], rounds["alone"]), target=0.9, reached=share >= 0.9)


def claims(node, session, count):
    """Milliseconds of each of so many claims over one connection; what is claimed is completed in between."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    took = []
    for _ in range(count):
        began = time.monotonic()
        taken = node.call("POST", "/v1/claims", {"session": session, "max": 1}, connection)["claims"]
        took.append((time.monotonic() - began) * 1000)
        node.call("POST", "/v1/completions", {"items": [
            {"run_id": t["run_id"], "token": t["token"], "fencing": t["fencing"], "outcome": "succeeded"} for t in taken]}, connection)
    return took


def bench_forward():
    """A claim through a member beside the same claim at the coordinator, on loopback, in turn."""
    count = 300 if QUICK else 1000
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack, 1, 0, 1)
        member = cluster.members[0]
        session = cluster.home.call("POST", "/v1/sessions", {"name": "bench", "agent_type": "bench", "slots": 1000})["id"]
        fill(cluster.home, 10_000)
        rounds = in_turn(3 if QUICK else 5, direct=lambda: middle(claims(cluster.home, session, count // 5)),
                         forwarded=lambda: middle(claims(member, session, count // 5)))
        extra = statistics.median(f - d for f, d in zip(rounds["forwarded"], rounds["direct"]))
        say(bench="cluster_forwarded_claim", durability="full", direct_p50_ms=[round(v, 2) for v in rounds["direct"]],
            forwarded_p50_ms=[round(v, 2) for v in rounds["forwarded"]], extra_ms=round(extra, 2), target_ms=1, reached=extra <= 1)


def bench_loss():
    """A member that is stopped, or killed: how long until it is suspect, and until it is lost, at the usual settings."""
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack, 2, 0, 1)
        figures = {}
        for how, number, member in (("stopped", signal.SIGSTOP, cluster.members[0]), ("killed", signal.SIGKILL, cluster.members[1])):
            name = "member-1" if how == "stopped" else "member-2"
            member.process.send_signal(number)
            began = time.monotonic()
            for state in ("suspect", "lost"):
                cluster.wait(lambda nodes: any(n["name"] == name and n["state"] == state for n in nodes))
                figures[f"{how}_{state}_s"] = round(time.monotonic() - began, 2)
            if how == "stopped":
                member.process.send_signal(signal.SIGCONT)
        late = max(figures[f"{how}_lost_s"] for how in ("stopped", "killed"))
        say(bench="cluster_loss", **figures, suspect_target_s=2, lost_target_s=10, reached=late <= 10.6)


BENCHES = {"cluster": bench_cluster, "forward": bench_forward, "loss": bench_loss}
