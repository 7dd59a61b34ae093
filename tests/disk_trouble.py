#!/usr/bin/env python3
"""disk_trouble.py BUILD_DIR [--config C] [--case CASE]: real nodes with --durability sync on disks of
their own, which are full, or do not answer, under a load whose histories are checked.

  full    small disks that fill up: one, and the service goes on; those of two executors, and
          commands that change data are refused with an error that names the nodes, reads go on,
          nothing acknowledged is lost; room again, and all is as before, nothing restarted
  filled  one executor's disk has not one byte left: the others go on, and it counts again when
          there is room
  stalled the primary's disk does not answer (a frozen file system): the next one leads

Of primary-backup, `full` is: one low disk stops nothing; two do, and so does that of a replica that
is alone.

Exit status 77: mounting is not permitted here."""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from durability import Kept, ask, load  # noqa: E402
from faults import SKIPPED, close, counts  # noqa: E402
from support.cluster import Failure, wait_for  # noqa: E402
from support.nodes import Nodes  # noqa: E402

HEADROOM_MIB = 40
DISK_MIB = 120
# Said every second, looked at every second.
NOTICE_S = 15
# From the moment in which a primary's disk stops: noticed after a quarter of a second, a view, what
# clients had sent to the old one; on a machine that others use too.
HANDOVER_S = 5
PROGRESS_S = 10  # of primary-backup: a replica that runs batches and whose other one does not
AWAY_S = 20
CATCH_UP_S = 60


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")


class Disks:
    """A file system for each of some nodes' state."""

    def __init__(self, cluster, names, frozen=()):
        self.cluster = cluster
        self.mounted = []
        try:
            for name in names:
                self.mount(name, name in frozen)
        except BaseException:
            self.remove()
            raise

    def mount(self, name, can_freeze):
        folder = self.folder(name)
        folder.mkdir(exist_ok=True)
        if can_freeze:  # tmpfs cannot
            image = pathlib.Path(self.cluster.directory, f"{name}.img")
            run("truncate", "-s", "600M", image)
            run("mkfs.ext4", "-q", image)
            run("mount", "-o", "loop", image, folder)
        else:
            run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", folder)
        self.mounted.append(folder)

    def folder(self, name):
        return pathlib.Path(self.cluster.home, name)

    def fill(self, name, leave_mib):
        """A file that leaves so much; 0: nothing at all."""
        with open(self.folder(name) / "filler", "ab", buffering=0) as file:
            for piece in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while leave_mib == 0 or self.free_mib(name) > leave_mib:
                        file.write(bytes(piece))

    def free_mib(self, name):
        found = subprocess.run(["df", "--output=avail", "-B1M", str(self.folder(name))],
                               capture_output=True, text=True, check=True)
        return int(found.stdout.split()[1])

    def make_room(self, name):
        (self.folder(name) / "filler").unlink()

    def freeze(self, name):
        run("fsfreeze", "-f", self.folder(name))

    def thaw(self, name):
        run("fsfreeze", "-u", self.folder(name))

    def remove(self):
        for folder in self.mounted:
            subprocess.run(["fsfreeze", "-u", str(folder)], capture_output=True, check=False)
            for _ in range(50):
                if subprocess.run(["umount", str(folder)], capture_output=True,
                                  check=False).returncode == 0:
                    break
                time.sleep(0.1)
        self.mounted = []


def journal(cluster, name):
    role = "executor" if name.startswith("executor") else "verifier"
    return cluster.status()[name][role]["journal"]


def refused(cluster, *nodes):
    """Whether a write is refused, with the words that say why, and a read is not."""
    reply = ask(cluster.port, "SET", "refused", "1")
    if not reply.startswith("-MISCONF"):
        return False
    if not all(node in reply for node in nodes):
        raise Failure(f"does not name {nodes}: {reply}")
    return reply


def expect_refusal(cluster, kept, *nodes):
    took = wait_for("writes to be refused", NOTICE_S, lambda: refused(cluster, *nodes))
    kept.check()  # reads go on
    for words in (["DEL", "x"], ["INCR", "x"], ["EVAL", "x", "0"]):
        reply = ask(cluster.port, *words)
        if not reply.startswith("-"):
            raise Failure(f"{words} was not refused: {reply}")
    gateway = cluster.status()["gateway"]["gateway"]
    if not gateway["writes_refused"] or sorted(gateway["low_disks"]) != sorted(nodes):
        raise Failure(f"the status does not say so: {gateway}")
    print(f"  {', '.join(nodes)} low: refused after {took:.1f} s, reads go on: "
          f"{refused(cluster)[:120]}...", flush=True)


def expect_room(cluster, kept):
    took = kept.write()
    kept.check()
    print(f"  room again: a write after {took:.1f} s", flush=True)


def one_low_then_two(cluster, disks, kept, first, second):
    """One stops nothing, two do; then there is room again everywhere."""
    kept.write()
    disks.fill(first, HEADROOM_MIB // 2)
    wait_for(f"{first} to say that it is low", NOTICE_S, lambda: journal(cluster, first)["low"])
    for _ in range(20):
        kept.write()
    if refused(cluster):
        raise Failure("writes are refused although one disk is low, and no other")
    disks.fill(second, HEADROOM_MIB // 2)
    expect_refusal(cluster, kept, *sorted((first, second)))
    disks.make_room(second)
    expect_room(cluster, kept)
    disks.make_room(first)  # or what is left of it fills up


def full(cluster, disks):
    kept = Kept(cluster)
    one_low_then_two(cluster, disks, kept, "executor-1", "executor-2")
    kept.write()


def alone(cluster, name):
    pair = cluster.parts("pair").get(name)
    return pair and pair["leading"] and not pair["both_in_sync"]


def both_in_sync(cluster):
    pairs = cluster.parts("pair").values()
    return len(pairs) == 2 and all(pair["both_in_sync"] for pair in pairs)


def pair_full(cluster, disks):
    kept = Kept(cluster)
    one_low_then_two(cluster, disks, kept, "executor-1", "executor-0")
    wait_for("both to be in sync", CATCH_UP_S, lambda: both_in_sync(cluster))
    cluster.kill("executor-0")
    wait_for("executor-1 to lead alone", AWAY_S, lambda: alone(cluster, "executor-1"))
    disks.fill("executor-1", HEADROOM_MIB // 2)
    expect_refusal(cluster, kept, "executor-1")
    disks.make_room("executor-1")
    expect_room(cluster, kept)
    cluster.restart("executor-0")
    wait_for("both to be in sync", CATCH_UP_S, lambda: both_in_sync(cluster))
    kept.check()


def filled(cluster, disks):
    kept = Kept(cluster)
    kept.write()
    disks.fill("executor-0", 0)
    wait_for("executor-0 to say that its disk is full", NOTICE_S,
             lambda: journal(cluster, "executor-0")["space"] == "full"
             or journal(cluster, "executor-0")["failing"])
    longest = max(kept.write() for _ in range(50))
    def starved():
        disks.fill("executor-0", 0)  # the reserve that it gave up as well
        return journal(cluster, "executor-0")["failing"] and kept.write() is not None

    wait_for("the others to go on without it", AWAY_S, starved)
    print(f"  executor-0 is full: longest write {longest:.1f} s; "
          f"{journal(cluster, 'executor-0')['trouble'][:100]}", flush=True)
    disks.make_room("executor-0")
    took = wait_for("executor-0 to go on by itself", CATCH_UP_S, lambda: not journal(
        cluster, "executor-0")["failing"] and kept.write() is not None
        and counts(cluster, "executor-0"))
    kept.check()
    print(f"  room again: it counts after {took:.1f} s", flush=True)


def primary(cluster):
    executors = cluster.parts("executor").values()
    return f"executor-{max(executors, key=lambda part: part['view'])['primary']}"


def stalled(cluster, disks):
    kept = Kept(cluster)
    kept.write()
    leads = primary(cluster)
    disks.freeze(leads)
    try:
        began = time.monotonic()
        kept.write()
        wait_for("another to lead", AWAY_S, lambda: primary(cluster) != leads)
        took = time.monotonic() - began
        after = max(kept.write() for _ in range(20))
    finally:
        disks.thaw(leads)
    if took > HANDOVER_S + (PROGRESS_S if cluster.config == "primary-backup" else 0):
        raise Failure(f"{leads} led on for {took:.1f} s without a disk")
    wait_for(f"{leads} to count again", CATCH_UP_S, lambda: kept.write() is not None
             and counts(cluster, leads))
    kept.check()
    print(f"  {leads} stalled: another led after {took:.1f} s, longest write then {after:.2f} s",
          flush=True)


CASES = {"full": full, "filled": filled, "stalled": stalled}


def run_case(build, config, case):
    # A log that is never cut would fill such a disk.
    cluster = Nodes(build / "eve", config=config, threads=2, durability="sync",
                    options=["--headroom", str(HEADROOM_MIB), "--checkpoint-mib", "2"])
    executors = [name for name in cluster.nodes if name.startswith("executor")]
    disks = None
    try:
        try:
            disks = Disks(cluster, executors, executors if case == "stalled" else ())
        except OSError as error:
            print(f"disk_trouble: skipped, mounting is not permitted: {error}")
            cluster.stop()
            return SKIPPED
        cluster.start()
        act = pair_full if (config, case) == ("primary-backup", "full") else CASES[case]
        load(build, cluster, 1, lambda _: act(cluster, disks))
        took = wait_for("all executors to hold the same last batch", CATCH_UP_S, cluster.converged)
        if cluster.check_agreement() == 0:
            raise Failure("no batch was seen on two executors")
        if cluster.died():
            raise Failure(f"ended by themselves: {cluster.died()}")
        print(f"  all the same {took:.1f} s after", flush=True)
    except BaseException:
        print(cluster.output()[-6000:])
        if disks:
            for folder in disks.mounted:
                subprocess.run(["fsfreeze", "-u", str(folder)], capture_output=True, check=False)
        for child in cluster.running.values():
            child.kill()
            child.wait()
        if disks:
            disks.remove()
        cluster.stop()
        raise
    for child in cluster.running.values():
        child.terminate()
        child.wait(timeout=20)
    disks.remove()
    close(cluster)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--config", choices=("bft", "crash", "primary-backup"),
                        default="bft")
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    build = options.build.resolve()
    status = 0
    for case in options.case or CASES:
        print(f"disk_trouble, {options.config}, {case}:", flush=True)
        try:
            status = run_case(build, options.config, case) or status
        except Failure as failure:
            print(f"  FAILED: {failure}\n  again: tests/disk_trouble.py {options.build} "
                  f"--config {options.config} --case {case}")
            return 1
    if status == 0:
        print("disk_trouble: ok")
    return status


if __name__ == "__main__":
    sys.exit(main())
