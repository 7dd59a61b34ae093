#!/usr/bin/env python3
"""faults.py BUILD_DIR [--cell NAME] [--cells N] [--seconds S] [--seed N]: faults on real processes.

A cell is one fault on one configuration for some seconds, under a load whose histories are checked.
Faults hit one node at a time, or part of the network, and go away again, so the service must always
come back. Every cell ends with: histories linearizable, no node ended by itself or complained, all
executors agree, no honest node was blamed. Without --cell: all cells in turn, N of them, with other
seeds each time round."""

import argparse
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.cluster import COMPLAINTS, Failure, wait_for  # noqa: E402
from support.namespaces import Network, not_permitted  # noqa: E402
from support.nodes import Nodes  # noqa: E402
from support.proxy import proxied  # noqa: E402

# As ctest has it: neither passed nor failed.
SKIPPED = 77
# Between two replies to anybody. Of a lost primary: the goal. Of a network that does as it likes:
# this is about being stuck, not about being fast.
LOST_PRIMARY_S = 2
LONGEST_SILENCE_S = 10
# Longer than a link may be silent (host_limits::kPeerGoneMs) and be missed.
CATCH_UP_S = 60


class Skip(Exception):
    pass


class Cell:
    """One run of one fault."""

    def __init__(self, build, config, seconds, seed):
        self.build = build
        self.config = config
        self.seconds = seconds
        self.random = random.Random(seed)
        self.seed = seed
        self.end = 0.0
        self.done = {}
        self.longest_silence = LONGEST_SILENCE_S

    def note(self, what, times=1):
        self.done[what] = self.done.get(what, 0) + times

    def going(self):
        return time.monotonic() < self.end

    def sleep(self, seconds):
        time.sleep(max(0.0, min(seconds, self.end - time.monotonic())))

    def replicas(self, cluster):
        return [name for name in cluster.nodes if not name.startswith("gateway")]

    def run(self, cluster, faults, prefix=(), host="127.0.0.1"):
        """Starts the cluster and the load, lets `faults()` work, and checks everything."""
        cluster.start()
        load = subprocess.Popen(
            [*prefix, str(self.build / "tests" / "history_load"), "--host", host, "--port",
             str(cluster.port), "--operations", "100000000", "--seconds", str(self.seconds),
             "--seed", str(self.seed), "--keys", "1000", "--connections", "20"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.end = time.monotonic() + self.seconds - 2  # the last of it undisturbed
        try:
            faults()
            text, _ = load.communicate(timeout=self.seconds + 60)
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()
        print("  " + text.strip().replace("\n", "\n  "))
        if load.returncode != 0:
            raise Failure("histories: " + text[-1000:])
        silence = float(text.rsplit("longest silence ", 1)[1].split()[0])
        if silence > self.longest_silence:
            raise Failure(f"the service was away for {silence} s")
        self.check(cluster)

    def check(self, cluster):
        took = wait_for("all executors to hold the same last batch", CATCH_UP_S, cluster.converged)
        if cluster.check_agreement() == 0:
            raise Failure("no batch was seen on two executors")
        if cluster.died():
            raise Failure(f"ended by themselves: {cluster.died()}")
        print(f"  {self.done}, all the same {took:.1f} s after")
        blamed = {}
        for name, node in cluster.status().items():
            for entry in node["refused"]["by_sender"]:
                blamed.setdefault(entry["sender"], []).append(
                    f"{name}: {entry['count']} x {entry['reason']}")
        self.blamed = blamed
        honest = {who: what for who, what in blamed.items() if who in cluster.nodes}
        if honest:
            raise Failure(f"honest nodes were blamed: {honest}")


def close(cluster):
    log = cluster.stop()
    found = COMPLAINTS.search(log)
    if found:
        raise Failure(f"a node complained: {log[found.start():found.start() + 3000]}")


def plain_cell(cell, fault, **options):
    """A cell whose nodes find each other where they are."""
    cluster = Nodes(cell.build / "eve", config=cell.config, threads=2, **options)
    try:
        cell.run(cluster, lambda: fault(cell, cluster))
    except BaseException:
        print(cluster.output()[-3000:])
        cluster.stop()
        raise
    close(cluster)


# ---- Processes -------------------------------------------------------------------------------

def counts(cluster, name):
    """A restarted node is back among the correct ones."""
    node = cluster.status().get(name, {})
    if "executor" in node:
        return not node["executor"]["silent"] and not node["executor"]["fetching"]
    return "verifier" in node and node["verifier"]["phase"] == "normal"


def choose_victim(cell, cluster):
    """Every other time the primary."""
    if cell.random.random() < 0.5:
        return cell.random.choice(cell.replicas(cluster))
    executors = cluster.parts("executor").values()
    latest = max(executors, key=lambda part: part["view"])
    cell.note("primary")
    return f"executor-{latest['primary']}"


def kill_each(cell, cluster):
    """kill -9, back after a moment, the next one when it counts again."""
    while cell.going():
        victim = choose_victim(cell, cluster)
        cluster.kill(victim)
        cell.note("kill -9")
        cell.sleep(cell.random.choice((0.1, 0.5, 1.5)))
        cluster.restart(victim)
        wait_for(f"{victim} to count again", CATCH_UP_S, lambda: counts(cluster, victim))


def stop_each(cell, cluster):
    """SIGSTOP, and SIGCONT after a while: for the others it was away, for itself time jumped."""
    while cell.going():
        victim = choose_victim(cell, cluster)
        cluster.kill(victim, signal.SIGSTOP)
        cell.note("stop")
        cell.sleep(cell.random.choice((0.05, 0.5, 3)))
        cluster.kill(victim, signal.SIGCONT)
        cell.sleep(1)


def kill(cell):
    cell.longest_silence = LOST_PRIMARY_S
    plain_cell(cell, kill_each)


def pause(cell):
    cell.longest_silence = LOST_PRIMARY_S
    plain_cell(cell, stop_each)


# ---- The network, as namespaces make it ------------------------------------------------------

def partitions(cell, network, cluster):
    replicas = cell.replicas(cluster)
    everybody = network.members
    while cell.going():
        one = cell.random.choice(replicas)
        rest = [name for name in everybody if name != one]
        kind = cell.random.choice(("alone", "deaf", "mute", "bridge", "ring"))
        if kind == "alone":
            network.part([one], rest)
        elif kind in ("deaf", "mute"):
            for other in rest:
                network.lose(*((other, one) if kind == "deaf" else (one, other)))
        elif kind == "bridge":  # an executor and a verifier hear only what others pass on
            network.part(["executor-0"], ["verifier-0"])
        else:  # each executor has lost one verifier, each another
            for i in range(3):
                network.part([f"executor-{i}"], [f"verifier-{i}"])
        cell.note(kind)
        cell.sleep(cell.random.choice((0.5, 2, 4)))
        network.heal()
        cell.sleep(1.5)


def partition(cell):
    why_not = not_permitted()
    if why_not:
        raise Skip(f"network namespaces cannot be made here (root is needed): {why_not}")
    members = [f"executor-{i}" for i in range(3)]
    members += [f"verifier-{i}" for i in range(4 if cell.config == "bft" else 3)] + ["gateway"]
    network = Network(members)
    try:
        hosts = {name: network.host(name) for name in members}
        cluster = Nodes(cell.build / "eve", config=cell.config, threads=2, hosts=hosts,
                        prefixes={name: network.prefix(name) for name in members})
        try:
            cell.run(cluster, lambda: partitions(cell, network, cluster),
                     prefix=network.prefix("gateway"), host=hosts["gateway"])
        except BaseException:
            print(cluster.output()[-3000:])
            cluster.stop()
            raise
        close(cluster)
    finally:
        network.remove()


# ---- The network, as proxies make it ---------------------------------------------------------

def proxied_cell(cell, fault):
    cluster, proxies = proxied(cell.build / "eve", cell.config, cell.seed)
    try:
        def work():
            fault(cell, cluster, proxies)
            for what, times in proxies.set().items():
                cell.note(what, times)

        cell.run(cluster, work)
    except BaseException:
        print(cluster.output()[-3000:])
        cluster.stop()
        raise
    finally:
        proxies.stop()
    close(cluster)


def on_one_node(cell, cluster, proxies, seconds, **rules):
    """These rules on all links of one node, another one after a while."""
    while cell.going():
        proxies.set(nodes=[cell.random.choice(cell.replicas(cluster))], **rules)
        cell.note("times")
        cell.sleep(seconds)
        proxies.set()
        cell.sleep(1)


def drop(cell):
    """All links of a node break at once, again and again."""
    def work(cell, cluster, proxies):
        while cell.going():
            proxies.set(nodes=[cell.random.choice(cell.replicas(cluster))], cut=True)
            cell.sleep(cell.random.choice((0.1, 0.5, 1)))
    proxied_cell(cell, work)


def delay(cell):
    proxied_cell(cell, lambda *all: on_one_node(*all, 4, delay_ms=30, jitter_ms=30))


def throttle(cell):
    proxied_cell(cell, lambda *all: on_one_node(*all, 4, bytes_per_s=200_000))


def half_open(cell):
    """Connections stand, and say nothing."""
    proxied_cell(cell, lambda *all: on_one_node(*all, 2.5, silent=True))


def frames(cell):
    """Whole frames are lost, repeated and reordered on every link. Plain links only: TLS would
    notice, and break the link."""
    def work(cell, cluster, proxies):
        proxies.set(drop=0.01, duplicate=0.02, reorder=0.02)
        cell.sleep(cell.seconds)
    proxied_cell(cell, work)


# ---- Lying nodes -----------------------------------------------------------------------------

def liar_cell(cell, node, lie, expected=""):
    """A node that lies from the beginning to the end."""
    liars = {node: (cell.build / "tests" / "lying_node", ("--lie", lie))}

    def fault(cell, cluster):
        while cell.going():
            cell.sleep(1)
        node_is_up = cluster.running[node].poll() is None
        if not node_is_up:
            raise Failure("the liar is gone")
        cell.note(f"{node}: {lie}")

    plain_cell(cell, fault, liars=liars)
    said = " ".join(cell.blamed.get(node, []))
    if expected and expected not in said:
        raise Failure(f"nobody has noticed what {node} did: {cell.blamed}")


def lie(node, what, expected=""):
    return lambda cell: liar_cell(cell, node, what, expected)


CELLS = {
    "kill_bft": ("bft", kill),
    "pause_bft": ("bft", pause),
    "partition_bft": ("bft", partition),
    "drop_bft": ("bft", drop),
    "frames_crash": ("crash", frames),
    "diverge_bft": ("bft", lie("executor-2", "diverge")),
    "kill_crash": ("crash", kill),
    "pause_crash": ("crash", pause),
    "partition_crash": ("crash", partition),
    "drop_crash": ("crash", drop),
    "delay_bft": ("bft", delay),
    "delay_crash": ("crash", delay),
    "throttle_bft": ("bft", throttle),
    "throttle_crash": ("crash", throttle),
    "half_open_bft": ("bft", half_open),
    "half_open_crash": ("crash", half_open),
    "tokens_bft": ("bft", lie("executor-0", "token")),
    "replies_bft": ("bft", lie("executor-0", "reply", "enough others contradict")),
    "withhold_executor_bft": ("bft", lie("executor-0", "withhold")),
    "silent_executor_bft": ("bft", lie("executor-0", "silent")),
    "slow_executor_bft": ("bft", lie("executor-1", "slow")),
    "forge_executor_bft": ("bft", lie("executor-1", "bad-signature", "signature was wrong")),
    "withhold_verifier_bft": ("bft", lie("verifier-0", "withhold")),
    "silent_verifier_bft": ("bft", lie("verifier-1", "silent")),
    "slow_verifier_bft": ("bft", lie("verifier-1", "slow")),
    "verdicts_bft": ("bft", lie("verifier-0", "verdict")),
    "forge_verifier_bft": ("bft", lie("verifier-2", "bad-signature", "signature is wrong")),
}


def run_cell(name, build, seconds, seed):
    config, fault = CELLS[name]
    print(f"{name}, seed {seed}:", flush=True)
    cell = Cell(build, config, seconds, seed)
    try:
        fault(cell)
    except Skip as skip:
        print(f"  skipped: {skip}")
        return "skipped"
    except Failure as failure:
        print(f"  FAILED: {failure}\n  again: tests/faults.py {build} --cell {name} "
              f"--seconds {seconds} --seed {seed}")
        return "failed"
    return "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--cell", choices=CELLS)
    parser.add_argument("--cells", type=int, default=len(CELLS))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for program in ("eve", "tests/lying_node", "tests/history_load"):
        if not (options.build / program).exists():
            parser.error(f"{options.build / program} is not there: build it first (scripts/setup)")
    names = [options.cell] if options.cell else list(CELLS)
    outcomes = {}
    for number in range(1 if options.cell else options.cells):
        name = names[number % len(names)]
        outcome = run_cell(name, options.build.resolve(), options.seconds,
                           options.seed + number // len(names))
        outcomes.setdefault(outcome, []).append(name)
    print("faults: " + ", ".join(f"{len(cells)} {kind}" for kind, cells in outcomes.items()))
    if "failed" in outcomes:
        print(f"failed: {outcomes['failed']}")
        return 1
    return 0 if "ok" in outcomes else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
