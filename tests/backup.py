#!/usr/bin/env python3
"""backup.py BUILD_DIR TEST: backups of real clusters, restored into new ones.

  crash   a loaded crash cluster; destroyed; restored as a BFT one, whose digests are others; one of
          its executors loses its folder, then the state that the cluster begins with
  bft     a BFT cluster, running and stopped; what is refused; destroyed; restored as a crash one
  pair    a loaded primary-backup pair, both in sync and one alone; destroyed; restored as a pair
          again, of which either ends, and loses its folder"""

import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from faults import counts  # noqa: E402
from support.backups import (back_up, compare, destroy, end, eve, everything,  # noqa: E402
                             fill, restore)
from support.cluster import Cluster, Failure, wait_for  # noqa: E402

LASTING = ("--durability", "sync", "--checkpoint-mib", "1")
KEYS = 3_000


def home_of(cluster):
    return pathlib.Path(cluster.cluster_file).parent


def expect(said, *words):
    missing = [word for word in words if word not in said]
    if missing:
        raise Failure(f"{missing} is not in: {said}")


def restart(cluster, name):
    """With what `dev` starts it with."""
    cluster.restart(name, "--durability", "sync", "--checkpoint-mib", "1")


def agree(cluster):
    wait_for("all executors to hold the same last batch", 30, cluster.converged)
    if cluster.check_agreement() == 0:
        raise Failure("no batch was seen on two executors")


def under_load(cluster, file):
    """Everything that was acknowledged before the backup began is in it."""
    load = cluster.benchmark("incr", 1_000_000, 16, background=True)
    try:
        for i in range(50):
            cluster.cli("SET", f"late:{i}", str(i))
        said = back_up(cluster, file)
        if load.poll() is not None:
            raise Failure("the load ended before the backup: " + load.stdout.read())
    finally:
        load.kill()
        load.communicate()
    print(f"  backup of batch {said['number']}: {said['bytes']} bytes, {said['seconds']:.2f} s",
          flush=True)


def loses_folders(cluster):
    """An executor without its folder begins where the cluster began; without the folder `genesis`
    nowhere."""
    name = "executor-1"
    genesis = home_of(cluster) / "genesis"
    cluster.kill(name)
    wait_for("it to be gone", 10, lambda: "refused" in cluster.status()[name].get("error", ""))
    shutil.rmtree(home_of(cluster) / name)
    genesis.rename(genesis.with_suffix(".away"))
    before = len(cluster.output())
    restart(cluster, name)
    if cluster.restarted.pop(name).wait(timeout=30) == 0:
        raise Failure(f"{name} ended in order without the state that it begins with")
    expect(cluster.output()[before:], "restored from a backup", "copy that again")
    genesis.with_suffix(".away").rename(genesis)
    restart(cluster, name)
    cluster.cli("SET", "meanwhile", "written")
    wait_for(f"{name} to count again", 60, lambda: counts(cluster, name))
    agree(cluster)


def too_few_say(cluster, scratch):
    """What the others had answered may be more than one alone knows of: it does not pass for all,
    unless somebody says that it does."""
    cluster.kill("executor-1")
    cluster.cli("SET", "with", "two")
    said = back_up(cluster, scratch / "two")
    if said["missing"] != {"executor-1": "does not answer"}:
        raise Failure(f"one executor did not answer: {said}")
    cluster.kill("executor-2")
    wait_for("it to be gone", 10,
             lambda: "refused" in cluster.status()["executor-2"].get("error", ""))
    expect(back_up(cluster, scratch / "one", fails=True),
           "executor-1 does not answer, executor-2 does not answer", "--unchecked")
    said = back_up(cluster, scratch / "one", "--unchecked")
    if sorted(said["missing"]) != ["executor-1", "executor-2"]:
        raise Failure(f"two executors did not answer: {said}")
    for name in ("executor-1", "executor-2"):
        restart(cluster, name)
    wait_for("them to count again", 60,
             lambda: counts(cluster, "executor-1") and counts(cluster, "executor-2"))
    cluster.cli("DEL", "with")


def crash(build, scratch):
    file = scratch / "backup"
    with Cluster(build / "eve", config="crash", extra=LASTING) as cluster:
        before = fill(cluster, KEYS)
        under_load(cluster, file)
        before |= {f"late:{i}": str(i) for i in range(50)}
        destroy(cluster)
        said = restore(cluster, file, "bft")
        after = everything(cluster)
        # What the load had written when the backup was made, nobody knows.
        counted = {key for key in after if key.startswith("counter:")}
        compare(before, {key: value for key, value in after.items() if key not in counted})
        if said["objects"] < len(after):
            raise Failure(f"restored {said['objects']} objects, there are {len(after)} keys")
        agree(cluster)
        loses_folders(cluster)
        too_few_say(cluster, scratch)
        end(cluster)
        cluster._start_dev()
        wait_for("the service to be back", 30, lambda: cluster.cli("GET", "meanwhile") == "written")
        compare(after, {key: value for key, value in everything(cluster).items()
                        if key != "meanwhile"})
        # And its own backup is one like any other.
        again = scratch / "again"
        if back_up(cluster, again)["cluster"] != said["cluster"]:
            raise Failure("the second backup is of another cluster")


def refusals(cluster, file, scratch):
    """Nothing is written where something is wrong."""
    expect(back_up(cluster, file, fails=True), "is there already; it is not overwritten")
    expect(back_up(cluster, scratch / "x", node="verifier-0", fails=True), "plays no executor")
    expect(back_up(cluster, scratch / "x", node="nobody", fails=True), "has no node")
    whole = file.read_bytes()
    bad = scratch / "bad"
    new = scratch / "new"
    wanted = ("--dir", new, "--local")
    for at in (100, len(whole) // 2, len(whole) - 10):
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        expect(eve(cluster.program, "restore", bad, *wanted, fails=True), "damaged")
    bad.write_bytes(whole[:-1])
    expect(eve(cluster.program, "restore", bad, *wanted, fails=True), "damaged")
    expect(eve(cluster.program, "restore", file, "--dir", scratch, "--local", fails=True),
           "is not empty")
    expect(eve(cluster.program, "restore", file, "--dir", new, fails=True), "--local")
    expect(eve(cluster.program, "restore", file, "--dir", new, "--host", "a", fails=True),
           "give 4 hosts")
    other = cluster.program.replace("/eve", "/examples/bank")
    if pathlib.Path(other).exists():
        expect(eve(other, "restore", file, *wanted, fails=True), "does not have")
    if new.exists() or (scratch / "x").exists():
        raise Failure("something was written by what was refused")


def without_room(cluster, file, new):
    """A restore that fails on the way leaves nothing, so that it can be tried again."""
    def no_large_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run([cluster.program, "restore", file, "--dir", new / "inner", "--local"],
                          capture_output=True, text=True, timeout=120, preexec_fn=no_large_files)
    expect(done.stderr, "File too large")
    if done.returncode != 1 or new.exists():
        raise Failure(f"a restore that failed left {sorted(new.rglob('*'))}")


def stopped(cluster, scratch):
    """Of a node that does not run: its newest checkpoint, which others may remember."""
    cluster.kill("executor-2")
    said = back_up(cluster, scratch / "one", node="executor-2")
    if said["node_was_running"] or not said["agree"]:
        raise Failure(f"of a node that was killed, others running: {said}")
    cluster.process.kill()  # its nodes end with it
    wait_for("all nodes to end", 10, lambda: all(
        "refused" in node.get("error", "") for node in cluster.status().values()))
    expect(back_up(cluster, scratch / "x", node="executor-2", fails=True), "--unchecked")
    said = back_up(cluster, scratch / "all", "--unchecked", node="executor-2")
    if said["node_was_running"] or said["agree"]:
        raise Failure(f"of a node that was killed, as all were: {said}")


def bft(build, scratch):
    file = scratch / "backup"
    with Cluster(build / "eve", extra=LASTING) as cluster:
        before = fill(cluster, KEYS)
        said = back_up(cluster, file, node="executor-2")
        if len(said["agree"]) < 1 or said["differ"]:
            raise Failure(f"the others do not say the same: {said}")
        print(f"  backup of batch {said['number']}: {said['bytes']} bytes; the same on "
              f"{1 + len(said['agree'])} executors", flush=True)
        refusals(cluster, file, scratch)
        without_room(cluster, file, scratch / "new")
        cluster.cli("SET", "too", "late")
        stopped(cluster, scratch)
        destroy(cluster)
        restore(cluster, file, "crash")
        compare(before, everything(cluster))
        cluster.cli("SET", "more", "1")
        agree(cluster)


def leads(cluster, name, both):
    pair = cluster.parts("pair").get(name)
    return pair and pair["leading"] and pair["both_in_sync"] == both


def in_sync(cluster):
    pairs = cluster.parts("pair").values()
    return len(pairs) == 2 and all(pair["both_in_sync"] for pair in pairs)


def of_one_alone(cluster, scratch):
    """Who vouches for a state of which there is one: the record, where it leads; else nobody."""
    cluster.kill("executor-1")
    wait_for("executor-0 to lead alone", 30, lambda: leads(cluster, "executor-0", False))
    cluster.cli("SET", "alone", "written")
    said = back_up(cluster, scratch / "alone")
    if not said["leads_alone"] or said["agree"] or said["differ"]:
        raise Failure(f"of a replica that leads alone: {said}")
    cluster.kill("executor-0")
    restart(cluster, "executor-1")
    # It is not named by the record, and alone: it may lack anything.
    wait_for("executor-1 to answer", 30, lambda: "executor-1" in cluster.parts("pair"))
    expect(back_up(cluster, scratch / "x", node="executor-1", fails=True), "left behind")
    restart(cluster, "executor-0")
    wait_for("both to be in sync", 60, lambda: in_sync(cluster))


def pair(build, scratch):
    file = scratch / "backup"
    with Cluster(build / "eve", config="primary-backup", extra=LASTING) as cluster:
        before = fill(cluster, KEYS)
        under_load(cluster, file)
        before |= {f"late:{i}": str(i) for i in range(50)}
        of_one_alone(cluster, scratch)
        destroy(cluster)
        restore(cluster, file, "primary-backup")
        after = everything(cluster)
        compare(before, {key: value for key, value in after.items()
                         if not key.startswith("counter:")})
        wait_for("both to be in sync", 60, lambda: in_sync(cluster))
        for name in ("executor-0", "executor-1"):
            # Without its folder it begins where the cluster began, and fetches the rest.
            cluster.kill(name)
            wait_for("it to be gone", 10,
                     lambda name=name: "refused" in cluster.status()[name].get("error", ""))
            shutil.rmtree(home_of(cluster) / name)
            cluster.cli("SET", f"without {name}", "written")
            after[f"without {name}"] = "written"
            restart(cluster, name)
            wait_for("both to be in sync", 60, lambda: in_sync(cluster))
        end(cluster)
        cluster._start_dev()
        wait_for("the service to be back", 60,
                 lambda: cluster.cli("GET", "without executor-1") == "written")
        compare(after, everything(cluster))
        wait_for("both to be in sync", 60, lambda: in_sync(cluster))
        agree(cluster)
        # And as another kind of cluster.
        said = back_up(cluster, scratch / "again", node="executor-1")
        if said["agree"] != ["executor-0"]:
            raise Failure(f"the other replica does not say the same: {said}")
        destroy(cluster)
        restore(cluster, scratch / "again", "crash")
        compare(after, everything(cluster))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="eve-backup-"))
    try:
        {"crash": crash, "bft": bft, "pair": pair}[sys.argv[2]](build, scratch)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    finally:
        shutil.rmtree(scratch)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
