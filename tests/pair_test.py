#!/usr/bin/env python3
"""pair_test.py BUILD_DIR CASE [ROUNDS]: the primary-backup configuration as real processes.

A load whose history is checked runs all the time, so an acknowledged write that is lost, or an answer
of a replica that should not have answered, makes a case fail. Cases with "etcd" start Debian's
etcd-server on free ports and end it."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.cluster import Cluster, Failure, free_port, wait_for  # noqa: E402

SILENCE_S = 1.0
# The bound, and what clients need to notice: the goal is twice the bound.
FAILOVER_S = 2 * SILENCE_S
CATCH_UP_S = 60
# Both are started again, read their logs, meet, and one goes on.
BOTH_END_S = 10
# Histories grow, and with them what one check costs: a load is for this many rounds.
ROUNDS_OF_A_LOAD = 20


class Etcd:
    """One etcd server. Its data survives stop() and start()."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="eve-etcd-")
        self.client = f"http://127.0.0.1:{free_port()}"
        self.peer = f"http://127.0.0.1:{free_port()}"
        self.process = None
        self.start()

    def start(self):
        log = open(pathlib.Path(self.directory) / "log", "a")
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", f"{self.directory}/data", "--listen-client-urls", self.client,
             "--advertise-client-urls", self.client, "--listen-peer-urls", self.peer,
             "--initial-advertise-peer-urls", self.peer, "--initial-cluster",
             f"default={self.peer}"], stdout=log, stderr=log)
        log.close()

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Pair(Cluster):
    def __init__(self, build, etcd=None, durability="memory"):
        extra = ["--silence-ms", str(int(SILENCE_S * 1000)), "--durability", durability]
        if etcd is not None:
            extra += ["--arbiter", "etcd", "--endpoint", etcd.client]
        self.build = build
        self.durability = durability
        super().__init__(build / "eve", config="primary-backup", threads=1, extra=extra)

    def restart(self, name):
        self.restarted[name] = subprocess.Popen(
            [self.program, "serve", "--cluster", self.cluster_file, "--node", name,
             "--threads", str(self.threads), "--durability", self.durability],
            stdout=self.log, stderr=self.log)

    def kill_all_and_start_again(self):
        for name in list(self.restarted):
            self.kill(name)
            del self.nodes[name]  # what `dev` had started ended long ago
        super().kill_all_and_start_again()

    def replicas(self):
        """{index: its part of the status}, of those that answer."""
        return {int(name[-1]): part for name, part in self.parts("pair").items()}

    def leader(self):
        leading = [index for index, part in self.replicas().items() if part["leading"]]
        return leading[0] if len(leading) == 1 else None

    def both_in_sync(self):
        parts = self.replicas()
        records = {part["record"] for part in parts.values()}
        return (len(parts) == 2 and len(records) == 1 and self.leader() is not None
                and all(part["both_in_sync"] for part in parts.values()))

    def await_sync(self):
        return wait_for("both replicas to be in sync", CATCH_UP_S, self.both_in_sync)

    def load(self, seconds):
        return subprocess.Popen(
            [str(self.build / "tests" / "history_load"), "--host", "127.0.0.1", "--port",
             str(self.port), "--operations", "100000000", "--seconds", str(seconds), "--seed",
             str(random.randrange(1 << 30)), "--keys", "1000", "--connections", "20"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(load, seconds, longest_silence):
    text, _ = load.communicate(timeout=seconds + 120)
    print("  " + text.strip().replace("\n", "\n  "))
    if load.returncode != 0:
        raise Failure("histories: " + text[-1000:])
    silence = float(text.rsplit("longest silence ", 1)[1].split()[0])
    if silence > longest_silence * float(os.environ.get("EVE_PATIENCE", "1")):
        raise Failure(f"the service was away for {silence} s")


def with_load(cluster, rounds, seconds_each, longest_silence, act):
    """act(n) for so many rounds, under loads that are short enough to be checked."""
    for first in range(0, rounds, ROUNDS_OF_A_LOAD):
        part = min(ROUNDS_OF_A_LOAD, rounds - first)
        seconds = int(part * seconds_each) + 5
        load = cluster.load(seconds)
        try:
            act(part)
            finish(load, seconds, longest_silence)
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()


def check_end(cluster):
    cluster.await_sync()
    wait_for("both to hold the same last batch", CATCH_UP_S, cluster.converged)
    if cluster.check_agreement() == 0:
        raise Failure("no batch was seen on both")


def leader_is(cluster, index):
    return cluster.leader() == index


def kill_rounds(cluster, rounds):
    """kill -9 of either in turn; the other one goes on, and the killed one is readmitted."""
    longest = 0.0
    for number in range(rounds):
        leader = cluster.leader()
        victim = leader if number % 2 == 0 else 1 - leader
        cluster.kill(f"executor-{victim}")
        killed = time.monotonic()
        survivor = 1 - victim
        # Alone: it leads, and the record names nobody else.
        wait_for(f"executor-{survivor} to go on alone", 10 * SILENCE_S,
                 lambda: cluster.replicas()[survivor]["leading"]
                 and not cluster.replicas()[survivor]["both_in_sync"])
        longest = max(longest, time.monotonic() - killed)
        time.sleep(random.choice((0, 0.1, 0.5)))
        cluster.restart(f"executor-{victim}")
        cluster.await_sync()
    print(f"  {rounds} kills, the survivor was seen to lead within {longest:.2f} s")


def kills(build, rounds, etcd, durability="memory"):
    with Pair(build, etcd, durability) as cluster:
        cluster.await_sync()
        with_load(cluster, rounds, 2.5, FAILOVER_S, lambda part: kill_rounds(cluster, part))
        check_end(cluster)


def kills_none(build, rounds):
    kills(build, rounds, None)


def kills_sync(build, rounds):
    kills(build, rounds, None, "sync")


def end_rounds(cluster, rounds, one_is_enough):
    """kill -9 of both at once, or of one, whatever the other one is doing: all of it is on disk."""
    for number in range(rounds):
        victims = random.sample((0, 1), random.choice((1, 2, 2)))
        for victim in victims:
            cluster.kill(f"executor-{victim}")
        time.sleep(random.choice((0, 0, 0.3)))
        for place, victim in enumerate(victims):
            if place > 0 and one_is_enough and random.random() < 0.3:
                wait_for("one to go on without the other", CATCH_UP_S,
                         lambda: cluster.leader() is not None)
            time.sleep(random.choice((0, 0, 0.2)))
            cluster.restart(f"executor-{victim}")
        if number % 3 == 0:
            cluster.await_sync()
        else:
            wait_for("somebody to lead", CATCH_UP_S, lambda: cluster.leader() is not None)
            time.sleep(random.choice((0, 0.2, 1)))
    print(f"  {rounds} rounds of both or either ended")


def both_end(build, rounds, etcd, durability="sync"):
    """Nothing that was acknowledged is lost when both end at once, and the service comes back."""
    with Pair(build, etcd, durability) as cluster:
        cluster.await_sync()
        with_load(cluster, rounds, 3.5, BOTH_END_S,
                  lambda part: end_rounds(cluster, part, etcd is not None))
        check_end(cluster)
        cluster.cli("SET", "last", "1")
        cluster.kill_all_and_start_again()  # `eve dev` goes on with its directory
        cluster.await_sync()
        if cluster.cli("GET", "last") != "1":
            raise Failure("the write is lost")


def older_copy(build, _, etcd):
    """All that one has is put back to what it was: it notices, starts over, and returns."""
    with Pair(build, etcd, "sync") as cluster:
        cluster.await_sync()
        cluster.cli("SET", "a", "1")
        name = f"executor-{cluster.leader()}"
        home = pathlib.Path(cluster.directory) / "dev"
        copy = pathlib.Path(cluster.directory) / "copy"

        def end_both():
            for index in (0, 1):
                cluster.kill(f"executor-{index}")

        def start_both():
            for index in (0, 1):
                cluster.restart(f"executor-{index}")

        end_both()
        copy.mkdir()
        for path in home.glob(f"{name}*"):
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, copy / path.name)
        start_both()
        cluster.await_sync()
        if f"executor-{cluster.leader()}" != name:
            raise Failure("whom the record named primary goes on")
        for number in range(200):
            cluster.cli("SET", "a", str(number))
        end_both()
        for path in copy.iterdir():
            if path.is_dir():
                shutil.rmtree(home / path.name)
                shutil.copytree(path, home / path.name)
            else:
                shutil.copy2(path, home / path.name)
        start_both()
        cluster.await_sync()
        if cluster.cli("GET", "a") != "199":
            raise Failure("the writes after the copy are lost")
        if "event=starts_over" not in cluster.output():
            raise Failure("nobody noticed")
        check_end(cluster)


def both_end_none(build, rounds):
    both_end(build, rounds, None)


def both_end_async(build, rounds):
    both_end(build, rounds, None, "async")


def with_etcd(case):
    def run(build, rounds):
        etcd = Etcd()
        try:
            case(build, rounds, etcd)
        finally:
            etcd.remove()
    return run


def pauses(build, rounds, etcd):
    """SIGSTOP of either, for less and for more than the bound: with an arbiter anything is safe."""
    with Pair(build, etcd) as cluster:
        cluster.await_sync()

        def stop_and_go(part):
            for number in range(part):
                leader = cluster.leader()
                victim = leader if number % 2 == 0 else 1 - leader
                cluster.signal(f"executor-{victim}", signal.SIGSTOP)
                time.sleep(random.choice((0.2, 0.8, 1.2, 3)))
                cluster.signal(f"executor-{victim}", signal.SIGCONT)
                cluster.await_sync()

        with_load(cluster, rounds, 6, 3 * FAILOVER_S, stop_and_go)
        check_end(cluster)


def arbiter_away(build, _, etcd):
    """Without etcd a pair in sync goes on; who loses its partner waits for it."""
    with Pair(build, etcd) as cluster:
        cluster.await_sync()
        etcd.stop()
        cluster.cli("SET", "a", "1")
        leader = cluster.leader()
        cluster.kill(f"executor-{leader}")
        time.sleep(3 * SILENCE_S)
        survivor = cluster.replicas()[1 - leader]
        if survivor["leading"] or not survivor["asking"]:
            raise Failure(f"nobody has said that it may lead: {survivor}")
        etcd.start()
        wait_for("the survivor to lead", CATCH_UP_S, lambda: leader_is(cluster, 1 - leader))
        if cluster.cli("GET", "a") != "1":
            raise Failure("the write is lost")
        cluster.restart(f"executor-{leader}")
        check_end(cluster)


def benchmark(build, _):
    with Pair(build) as cluster:
        cluster.await_sync()
        print(f"  {cluster.benchmark('set,get,incr', 50000, 16)}")
        check_end(cluster)


def both_killed(build, _):
    """The state was in memory: both say that it is gone, and nobody makes one up."""
    with Pair(build) as cluster:
        cluster.await_sync()
        for index in (0, 1):
            cluster.kill(f"executor-{index}")
        for index in (0, 1):
            cluster.restart(f"executor-{index}")

        def said():
            parts = cluster.parts("executor")
            return len(parts) == 2 and all("lives that have ended" in part["waiting_for"]
                                           for part in parts.values())
        wait_for("both to say that their state is gone", 20, said)
        if cluster.leader() is not None:
            raise Failure("somebody leads without a state")


CASES = {
    "kills_none": kills_none,
    "kills_sync": kills_sync,
    "kills_etcd": with_etcd(kills),
    "both_end_none": both_end_none,
    "both_end_async": both_end_async,
    "both_end_etcd": with_etcd(both_end),
    "older_copy": with_etcd(older_copy),
    "pauses_etcd": with_etcd(pauses),
    "arbiter_away": with_etcd(arbiter_away),
    "benchmark": benchmark,
    "both_killed": both_killed,
}


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    try:
        CASES[chosen](build, rounds)
    except Failure as failure:
        print(f"FAILED {chosen}: {failure}")
        return 1
    print(f"ok {chosen}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
