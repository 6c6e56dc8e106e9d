"""The systems that belfry is measured against, each private, durable, in a folder of its own. All are optional.

bench/README.md says how to install them. `missing()` of each says in one line what is not there.
"""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness import ROOT, free_port, note, tool

MODULES = os.environ.get("BELFRY_BENCH_PEERS", "")


def debian_tool(name):
    found = shutil.which(name)
    versions = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found or (versions[-1] if versions else None)


def has_module(*names):
    return bool(MODULES) and all(os.path.exists(os.path.join(MODULES, "node_modules", n, "package.json")) for n in names)


def module_version(name):
    try:
        return json.load(open(os.path.join(MODULES, "node_modules", name, "package.json")))["version"]
    except OSError:
        return None


def need_node(*modules):
    if not shutil.which("node"):
        return "node is not installed (apt install nodejs npm)"
    if not has_module(*modules):
        return (f"BELFRY_BENCH_PEERS names no folder with {' and '.join(modules)} "
                f"(mkdir DIR && cd DIR && npm install {' '.join(modules)}; export BELFRY_BENCH_PEERS=DIR)")
    return None


def node_script(name, *arguments, **environment):
    out = subprocess.run(["node", os.path.join(ROOT, "bench", "clients", name), *map(str, arguments)], capture_output=True,
                         text=True, env={**os.environ, **environment})
    if out.returncode != 0:
        sys.exit(f"bench: {name} failed: {out.stdout[-500:]} {out.stderr[-1500:]}")
    return json.loads(out.stdout.strip().splitlines()[-1])


class Server:
    """A process that is there while the `with` lasts. Subclasses give the command and when it answers."""

    end = signal.SIGTERM

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="belfry-peer-")
        self.port = free_port()
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.prepare()
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, **self.as_user())
        until = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit(f"bench: {self.name} did not start: {open(self.log.name).read()[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(self.end)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self):
        pass

    def as_user(self):
        return {}

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False


class Beanstalkd(Server):
    name = "beanstalkd"
    durability = "-f0 (fsync at each job)"

    @staticmethod
    def missing():
        return None if shutil.which("beanstalkd") else "beanstalkd is not installed (apt install beanstalkd)"

    def command(self):
        return ["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port), "-b", self.folder, "-f0"]

    def client(self, mode, **options):
        flags = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        out = subprocess.run([tool("bench_beanstalkd"), mode, "--port", str(self.port), *flags], capture_output=True, text=True)
        if out.returncode != 0:
            sys.exit(f"bench: bench_beanstalkd failed: {out.stderr}")
        return json.loads(out.stdout)


class BullMQ(Server):
    name = "bullmq"
    durability = "appendonly yes, appendfsync always"

    @staticmethod
    def missing():
        if not shutil.which("redis-server"):
            return "redis-server is not installed (apt install redis-server)"
        return need_node("bullmq", "ioredis")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]

    def client(self, mode, jobs, connections=1):
        return node_script("bullmq.mjs", mode, jobs, connections, BELFRY_BENCH_PORT=str(self.port))


class Graphile(Server):
    name = "graphile-worker"
    durability = "fsync on, synchronous_commit on (defaults)"
    end = signal.SIGINT  # its fast end, which does not wait for clients

    @staticmethod
    def missing():
        if not (debian_tool("postgres") and debian_tool("initdb")):
            return "postgres is not installed (apt install postgresql)"
        return need_node("graphile-worker", "pg")

    def as_user(self):
        """PostgreSQL refuses to run as root."""
        return {"user": "postgres", "group": "postgres", "cwd": self.folder} if os.geteuid() == 0 else {"cwd": self.folder}

    def prepare(self):
        self.data = os.path.join(self.folder, "data")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        subprocess.run([debian_tool("initdb"), "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"],
                       stdout=self.log, stderr=self.log, check=True, **self.as_user())

    def command(self):
        return [debian_tool("postgres"), "-D", self.data, "-p", str(self.port), "-k", self.folder, "-c",
                "listen_addresses=127.0.0.1"]

    def answers(self):
        return super().answers() and b"ready to accept" in open(self.log.name, "rb").read()

    def client(self, mode, jobs, *more):
        return node_script("graphile.mjs", mode, jobs, *more,
                           BELFRY_BENCH_URL=f"postgres://postgres@127.0.0.1:{self.port}/postgres")


def present(kind):
    """The peer's class, or None after one line that says what is missing."""
    why = kind.missing()
    if why:
        note(f"bench: {kind.name} is left out: {why}")
    return None if why else kind


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def versions():
    found = {"beanstalkd": first_line("beanstalkd", "-v"), "redis": first_line("redis-server", "--version"),
             "postgres": debian_tool("postgres") and first_line(debian_tool("postgres"), "--version"),
             "node": first_line("node", "--version"), "bullmq": module_version("bullmq"),
             "graphile-worker": module_version("graphile-worker")}
    return {name: version for name, version in found.items() if version}
