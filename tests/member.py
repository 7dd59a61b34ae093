#!/usr/bin/env python3
"""member.py BUILD_DIR [--config C]: members of a real cluster are replaced under load
(docs/membership.md).

A replica is killed for good and replaced (dry run, change, new node); another old one is killed, so
that the new one counts; it is replaced too; the last executor of the beginning gives way in order;
an executor loses its memory and its links in a later epoch; everything is killed and starts again from its disks. Every write that was acknowledged is there,
and a node that was replaced counts for nothing."""

import argparse
import concurrent.futures
import pathlib
import shutil
import stat
import subprocess
import sys
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from durability import ask  # noqa: E402
from faults import close  # noqa: E402
from rolling import Writer  # noqa: E402
from support.cluster import Failure, wait_for  # noqa: E402
from support.nodes import Nodes, lasting_port  # noqa: E402

WRITES = 20


class Members:
    def __init__(self, build, config):
        self.cluster = Nodes(build / "eve", config=config, threads=2, durability="sync",
                             layout="joint", options=("--checkpoint-mib", "1"))
        self.file = pathlib.Path(self.cluster.cluster_file)
        self.writer = None
        self.silences = []  # around each change

    def eve(self, *words, fails=False):
        done = subprocess.run([self.cluster.program, *map(str, words)], capture_output=True,
                              text=True, timeout=120)
        if (done.returncode != 0) != fails:
            raise Failure(f"{words} ended with status {done.returncode}: "
                          f"{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def replace(self, old, new, ports, *words, fails=False):
        return self.eve("member", "replace", "--cluster", self.file, "--node", old, "--with", new,
                        "--host", "127.0.0.1", "--port", ports[0], "--status-port", ports[1],
                        *words, fails=fails)

    def change(self, old, new, ports, said):
        """Under load: notes how long no write was acknowledged."""
        self.writer.longest = 0.0
        expect(self.replace(old, new, ports), said)
        self.writes("after the change")
        self.silences.append(self.writer.longest)

    def listed(self):
        return self.eve("member", "list", "--cluster", self.file)

    def writes(self, what):
        """The service goes on."""
        before = len(self.writer.acknowledged)
        wait_for(f"writes {what}", 30, lambda: len(self.writer.acknowledged) >= before + WRITES)

    def check(self):
        for key, value in self.writer.acknowledged.items():
            found = ask(self.cluster.port, "GET", key, seconds=30)
            if found != value:
                raise Failure(f"lost, though acknowledged: {key} is {found}, not {value}")

    def start(self, name, file):
        """The new machine has the same files."""
        nodes = tomllib.loads(file.read_text())["joined"]
        self.cluster.nodes[name] = next(node for node in nodes if node["name"] == name)
        self.cluster.names.append(name)
        pathlib.Path(self.cluster.home, f"{name}.toml").write_text(file.read_text())
        self.cluster.restart(name)

    def bring(self, name):
        self.start(name, self.file)
        self.wait(name)

    def wait(self, name):
        self.eve("wait", "--cluster", self.file, "--node", name, "--timeout", "60")

    def end_in_order(self, name):
        child = self.cluster.running.pop(name)
        child.terminate()
        if child.wait(timeout=20) != 0:
            raise Failure(f"{name} ended with status {child.returncode} after SIGTERM")

    def begin(self):
        self.cluster.start()
        self.writer = Writer(self.cluster.port)
        self.writer.start()
        self.writes("at first")

    def end(self):
        if self.writer is not None:
            self.writer.end()


def expect(said, *words):
    missing = [word for word in words if word not in said]
    if missing:
        raise Failure(f"{missing} is not in: {said}")


def refusals(work, ports):
    expect(work.replace("gateway", "late-1", ports, fails=True), "clients are no members")
    expect(work.replace("nobody", "late-1", ports, fails=True), "no node")
    expect(work.replace("node-1", "node-2", ports, fails=True), "choose a new one")
    key = work.file.parent / "operator.key"
    key.rename(key.with_suffix(".away"))
    expect(work.replace("node-1", "late-1", ports, fails=True), "operator.key")
    key.with_suffix(".away").rename(key)


def first_change(work):
    """The one that leaves is dead; the operator is interrupted before the file is written."""
    ports = (lasting_port(), lasting_port())
    refusals(work, ports)
    work.cluster.kill("node-1")
    before = work.file.read_text()
    expect(work.replace("node-1", "late-1", ports, "--dry-run"), "The change can be made",
           "not node-1: does not answer", "Nothing was changed")
    if work.file.read_text() != before or (work.file.parent / "late-1.key").exists():
        raise Failure("a dry run wrote something")
    work.change("node-1", "late-1", ports, "epoch 1 has begun")
    key = work.file.parent / "late-1.key"
    if stat.S_IMODE(key.stat().st_mode) != 0o600:
        raise Failure(f"others may read {key}")
    after = work.file.read_text()
    work.file.write_text(before)
    expect(work.replace("node-1", "late-1", ports), "has joined in epoch 1 already")
    if work.file.read_text() != after:
        raise Failure("what was taken up wrote another cluster.toml")
    work.writes("without the new node")
    work.bring("late-1")
    expect(work.listed(), "epoch 1", "late-1", "(replaced)    node-1")


def second_change(work):
    """The node that joined counts: it is one of those that are left. The next one learns first."""
    work.cluster.kill("node-2")
    work.writes("with the new node in the quorum")
    ports = (lasting_port(), lasting_port())
    announced = work.file.parent / "cluster.late-2.toml"
    work.writer.longest = 0.0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        change = pool.submit(work.replace, "node-2", "late-2", ports, "--learn-first",
                             "--timeout", "90")
        wait_for("late-2 to be announced", 30, lambda: announced.exists() or change.done())
        if change.done():
            raise Failure(f"nobody waited for late-2: {change.result()}")
        expect(work.listed(), "epoch 1")
        work.start("late-2", announced)
        expect(change.result(), "late-2 is level", "epoch 2 has begun")
    work.writes("after the change")
    work.silences.append(work.writer.longest)
    work.wait("late-2")
    expect(work.listed(), "epoch 2", "late-2")
    work.writes("in epoch 2")


def third_change(work):
    """In order, as docs/operations.md has it: the one that leaves runs until the new one counts.
    No executor of the beginning is left then, and the gateway's own cluster.toml names no other."""
    ports = (lasting_port(), lasting_port())
    work.change("node-0", "late-3", ports, "epoch 3 has begun")
    work.bring("late-3")
    work.end_in_order("node-0")
    expect(work.listed(), "epoch 3", "late-3")
    work.writes("in epoch 3")


def lost_memory(work):
    """An executor's log, links and marks are gone, not its key: it hears of epochs in which it has
    spoken as if it had never been there, and must not say there what it may have said otherwise."""
    name = "late-1"
    work.cluster.kill(name)
    gone = list(pathlib.Path(work.cluster.home, name).glob("executor-*"))
    if not any(path.suffix == ".chain" for path in gone):
        raise Failure(f"{name} has kept no links: {gone}")
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    work.cluster.restart(name)

    def executor():
        return work.cluster.status().get(name, {}).get("executor", {})

    wait_for(f"{name} to be silent in epoch 3", 30,
             lambda: executor().get("epoch") == 3 and executor().get("silent"))
    work.writes("while it is silent")
    wait_for(f"{name} to speak again", 60, lambda: executor().get("silent") is False)
    work.wait(name)
    work.writes("with it")
    for node, status in work.cluster.status().items():
        refused = status.get("refused", {}).get("by_sender", [])
        said = [entry for entry in refused if entry["sender"] == name]
        if said:
            raise Failure(f"{node} refused what {name} said: {said}")


def whole_cluster_crash(work):
    cluster = work.cluster
    work.writer.end()
    for child in cluster.running.values():
        child.kill()
    for child in cluster.running.values():
        child.wait()
    cluster.running.clear()
    gone = {"node-0", "node-1", "node-2"}
    for name in cluster.names:
        if name not in gone:
            cluster.restart(name)
    cluster.wait_open()
    again = Writer(cluster.port)
    again.acknowledged = work.writer.acknowledged
    work.writer = again
    again.start()
    work.writes("after everything was killed")


def old_one(work):
    """It counts for nothing, and says so when anybody that it knows tells it: a verifier of the
    beginning (bft), else those that its cluster.toml names."""
    if not work.cluster.running.keys() & {"node-0", "node-1", "node-2", "node-3"}:
        pathlib.Path(work.cluster.home, "node-1.toml").write_text(work.file.read_text())
    work.cluster.restart("node-1")

    def says_so():
        parts = work.cluster.status()["node-1"]
        return all(parts[role]["replaced"] for role in ("executor", "verifier"))

    wait_for("node-1 to say that it was replaced", 30, says_so)
    expect(work.eve("wait", "--cluster", work.file, "--node", "node-1", "--timeout", "1",
                    fails=True), "another node has taken its seat")
    work.writes("with the old one about")


def run(build, config):
    work = Members(build, config)
    try:
        work.begin()
        for step in (first_change, second_change, third_change, lost_memory,
                     whole_cluster_crash, old_one):
            began = time.monotonic()
            step(work)
            print(f"  {step.__name__}: {time.monotonic() - began:.1f} s, "
                  f"{len(work.writer.acknowledged)} writes so far", flush=True)
        work.end()
        work.check()
        if work.cluster.check_agreement() == 0:
            raise Failure("no batch was seen on two executors")
    except BaseException:
        work.end()
        print(work.cluster.output()[-6000:])
        work.cluster.stop()
        raise
    close(work.cluster)
    print(f"  {config}: {len(work.writer.acknowledged)} acknowledged writes, all there; "
          f"longest without one around the changes "
          f"{', '.join(f'{silence:.2f} s' for silence in work.silences)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--config", choices=("bft", "crash"), default="bft")
    options = parser.parse_args()
    try:
        run(options.build.resolve(), options.config)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print("members: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
