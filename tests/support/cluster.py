"""A cluster of real processes for the demo and the tests: started with `eve dev`, nodes killed and
restarted one by one, status read with `eve status`. Ends only processes that it started."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


# libstdc++'s futures synchronize inside the library, which is not built for ThreadSanitizer.
os.environ.setdefault("TSAN_OPTIONS", f"suppressions={ROOT}/tests/support/tsan.supp")

# What no node may ever write.
COMPLAINTS = re.compile(r"broken invariant|ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error:")


class Failure(Exception):
    """What a person reads when something did not go as it must."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, condition):
    """Polls until `condition()` is true; returns the seconds it took."""
    start = time.monotonic()
    last_error = ""
    while time.monotonic() - start < seconds:
        try:
            if condition():
                return time.monotonic() - start
        except (Failure, OSError, ValueError, KeyError) as error:
            last_error = f" ({error})"
        time.sleep(0.05)
    raise Failure(f"waited {seconds} s in vain for: {what}{last_error}")


class Cluster:
    def __init__(self, program, config="bft", threads=1, layout="split", u=1, extra=()):
        self.program = str(program)
        self.threads = threads
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix="eve-test-")
        self.cluster_file = os.path.join(self.directory, "dev", "cluster.toml")
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.restarted = {}
        self.nodes_file = os.path.join(self.directory, "nodes.json")
        self.command = [
            self.program, "dev", "--config", config, "--u", str(u), "--port", str(self.port),
            "--threads", str(threads), "--layout", layout,
            "--dir", os.path.join(self.directory, "dev"), "--nodes-out", self.nodes_file, *extra]
        self._start_dev()

    def _start_dev(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True)
        self.ready_line = self.process.stdout.readline().strip()
        if not self.ready_line.startswith("ready: "):
            log = self.output()
            self.stop()
            raise Failure(f"the cluster did not start: {log}")
        with open(self.nodes_file) as file:
            self.nodes = {node["name"]: node for node in json.load(file)["nodes"]}

    def output(self):
        self.log.flush()
        with open(self.log.name) as file:
            return file.read()

    def kill_all(self):
        """kill -9 of all nodes at once; nobody holds their folders afterwards."""
        for node in self.nodes.values():
            os.kill(node["pid"], signal.SIGKILL)
        self.process.terminate()
        self.process.wait(timeout=15)
        self.process.stdout.close()

    def kill_all_and_start_again(self):
        """Then the same `eve dev` on the same directory."""
        self.kill_all()
        self._start_dev()

    def kill(self, name, how=signal.SIGKILL):
        """Kills one node. (`eve dev` is its parent and does not restart it.)"""
        child = self.restarted.pop(name, None)
        if child is not None:
            child.send_signal(how)
            child.wait()
        else:
            os.kill(self.nodes[name]["pid"], how)

    def signal(self, name, number):
        """To one node, which goes on."""
        child = self.restarted.get(name)
        os.kill(child.pid if child is not None else self.nodes[name]["pid"], number)

    def restart(self, name, *words):
        """Starts a killed node again, with the command of separate machines."""
        self.restarted[name] = subprocess.Popen(
            [self.program, "serve", "--cluster", self.cluster_file, "--node", name,
             "--threads", str(self.threads), *(words or ("--durability", "memory"))],
            stderr=self.log)

    def status(self):
        """{name: status}; nodes that do not answer have the key "error"."""
        done = subprocess.run([self.program, "status", "--cluster", self.cluster_file, "--json"],
                              capture_output=True, text=True, timeout=60)
        return {node["name"]: node for node in json.loads(done.stdout)}

    def parts(self, role):
        """The statuses of one role: {name: part}."""
        return {name: node[role] for name, node in self.status().items() if role in node}

    def check_agreement(self):
        """No two nodes name different tokens or roots for one batch. Returns how many batches were
        seen on more than one executor."""
        seen = {}
        shared = set()
        for name, part in self.parts("executor").items():
            for batch in part.get("recent", ()):  # none where it was replaced
                value = (batch["token"], batch["state_root"])
                other = seen.setdefault(batch["number"], (value, name))
                if other[0] != value:
                    raise Failure(f"{name} and {other[1]} differ in batch {batch['number']}")
                if other[1] != name:
                    shared.add(batch["number"])
        for name, part in self.parts("verifier").items():
            known = seen.get(part["committed"])
            if known and known[0][0] != part["token"]:
                raise Failure(f"{name} and {known[1]} differ in batch {part['committed']}")
        return len(shared)

    def converged(self, role="executor"):
        """All nodes of a role answer, and have the same last batch and token."""
        parts = self.parts(role)
        answering = {(part["committed"], part["token"]) for part in parts.values()}
        return len(answering) == 1 and len(parts) == sum(
            any(r.startswith(role) for r in node["roles"]) for node in self.nodes.values())

    def benchmark(self, tests, requests, pipeline, clients=50, background=False):
        """redis-benchmark; {test: requests/s}, or the running process."""
        command = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), "-t", tests,
                   "-n", str(requests), "-c", str(clients), "-P", str(pipeline), "-r", "10000",
                   "-d", "64", "--csv"]
        if background:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True)
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return parse_benchmark(done.stdout + done.stderr, done.returncode)

    def cli(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True, timeout=30)
        if done.returncode != 0:
            raise Failure(f"redis-cli {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def stop(self):
        """Ends every process; returns what they had written to standard error."""
        for child in self.restarted.values():
            child.terminate()
        for child in self.restarted.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.restarted = {}
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        log = self.output()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return log

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and not self.log.closed:
            subprocess.run([self.program, "status", "--cluster", self.cluster_file], timeout=60,
                           check=False)
            print(self.output()[-4000:])
        log = self.stop()
        # A node that died would be masked by the others: that is what they are for.
        found = COMPLAINTS.search(log)
        if error is None and found:
            raise Failure(f"a node complained: {log[found.start():found.start() + 3000]}")


def parse_benchmark(text, status):
    found = {}
    for line in text.splitlines():
        match = re.match(r'"([^"]+)","([0-9.]+)"', line)
        if match:
            found[match.group(1).split(" ")[0]] = float(match.group(2))
    if status != 0 or not found or "rror" in text.replace('"', ""):
        raise Failure(f"redis-benchmark: {text[-500:]}")
    return found
