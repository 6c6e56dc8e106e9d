"""Benchmarks of time: many timers due at once, a million scheduled jobs."""
import contextlib
import datetime
import os
import sqlite3
import time

from harness import Node, QUICK, note, say

JOB = {"handler": {"kind": "process", "argv": ["/bin/true"]}, "overlap": "allow", "max_concurrent": 10_000}


FAR = time.time() + 86_400 * 300 + 0.123457  # microseconds and all: the text is as long as any


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def percentile(sorted_values, p):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * p))]


def store_of(node):
    return sqlite3.connect(os.path.join(node.data, "belfry.db"))


def clone_jobs(node, count, due):
    """Copies of the jobs `once` and `daily`, written into the store of a node that is stopped: over HTTP a million would take minutes.
    `due(i)` in seconds, or nothing for a daily one."""
    with contextlib.closing(store_of(node)) as db:
        once, daily = (db.execute("select id from jobs where name = ?", (n,)).fetchone()[0] for n in ("once", "daily"))
        timing = db.execute("select timing from job_revisions where job = ?", (once,)).fetchone()[0]
        midnight = db.execute("select due from jobs where id = ?", (daily,)).fetchone()[0]
        text = rfc3339(FAR)[:-1].rstrip("0").rstrip(".").encode()
        at = timing.index(text)
        end = timing.index(b"Z", at) + 1
        columns = [row[1] for row in db.execute("pragma table_info(jobs)")]
        kept = [c for c in columns if c not in ("id", "name", "covered", "due")]
        of = [row[1] for row in db.execute("pragma table_info(job_revisions)") if row[1] not in ("job", "timing")]
        db.execute("create temp table copies (n integer primary key, source integer, due integer, timing blob)")
        length = end - at

        def rows():
            for i in range(count):
                when = due(i)
                if when is None:
                    yield i, daily, midnight, None
                    continue
                micros = int(when * 1e6)
                words = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(micros // 1_000_000)) + f".{micros % 1_000_000:06d}Z"
                assert len(words) == length, (words, timing)
                yield i, once, micros, timing[:at] + words.encode() + timing[end:]
        db.executemany("insert into copies values (?, ?, ?, ?)", rows())
        db.execute(f"insert into jobs (id, name, covered, due, {', '.join(kept)}) "
                   f"select {daily} + 1 + n, 'copy-' || n, copies.due - 1, copies.due, {', '.join('jobs.' + c for c in kept)} "
                   f"from copies join jobs on jobs.id = copies.source")
        db.execute(f"insert into job_revisions (job, timing, {', '.join(of)}) "
                   f"select {daily} + 1 + n, ifnull(copies.timing, r.timing), {', '.join('r.' + c for c in of)} "
                   f"from copies join job_revisions r on r.job = copies.source")
        db.commit()


def templates(node):
    node.call("PUT", "/v1/jobs/once", {**JOB, "schedule": "@at " + rfc3339(FAR)})
    node.call("PUT", "/v1/jobs/daily", {**JOB, "schedule": "@every 1d"})


def lateness_of(rows):
    late = sorted((made - at) / 1000 for at, made in rows)
    return {"p50_ms": round(percentile(late, 0.5), 2), "p99_ms": round(percentile(late, 0.99), 2),
            "longest_ms": round(late[-1], 2)}


def wait_for(what, node, limit=120):
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > limit:
            raise SystemExit(f"bench: waited {limit} s in vain for {node.data}")
        time.sleep(0.1)


def bench_timers():
    """100k timers due within 10 s, as delayed runs and as jobs with a time of their own: lateness from the planned instant to the commit that makes the run ready."""
    count = 10_000 if QUICK else 100_000
    spread = 10.0 * count / 100_000 if QUICK else 10.0
    with Node("--executors", "0", "--set", "backpressure.at=0") as node:
        # Delayed runs. What the store notes is the instant of the decision; all of them fall due in one window.
        lead = 15 if not QUICK else 4
        start = time.time() + lead
        for base in range(0, count, 1000):
            runs = [{"name": f"timer-{i}", "not_before": rfc3339(start + i * spread / count), "handler": JOB["handler"]}
                    for i in range(base, base + 1000)]
            node.call("POST", "/v1/runs:batch", {"runs": runs})
        if time.time() > start:
            note("bench: timers: submitting took longer than the lead; lateness includes it")
        idle = max(0.0, start - time.time() - 0.2)
        time.sleep(idle)
        cpu = node.cpu()
        time.sleep(max(0.0, start + spread + 0.5 - time.time()))

        def ready():
            with contextlib.closing(store_of(node)) as db:
                return db.execute("select count(*) from runs where due is not null").fetchone()[0] == 0
        wait_for(ready, node)
        cpu = node.cpu() - cpu
        with contextlib.closing(store_of(node)) as db:
            rows = [((start + int(name[6:]) * spread / count) * 1e6, ready)
                    for name, ready in db.execute("select name, created + eligible from runs")]
        figures = lateness_of(rows)
        say(bench="timers_runs", count=count, seconds=spread, durability="full", **figures, target_p99_ms=5,
            cpu_seconds=round(cpu, 2), anonymous_mb=round(node.memory()["RssAnon"], 1), reached=figures["p99_ms"] <= 5)
    with Node("--executors", "0", "--set", "backpressure.at=0") as node:
        templates(node)
        node.stop()
        start = time.time() + (20 if not QUICK else 5)
        clone_jobs(node, count, lambda i: start + i * spread / count)
        node.start()
        time.sleep(max(0.0, start - time.time() - 0.2))
        cpu = node.cpu()

        def made():
            with contextlib.closing(store_of(node)) as db:
                return db.execute("select count(*) from occurrences").fetchone()[0] >= count
        time.sleep(spread)
        wait_for(made, node)
        cpu = node.cpu() - cpu
        with contextlib.closing(store_of(node)) as db:
            rows = db.execute("select at, created from occurrences join runs on runs.id = occurrences.run").fetchall()
        figures = lateness_of(rows)
        say(bench="timers_jobs", count=count, seconds=spread, durability="full", **figures, target_p99_ms=5,
            cpu_seconds=round(cpu, 2), anonymous_mb=round(node.memory()["RssAnon"], 1), reached=figures["p99_ms"] <= 5)


def settled(node):
    """When the node came to rest: the last instant at which it used a processor for more than a twentieth of a while."""
    last, cpu = time.monotonic(), node.cpu()
    while time.monotonic() - last < 1:
        time.sleep(0.1)
        now = node.cpu()
        if now - cpu > 0.02:
            last = time.monotonic()
        cpu = now
    return last


def fire_cost(node, fires):
    """Processor time of one firing, from the jobs that fall due while we look, in microseconds."""
    def made():
        with contextlib.closing(store_of(node)) as db:
            return db.execute("select count(*) from occurrences").fetchone()[0]
    before, cpu = made(), node.cpu()
    wait_for(lambda: made() - before >= fires, node, 60)
    done = made() - before
    return (node.cpu() - cpu) * 1e6 / done


def bench_jobs():
    """1M scheduled jobs: time to ready, memory, and the processor time of one firing, beside 10k."""
    many = 100_000 if QUICK else 1_000_000
    costs, started, memory = {}, 0, {}
    for count in (10_000, many):
        with Node("--executors", "0", "--set", "backpressure.at=0") as node:
            templates(node)
            node.stop()
            begin = time.time() + count / 40_000 + 5
            # 1,000 a second for ten seconds; all others at midnight.
            clone_jobs(node, count, lambda i: begin + i / 1000 if i < 10_000 else None)
            began = time.monotonic()
            node.start()
            started = node.started_in
            read = settled(node) - began  # the heap of due times is read beside the first requests
            memory[count] = node.memory()["RssAnon"]
            time.sleep(max(0.0, begin - time.time()))
            costs[count] = fire_cost(node, 6_000)
    ratio = costs[many] / costs[10_000]
    say(bench="scheduled_jobs", jobs=many, durability="full", ready_seconds=round(started, 2), all_read_seconds=round(read, 2), target=8,
        anonymous_mb=round(memory[many], 1), bytes_per_job=round((memory[many] - memory[10_000]) * 1024 * 1024 / (many - 10_000)),
        fire_us_10k=round(costs[10_000], 1), fire_us=round(costs[many], 1), ratio=round(ratio, 2),
        reached=read <= 8 and ratio <= 1.2)


BENCHES = {"timers": bench_timers, "jobs": bench_jobs}
