"""Benchmarks of the workers' protocol, with peers beside it: who enqueues, claims, completes, waits, starts, and at what speed.

Ours and the peer run in turn, in one run; the ratio is the median over the rounds. Durable on both sides; the peer's
setting is printed. A peer that is not installed is left out with a line, and ours is still measured.
"""
import contextlib
import json
import os
import subprocess
import sys
import time

from harness import (QUICK, Node, fill, in_turn, load, middle, queued_run, ratio, raw_rates, say, tool)
from peers import Beanstalkd, BullMQ, Graphile, present

ROUNDS = 1 if QUICK else 3


def client(node, mode, **options):
    flags = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    out = subprocess.run([tool("bench_drain"), mode, "--port", str(node.port), *flags], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"bench: bench_drain failed: {out.stdout} {out.stderr}")
    return json.loads(out.stdout)


def drain(node, runs, connections, most):
    fill(node, runs)
    return client(node, "drain", connections=connections, max=most, runs=runs)["per_second"]


def quiet_node(stack, *flags, **more):
    node = stack.enter_context(Node("--executors", "0", *flags, **more))
    node.no_limits()
    return node


def start_peer(stack, kind):
    chosen = present(kind)
    return stack.enter_context(chosen()) if chosen else None


def report(name, peer, figures, target, **more):
    """`figures`: rates by side, ours under "ours", the peer's under "peer"."""
    fields = {"bench": name, "durability": "full", "ours_per_second": [round(v) for v in figures["ours"]]}
    if peer:
        against = ratio(figures["ours"], figures["peer"])
        fields |= {"peer": peer.name, "peer_durability": peer.durability,
                   "peer_per_second": [round(v) for v in figures["peer"]], "ratio": against, "target": target,
                   "reached": against >= target}
    say(**fields, **more)


def bare_syncs(folder, times, pause):
    """300 bytes written over old ones and synced, again and again: what no durable system is faster than. In ms."""
    took, room = [], 4 << 20
    path = os.path.join(folder, "bare-sync")
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, bytes(room), 0)
        os.fsync(file)
        for i in range(times):
            time.sleep(pause)
            began = time.perf_counter()
            os.pwrite(file, b"x" * 300, i * 300 % room)
            os.fdatasync(file)
            took.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(file)
        os.unlink(path)
    took.sort()
    return {"p50_ms": round(took[len(took) // 2], 3), "p99_ms": round(took[len(took) * 99 // 100], 3)}


def enqueue_beside(name, kind, connections, target, theirs):
    with contextlib.ExitStack() as stack:
        node, peer = quiet_node(stack), start_peer(stack, kind)
        sides = {"ours": lambda: load(node, "enqueue", "/v1/runs", body=queued_run(), connections=connections)["per_second"]}
        if peer:
            sides["peer"] = lambda: theirs(peer)
        if connections == 1:
            sides["bare"] = lambda: 1000 / bare_syncs(node.data, 2000, 0)["p50_ms"]
        figures = in_turn(ROUNDS, **sides)
        more = {"bare_syncs_per_second": [round(v) for v in figures["bare"]]} if connections == 1 else {}
        report(name, peer, figures, target, connections=connections, **more)


def bench_enqueue_one():
    """W1a: single enqueues on one connection, beside beanstalkd -f0 and a bare loop of writes and syncs."""
    enqueue_beside("enqueue_one", Beanstalkd, 1, 0.9,
                   lambda peer: peer.client("put", connections=1, seconds=1 if QUICK else 4)["per_second"])


def bench_enqueue():
    """W1b: single enqueues, 64 under way, beside BullMQ on Redis that syncs always."""
    enqueue_beside("enqueue", BullMQ, 64, 1.5,
                   lambda peer: max(peer.client("enqueue", 5000 if QUICK else 20_000, links)["per_second"] for links in (1, 64)))


def bench_enqueue_batch():
    """W2: enqueues in batches of 1,000, beside graphile-worker's addJobs and the same rows by SQLite's C API."""
    with contextlib.ExitStack() as stack:
        node, peer = quiet_node(stack), start_peer(stack, Graphile)
        body = {"runs": [queued_run()] * 1000}
        sides = {"raw": lambda: raw_rates()["raw_insert"],
                 "ours": lambda: load(node, "batch", "/v1/runs:batch", body=body, connections=4)["per_second"] * 1000}
        if peer:
            sides["peer"] = lambda: peer.client("enqueue", 10_000 if QUICK else 100_000)["per_second"]
        figures = in_turn(ROUNDS, **sides)
        report("enqueue_batch", peer, figures, 2.0, raw_per_second=[round(v) for v in figures["raw"]],
               raw_ratio=ratio(figures["ours"], figures["raw"]), raw_target=0.5)


def bench_drain():
    """W3a: drain 100k, claimed and completed one by one on 64 connections, beside BullMQ with 64 at a time."""
    runs = 10_000 if QUICK else 100_000
    with contextlib.ExitStack() as stack:
        node, peer = quiet_node(stack), start_peer(stack, BullMQ)
        sides = {"ours": lambda: drain(node, runs, 64, 1)}
        if peer:
            sides["peer"] = lambda: peer.client("drain", runs)["per_second"]
        report("drain", peer, in_turn(ROUNDS, **sides), 1.5, runs=runs, connections=64)


def bench_drain_batch():
    """W3b: drain 100k in claims and completions of up to 1,000, beside graphile-worker's batched mode and the raw rows."""
    runs = 10_000 if QUICK else 100_000
    with contextlib.ExitStack() as stack:
        node, peer = quiet_node(stack), start_peer(stack, Graphile)

        def raw():
            rates = raw_rates()
            return 1 / (1 / rates["raw_claim"] + 1 / rates["raw_settle"])

        sides = {"raw": raw, "ours": lambda: drain(node, runs, 8, 1000)}
        if peer:
            sides["peer"] = lambda: peer.client("drain", runs)["per_second"]
        figures = in_turn(ROUNDS, **sides)
        report("drain_batch", peer, figures, 1.5, runs=runs, connections=8, raw_per_second=[round(v) for v in figures["raw"]],
               raw_ratio=ratio(figures["ours"], figures["raw"]), raw_target=0.5)


def stored_bytes(node):
    return sum(os.path.getsize(os.path.join(node.data, f)) for f in os.listdir(node.data) if f.startswith("belfry.db"))


def bench_depth():
    """W5: the batch drain with 10k, 100k and 1M queued, in turn; memory and disk of one queued run."""
    depths = {"10k": 10_000, "100k": 100_000, "1M": 200_000 if QUICK else 1_000_000}
    part = 5000 if QUICK else 10_000
    with contextlib.ExitStack() as stack:
        nodes, empty = {}, 0
        for name, runs in depths.items():
            nodes[name] = quiet_node(stack)
            empty = nodes[name].memory()["RssAnon"]
            fill(nodes[name], runs)
        deep, most = nodes["1M"], depths["1M"]
        grown = deep.memory()["RssAnon"]
        deep.stop()
        size = stored_bytes(deep)
        deep.start()

        def once(node):
            rate = client(node, "drain", connections=4, max=1000, runs=part)["per_second"]
            fill(node, part)
            return rate

        figures = in_turn(2 if QUICK else 7, **{name: (lambda n=node: once(n)) for name, node in nodes.items()})
        flat = ratio(figures["1M"], figures["10k"])
        # What a node needs to work at all, it needs with 10k too.
        shallow, worked = nodes["10k"].memory()["RssAnon"], deep.memory()["RssAnon"]
        bytes_each = (worked - shallow) * 1024 * 1024 / (most - depths["10k"])
        say(bench="depth", durability="full", queued=list(depths.values()), per_second=figures,
            ratio_100k=ratio(figures["100k"], figures["10k"]), ratio=flat, target=0.9,
            anonymous_mb_empty=round(empty, 1), anonymous_mb_filled=round(grown, 1), anonymous_mb_worked=round(worked, 1),
            anonymous_mb_worked_10k=round(shallow, 1),
            memory_bytes_per_run_filled=round((grown - empty) * 1024 * 1024 / most),
            memory_bytes_per_run=round(bytes_each), memory_target=128, disk_bytes_per_run=round(size / most), disk_target=400,
            reached=flat >= 0.9 and bytes_each <= 128 and size / most <= 400)


def waiting(node, sessions, runs, every=20, look=None):
    """`sessions` long-poll claims wait; `look` is called when all do; then one run each `every` ms."""
    command = [tool("bench_drain"), "pickup", "--port", str(node.port), "--connections", str(sessions), "--runs", str(runs),
               "--every", str(every)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        if not line:
            sys.exit("bench: the waiting sessions did not come up")
        seen = look() if look else None
        process.stdin.write("go\n")
        process.stdin.flush()
        figures = json.loads(process.stdout.readline())
    return figures, seen


def bench_pickup():
    """W4: one run each 20 ms on an idle node, from submit to the waiting claim's answer, beside beanstalkd -f0 and a bare sync each 20 ms."""
    runs = 100 if QUICK else 1000
    with contextlib.ExitStack() as stack:
        node, peer = quiet_node(stack), start_peer(stack, Beanstalkd)
        sides = {"ours": lambda: waiting(node, 1, runs)[0],
                 "bare_sync": lambda: bare_syncs(node.data, 100, 0.02)}
        if peer:
            sides["peer"] = lambda: peer.client("pickup", runs=runs, every=20)
        figures = in_turn(ROUNDS, **sides)
        fields = {}
        for side, values in figures.items():
            for q in ("p50_ms", "p99_ms"):
                fields[f"{side}_{q}"] = [v[q] for v in values]
        p50, p99 = middle(fields["ours_p50_ms"]), middle(fields["ours_p99_ms"])
        if peer:
            fields |= {"peer": peer.name, "peer_durability": peer.durability,
                       "ratio_p50": round(p50 / middle(fields["peer_p50_ms"]), 2),
                       "ratio_p99": round(p99 / middle(fields["peer_p99_ms"]), 2), "ratio_target": 1.0}
        say(bench="pickup", durability="full", runs=runs, **fields, p50_target_ms=0.3, p99_target_ms=1.5,
            reached=p50 <= 0.3 and p99 <= 1.5)


def bench_start():
    """W8: start with 1M queued and 1M finished runs: time to ready, memory."""
    half = 100_000 if QUICK else 1_000_000
    with contextlib.ExitStack() as stack:
        node = quiet_node(stack)
        empty = node.memory()["RssAnon"]
        fill(node, half)
        client(node, "drain", connections=4, max=1000, runs=half)
        fill(node, half)
        took, memory = [], None
        for _ in range(ROUNDS):
            node.stop()
            node.start()
            took.append(round(node.started_in, 2))
            memory = node.memory()
        each = (memory["RssAnon"] - empty) * 1024 * 1024 / half
        say(bench="start", durability="full", queued=half, finished=half, ready_seconds=took, target=5,
            anonymous_mb=round(memory["RssAnon"], 1), memory_bytes_per_queued_run=round(each), memory_target=128,
            database_mb=round(stored_bytes(node) / 1e6), reached=middle(took) <= 5 and each <= 128)


def threads_of(node):
    return len(os.listdir(f"/proc/{node.process.pid}/task"))


def bench_sessions():
    """W9: 10,000 sessions wait on long-poll claims: memory of each, latency from submit to the claim's answer."""
    sessions, runs = (500, 100) if QUICK else (10_000, 1000)
    with contextlib.ExitStack() as stack:
        node = quiet_node(stack, "--set", "http.max_connections=12000", "--set", "queue.max_waiting_claims=12000",
                          "--set", "node.max_open_calls=16384")
        before, threads = node.memory()["RssAnon"], threads_of(node)
        figures, seen = waiting(node, sessions, runs, look=lambda: (node.memory()["RssAnon"], threads_of(node)))
        kib = (seen[0] - before) * 1024 / sessions
        say(bench="sessions", durability="full", sessions=sessions, runs=runs, kib_per_session=round(kib, 1), kib_target=20,
            p50_ms=figures["p50_ms"], p99_ms=figures["p99_ms"], p99_target_ms=5, threads_before=threads, threads_waiting=seen[1],
            reached=kib <= 20 and figures["p99_ms"] <= 5 and seen[1] == threads)


def woken(node, mode, sessions, wakes, look):
    command = [tool("bench_wakes"), mode, "--port", str(node.port), "--sessions", str(sessions), "--wakes", str(wakes),
               "--every", "5"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if not process.stdout.readline():
            sys.exit("bench: the waiting sessions did not come up")
        seen = look()
        process.stdin.write("go\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline()), seen


def bench_wakes():
    """10,000 sessions wait to be woken, on long poll and on streams: memory of each, from the request that wakes to its arrival."""
    sessions, wakes = (500, 200) if QUICK else (10_000, 2000)
    for mode in ("poll", "stream"):
        with contextlib.ExitStack() as stack:
            node = quiet_node(stack, "--set", "http.max_connections=12000", "--set", "http.max_streams=12000",
                              "--set", "node.max_open_calls=16384")
            before, threads = node.memory()["RssAnon"], threads_of(node)
            figures, seen = woken(node, mode, sessions, wakes, look=lambda: (node.memory()["RssAnon"], threads_of(node)))
            kib = (seen[0] - before) * 1024 / sessions
            say(bench="wakes", sink=mode, sessions=sessions, wakes=wakes, kib_per_session=round(kib, 1), kib_target=20,
                p50_ms=figures["p50_ms"], p99_ms=figures["p99_ms"], max_ms=figures["max_ms"], p99_target_ms=5,
                threads_before=threads, threads_waiting=seen[1],
                reached=kib <= 20 and figures["p99_ms"] <= 5 and seen[1] == threads)


BENCHES = {"enqueue_one": bench_enqueue_one, "enqueue": bench_enqueue, "enqueue_batch": bench_enqueue_batch,
           "drain": bench_drain, "drain_batch": bench_drain_batch, "depth": bench_depth, "pickup": bench_pickup,
           "start": bench_start, "sessions": bench_sessions, "wakes": bench_wakes}
