#!/usr/bin/env python3
"""rolling.py BUILD_DIR [--config C] [--seed N]: a rolling restart, as docs/operations.md has it, under
a load whose histories are checked: every replica ends in order (SIGTERM) and starts again, one after
the other, the next one when `eve wait` says that the last one counts again. No acknowledged write is
lost, nobody says that it lost its memory, and the longest time without an acknowledged write is told."""

import argparse
import pathlib
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from durability import LOST, ask, lasting_nodes, load  # noqa: E402
from faults import close  # noqa: E402
from support.cluster import Failure, wait_for  # noqa: E402

STOP_S = 20
SILENCE_S = 10  # on a machine that others use too
IDLE_WRITES = 30


class Writer(threading.Thread):
    """Writes a key of its own again and again, and notes when it was acknowledged."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.acknowledged = {}
        self.longest = 0.0
        self.last = time.monotonic()
        self.ended = threading.Event()

    def run(self):
        count = 0
        while not self.ended.is_set():
            count += 1
            try:
                if ask(self.port, "SET", f"rolling:{count}", str(count)) == "+OK":
                    self.acknowledged[f"rolling:{count}"] = str(count)
                    now = time.monotonic()
                    self.longest = max(self.longest, now - self.last)
                    self.last = now
            except OSError:
                pass
            time.sleep(0.01)

    def end(self):
        self.ended.set()
        self.join(timeout=30)
        self.longest = max(self.longest, time.monotonic() - self.last)
        return self.longest


def restart(cluster, name):
    child = cluster.running.pop(name)
    child.send_signal(signal.SIGTERM)
    try:
        if child.wait(timeout=STOP_S) != 0:
            raise Failure(f"{name} ended with status {child.returncode} after SIGTERM")
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.wait()
        raise Failure(f"{name} does not end in {STOP_S} s after SIGTERM") from error
    cluster.restart(name)
    return count(cluster, name)


def count(cluster, name):
    """Waits until it does."""
    started = time.monotonic()
    done = subprocess.run([cluster.program, "wait", "--cluster", cluster.cluster_file, "--node",
                           name, "--timeout", "60"], capture_output=True, text=True, timeout=90)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return time.monotonic() - started


def roll(cluster, alive):
    writer = Writer(cluster.port)
    writer.start()
    took = []
    for name in [name for name in cluster.nodes if not name.startswith("gateway")]:
        if not alive():
            raise Failure("the load ended before the last node was restarted")
        took.append(restart(cluster, name))
    longest = writer.end()
    print(f"  {len(took)} nodes restarted; each counted again after {max(took):.2f} s at most; "
          f"{len(writer.acknowledged)} writes, {longest:.2f} s without one at most", flush=True)
    if longest > SILENCE_S:
        raise Failure(f"no write was acknowledged for {longest:.1f} s")
    for key, value in writer.acknowledged.items():
        found = ask(cluster.port, "GET", key, seconds=30)
        if found != value:
            raise Failure(f"lost, though acknowledged: {key} is {found}, not {value}")


def roll_idle(cluster):
    """Nobody writes any more: what a node has missed it must find out by itself."""
    name = next(name for name in cluster.nodes if name.startswith("executor"))
    child = cluster.running.pop(name)
    child.terminate()
    child.wait(timeout=STOP_S)
    for number in range(IDLE_WRITES):
        if ask(cluster.port, "SET", "missed", str(number), seconds=30) != "+OK":
            raise Failure("a write failed while one executor was down")
    cluster.restart(name)
    took = count(cluster, name)
    print(f"  with nobody writing: {name} counted again after {took:.2f} s", flush=True)


def run(build, config, seed):
    cluster = lasting_nodes(build, config)
    try:
        cluster.start()
        load(build, cluster, seed, lambda alive: roll(cluster, alive))
        roll_idle(cluster)
        said = LOST.search(cluster.output())
        if said:
            raise Failure(f"a node that ended in order lost something: {said.group()}")
        wait_for("all executors to hold the same last batch", 60, cluster.converged)
        if cluster.check_agreement() == 0:
            raise Failure("no batch was seen on two executors")
    except BaseException:
        print(cluster.output()[-6000:])
        cluster.stop()
        raise
    close(cluster)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--config", choices=("bft", "crash"), default="bft")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        run(options.build.resolve(), options.config, options.seed)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print("rolling restart: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
