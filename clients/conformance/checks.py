"""Builds the adaptors, and the checks that need no scenario: generated types and the programs of the guides."""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from node import Node

CHECKS = []
NODE = os.environ.get("NODE") or "node"
GUIDES = {"python": "word_count.py", "typescript": "word_count.ts", "cpp": "word_count.cpp"}


class Failure(Exception):
    pass


def check(function):
    CHECKS.append(function)
    return function


def told(*command, seconds=60, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, **more)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


class Languages:
    def __init__(self, root, binary):
        self.root = root
        self.clients = root / "clients"
        self.binary = binary
        programs = Path(os.environ.get("BELFRY_CLIENT_PROGRAMS") or Path(binary).parent)
        self.made = programs / "clients"
        conformance = self.clients / "conformance"
        self.adaptors = {
            "python": [sys.executable, "-B", str(conformance / "python/adaptor.py")],
            "typescript": [NODE, "--no-warnings", str(self.made / "typescript/conformance/typescript/adaptor.js")],
            "cpp": [str(programs / "client_adaptor")],
        }
        self.examples = {
            "python": [sys.executable, "-B", str(self.clients / "python/examples/word_count.py")],
            "typescript": [NODE, "--no-warnings", str(self.made / "typescript/typescript/examples/word_count.js")],
            "cpp": [str(programs / "client_word_count")],
        }

    def read_document(self):
        if not Path(self.binary).exists():
            raise Failure(f"{self.binary} is not there: run ./dev build")
        node = Node(self.binary)
        try:
            node.start()
            self.document = json.loads(told(self.binary, "openapi", "--server", node.url))
        finally:
            node.close()

    def build(self, chosen):
        if "typescript" in chosen:
            told("tsc", "-p", str(self.clients / "conformance/typescript/tsconfig.json"), "--outDir", str(self.made / "typescript"))
            (self.made / "typescript/package.json").write_text('{"type": "module"}\n')
        if "cpp" in chosen and not Path(self.adaptors["cpp"][0]).exists():
            raise Failure(f"{self.adaptors['cpp'][0]} is not there: run ./dev test clients, or ./dev build release clients")


def types_of(languages, to):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "openapi.json").write_text(json.dumps(languages.document))
        told(NODE, str(languages.clients / "typescript/tools/types.mjs"), f"{folder}/openapi.json", str(to))


@check
def typescript__the_types_are_those_of_the_OpenAPI_document(languages):
    kept = languages.clients / "typescript/src/api.ts"
    with tempfile.TemporaryDirectory() as folder:
        types_of(languages, f"{folder}/api.ts")
        if Path(folder, "api.ts").read_text() != kept.read_text():
            raise Failure("clients/typescript/src/api.ts is out of date: run tests/clients/run --write-types")


@check
def typescript__the_package_needs_nothing_at_run_time(languages):
    package = json.loads((languages.clients / "typescript/package.json").read_text())
    if package.get("dependencies"):
        raise Failure(f"dependencies: {package['dependencies']}")


@check
def python__the_package_needs_the_standard_library_alone(languages):
    own = {"belfry"}
    for source in (languages.clients / "python/src/belfry").glob("*.py"):
        for name in re.findall(r"^(?:from|import) (\w+)", source.read_text(), re.MULTILINE):
            if name not in sys.stdlib_module_names | own:
                raise Failure(f"{source.name} imports {name}")


def guide_has_program(language):
    def compare(languages):
        program = (languages.clients / language / "examples" / GUIDES[language]).read_text()
        guide = (languages.root / f"docs/guides/write-a-worker-{language}.md").read_text()
        if f"\n{program}```\n" not in guide:
            raise Failure(f"docs/guides/write-a-worker-{language}.md does not hold {GUIDES[language]} word by word")
    compare.__name__ = f"{language}__the_guide_holds_the_program_word_by_word"
    return compare


def guide_program_works(language):
    def execute(languages):
        node = Node(languages.binary)
        worker = None
        try:
            node.start()
            worker = subprocess.Popen([*languages.examples[language], node.url], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True,
                                      env={**os.environ, "PYTHONPATH": str(languages.clients / "python/src")})
            run = node.submit({"text": "one two three"}, name="word-count")
            done = node.wait_run(run, "succeeded", "failed")
            if done["result"] != {"words": 3}:
                raise Failure(f"{done['state']}: {done['result']} {done['reason']}")
            worker.terminate()
            if worker.wait(10) != 0:
                raise Failure(f"it ended with {worker.returncode}: {worker.stdout.read()}")
            if [s for s in node.get("/v1/sessions")["sessions"] if s["agent_type"] == "word-counter"]:
                raise Failure("its session is still there after TERM")
        finally:
            if worker is not None and worker.poll() is None:
                worker.kill()
            node.close()
    execute.__name__ = f"{language}__the_program_of_the_guide_works"
    return execute


for each in GUIDES:
    check(guide_has_program(each))
    check(guide_program_works(each))
