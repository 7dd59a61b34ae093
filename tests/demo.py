#!/usr/bin/env python3
"""demo.py BUILD_DIR [STEP]: what scripts/demo shows. Ends with "demo: ok", or says what failed. STEP:
only everything_dies, backup_and_restore or racing."""

import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.backups import (back_up, compare, destroy, everything, fill,  # noqa: E402
                             restore)
from support.cluster import Cluster, Failure, wait_for  # noqa: E402


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value):
        self.rows.append((what, value))
        print(f"  {what}: {value}", flush=True)

    def show(self):
        width = max(len(what) for what, _ in self.rows)
        print("\n" + "what".ljust(width) + "  result")
        print("-" * width + "  " + "-" * 40)
        for what, value in self.rows:
            print(what.ljust(width) + "  " + value)


def step(text):
    print(f"\n== {text}", flush=True)


def benchmarks(cluster, table):
    step("redis-benchmark and redis-cli against 3 executors and 4 verifiers")
    for pipeline, requests in ((1, 20_000), (16, 200_000)):
        rates = cluster.benchmark("set,get,incr,mset", requests, pipeline)
        for test, rate in rates.items():
            table.add(f"{test}, 50 clients, pipeline {pipeline}", f"{rate:,.0f} requests/s")
    cluster.cli("SET", "greeting", "hello")
    if cluster.cli("GET", "greeting") != "hello":
        raise Failure("redis-cli: GET did not return what SET had stored")
    cluster.cli("DEL", "visits")
    visits = [cluster.cli("INCR", "visits") for _ in range(3)]
    if visits != ["1", "2", "3"]:
        raise Failure(f"redis-cli: INCR counted {visits}")
    table.add("redis-cli SET, GET, INCR", "right")


def kills(cluster, table):
    step("kill -9 of the primary executor and of a verifier, under load")
    load = cluster.benchmark("set", 600_000, 16, background=True)
    time.sleep(2)
    if load.poll() is not None:
        raise Failure("the load ended before the kill: " + load.stdout.read())
    primary = next(iter(cluster.parts("executor").values()))["primary"]
    victim = f"executor-{primary}"
    cluster.kill(victim)
    cluster.kill("verifier-1")
    start = time.monotonic()
    cluster.cli("SET", "after", "kill")
    table.add(f"first write after kill -9 of {victim} and verifier-1",
              f"{time.monotonic() - start:.2f} s")
    before = survivors_committed(cluster, victim)
    time.sleep(1)
    if survivors_committed(cluster, victim) <= before:
        raise Failure("no batch was committed while two nodes were down")
    table.add("batches committed while they were down", "yes")
    cluster.restart(victim)
    cluster.restart("verifier-1")
    took = wait_for(f"{victim} to catch up", 60, lambda: caught_up(cluster, victim))
    table.add(f"{victim} restarted empty and caught up", f"{took:.2f} s")
    took = wait_for("verifier-1 to come back", 60, lambda: verifier_back(cluster, "verifier-1"))
    table.add("verifier-1 restarted and votes again", f"{took:.2f} s")
    rate = finish_load(load)
    table.add("SET under all that, 50 clients, pipeline 16", f"{rate:,.0f} requests/s")


def survivors_committed(cluster, victim):
    parts = cluster.parts("executor")
    return max(part["committed"] for name, part in parts.items() if name != victim)


def caught_up(cluster, name):
    parts = cluster.parts("executor")
    mine = parts[name]
    return mine["transfers"] > 0 and not mine["fetching"] and not mine["silent"] and mine["committed"] + 64 >= max(
        part["committed"] for part in parts.values())


def verifier_back(cluster, name):
    return cluster.parts("verifier")[name]["phase"] == "normal"


def finish_load(load):
    from support.cluster import parse_benchmark
    text, _ = load.communicate(timeout=300)
    return parse_benchmark(text, load.returncode)["SET"]


def agreement(cluster, table):
    step("do all replicas agree?")
    wait_for("all executors to hold the same last batch", 30, cluster.converged)
    wait_for("all verifiers to hold the same last batch", 30,
             lambda: cluster.converged("verifier"))
    shared = cluster.check_agreement()
    if shared == 0:
        raise Failure("no batch was seen on two executors")
    executors = cluster.parts("executor")
    one = next(iter(executors.values()))
    table.add("same token and state root on all executors",
              f"batch {one['committed']}, token {one['token'][:12]}")
    table.add("batches compared between executors", str(shared))
    last = {part["token"] for part in executors.values()}
    last |= {part["token"] for part in cluster.parts("verifier").values()}
    if len(last) != 1:
        raise Failure("verifiers and executors name different tokens")


def racing(build, table):
    step("a service with a planted race: replicas diverge, and are repaired")
    with Cluster(build / "examples" / "racing", threads=2) as cluster:
        command = [str(build / "examples" / "race"), cluster.cluster_file]
        for _ in range(20):
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                raise Failure("race: " + done.stdout + done.stderr)
            executors = cluster.parts("executor")
            rollbacks = max(part["rollbacks"] for part in executors.values())
            rerun = max(part["batches_sequential"] for part in executors.values())
            if rollbacks > 0 and rerun > 0:
                break
        else:
            raise Failure("the race never made the replicas diverge")
        repairs = sum(part["repairs"] for part in executors.values())
        wait_for("the racing replicas to agree", 30, cluster.converged)
        cluster.check_agreement()
        table.add("racing service: rolled back and re-executed in order",
                  f"{rollbacks} times, {rerun} sequential batches")
        table.add("racing service: repaired by fetching the agreed state", f"{repairs} times")
        table.add("racing service: replicas agree at the end", "yes")


def everything_dies(build, table):
    step("--durability sync: kill -9 of every process at once, under load")
    with Cluster(build / "eve", threads=2, extra=("--durability", "sync")) as cluster:
        load = cluster.benchmark("incr", 1_000_000, 4, background=True)
        written = {}
        start = time.monotonic()
        while time.monotonic() - start < 1:
            key = f"kept:{len(written)}"
            written[key] = str(time.monotonic())
            cluster.cli("SET", key, written[key])
        if load.poll() is not None:
            raise Failure("the load ended before the kill: " + load.stdout.read())
        cluster.kill_all_and_start_again()
        load.communicate(timeout=60)  # its connections broke
        start = time.monotonic()
        found = cluster.cli("MGET", *written).splitlines()
        if found != list(written.values()):
            raise Failure(f"acknowledged writes were lost: {found}, not {written}")
        table.add(f"kill -9 of all {len(cluster.nodes)}, started again from their disks",
                  f"all {len(written)} acknowledged writes are there")
        cluster.cli("SET", "after", "everything died")
        wait_for("all executors to hold the same last batch", 30, cluster.converged)
        cluster.check_agreement()
        table.add("first reads and writes after that", f"{time.monotonic() - start:.2f} s")


def backup_and_restore(build, table):
    step("backup of a running cluster; everything is destroyed; restored into a new one")
    with tempfile.TemporaryDirectory() as scratch, \
            Cluster(build / "eve", threads=2, extra=("--durability", "sync")) as cluster:
        before = fill(cluster, 5_000)
        file = pathlib.Path(scratch, "backup")
        said = back_up(cluster, file)
        table.add("backup of " + f"{len(before)} keys",
                  f"{said['bytes']:,} bytes in {said['seconds']:.2f} s, the same state on "
                  f"{1 + len(said['agree'])} executors")
        destroy(cluster)
        table.add("all processes, keys and directories", "destroyed")
        start = time.monotonic()
        restored = restore(cluster, file, "bft")
        if restored["cluster"] == said["cluster"]:
            raise Failure("the restored cluster has the id of the old one")
        compare(before, everything(cluster))
        table.add("restored as another cluster, every key compared",
                  f"{len(before)} keys are the same, after {time.monotonic() - start:.2f} s")
        cluster.cli("SET", "life", "goes on")
        wait_for("all executors to hold the same last batch", 30, cluster.converged)
        cluster.check_agreement()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    table = Table()
    try:
        if sys.argv[2:]:
            globals()[sys.argv[2]](build, table)
            table.show()
            print("\ndemo: ok")
            return 0
        step("start: BFT, u = 1, r = 1, every node a process of its own")
        with Cluster(build / "eve", threads=2) as cluster:
            table.add("processes", f"{len(cluster.nodes)} ({cluster.ready_line})")
            benchmarks(cluster, table)
            kills(cluster, table)
            agreement(cluster, table)
        everything_dies(build, table)
        backup_and_restore(build, table)
        racing(build, table)
    except Failure as failure:
        table.rows and table.show()
        print(f"\ndemo: FAILED: {failure}")
        return 1
    table.show()
    print("\ndemo: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
