#!/usr/bin/env python3
"""durability.py BUILD_DIR [--config C] [--rounds N] [--seconds S] [--seed N] [--disks]: nodes that
keep what they promised on disk (--durability sync) end again and again, under a load whose
histories are checked.

A round ends some nodes (one, all of a role, the primary, everything with or without the gateway),
with SIGKILL or in order, and starts them again; sometimes one stays down for the next round as
well. After each round the service answers again, every write that was ever acknowledged is there,
everybody counts again, and equal batches have equal tokens and states. Nobody may say that its
memory is lost: nothing is, when processes end.

--disks: instead of rounds, what becomes of a directory that is deleted, damaged or torn."""

import argparse
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from faults import close, counts  # noqa: E402
from support.cluster import Failure, wait_for  # noqa: E402
from support.nodes import Nodes  # noqa: E402

# From the last start of a round to the first acknowledged write, on a machine that others use too.
AWAY_S = 20
CATCH_UP_S = 60
STOP_S = 20
# Histories grow, and with them what one check costs: a load is for this many rounds.
ROUNDS_OF_A_LOAD = 10
# As logs do, and with them what one start costs: a cluster is for this many.
ROUNDS_WITH_CHECKPOINTS = 20  # from so many on there must be some
ROUNDS_OF_A_CLUSTER = 30
LOST = re.compile(r".*(?:memory_lost|promises_lost|journal_broken|disk_trouble).*")
BLOCK = 4096


# ---- Writes that are followed over the whole run ---------------------------------------------

def ask(port, *words, seconds=5.0):
    """One command on a connection of its own; the reply's first line, or its value."""
    command = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(command.encode())
        with connection.makefile("rb") as replies:
            line = replies.readline().decode().rstrip("\r\n")
            if line.startswith("$") and line != "$-1":
                return replies.readline().decode().rstrip("\r\n")
            return line


class Kept:
    """Keys with values that were acknowledged; nobody else writes them."""

    def __init__(self, cluster):
        self.port = cluster.port
        self.values = {}
        self.attempts = 0

    def write(self):
        """Until one is acknowledged: a key of its own for each attempt, as a lost one may come."""
        def acknowledged():
            self.attempts += 1
            key = f"kept:{self.attempts}"
            if ask(self.port, "SET", key, f"value {self.attempts}") != "+OK":
                return False
            self.values[key] = f"value {self.attempts}"
            return True

        return wait_for("a write to be acknowledged", AWAY_S, acknowledged)

    def check(self):
        for key, value in self.values.items():
            found = ask(self.port, "GET", key, seconds=30)
            if found != value:
                raise Failure(f"lost, though acknowledged: {key} is {found}, not {value}")


# ---- Rounds ----------------------------------------------------------------------------------

class Rounds:
    def __init__(self, cluster, seed, rounds):
        self.cluster = cluster
        self.random = random.Random(seed)
        self.executors = [name for name in cluster.nodes if name.startswith("executor")]
        self.verifiers = [name for name in cluster.nodes if name.startswith("verifier")]
        self.gateways = [name for name in cluster.nodes if name.startswith("gateway")]
        self.kept = Kept(cluster)
        self.down = []
        self.left = rounds
        self.kinds = []
        self.done = {}
        self.away = []
        self.back = []

    def note(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def primary(self):
        executors = self.cluster.parts("executor").values()
        return f"executor-{max(executors, key=lambda part: part['view'])['primary']}"

    def victims(self):
        """Each kind has its turn before the first one comes again."""
        if not self.kinds:
            self.kinds = ["an executor", "a verifier", "the primary", "all executors",
                          "all verifiers", "all replicas", "everything", "the gateway"]
            self.random.shuffle(self.kinds)
        kind = self.kinds.pop()
        self.note(kind)
        return {
            "an executor": lambda: [self.random.choice(self.executors)],
            "a verifier": lambda: [self.random.choice(self.verifiers)],
            "the primary": lambda: [self.primary()],
            "all executors": lambda: self.executors,
            "all verifiers": lambda: self.verifiers,
            "all replicas": lambda: self.executors + self.verifiers,
            "everything": lambda: self.executors + self.verifiers + self.gateways,
            "the gateway": lambda: self.gateways,
        }[kind]()

    def end(self, names):
        how = signal.SIGTERM if self.random.random() < 0.25 else signal.SIGKILL
        self.note("SIGTERM" if how == signal.SIGTERM else "SIGKILL")
        children = {name: self.cluster.running.pop(name) for name in names}
        for child in children.values():
            child.send_signal(how)
        for name, child in children.items():
            try:
                status = child.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired as error:
                child.kill()
                child.wait()
                raise Failure(f"{name} does not end in {STOP_S} s after SIGTERM") from error
            if how == signal.SIGTERM and status != 0:
                raise Failure(f"{name} ended with status {status} after SIGTERM")

    def run_one(self):
        was_down, self.down = self.down, []
        victims = [name for name in self.victims() if name not in was_down]
        time.sleep(self.random.choice((0, 0.5, 1.5)))
        self.end(victims)
        time.sleep(self.random.choice((0, 0.2, 1)))
        back = victims + was_down
        replicas = [name for name in victims if name not in self.gateways]
        if replicas and self.random.random() < 0.25:
            self.down = [self.random.choice(replicas)]
            back.remove(self.down[0])
            self.note("one stays down")
        self.random.shuffle(back)
        for name in back:
            self.cluster.restart(name)
        self.away.append(self.kept.write())
        self.back.append(self.wait_back(back))
        self.kept.check()
        self.cluster.check_agreement()
        if self.cluster.died():
            raise Failure(f"ended by themselves: {self.cluster.died()}")
        lost = LOST.search(self.cluster.output())
        if lost:
            raise Failure(f"nothing was lost, but: {lost.group()}")

    def wait_back(self, names):
        replicas = [name for name in names if name not in self.gateways]

        def all_count():
            return all(counts(self.cluster, name) for name in replicas)

        return wait_for(f"{replicas} to count again", CATCH_UP_S, all_count)

    def run(self, going):
        """One round and more, while `going()`, or until none is left; ends with everybody up."""
        for number in range(ROUNDS_OF_A_LOAD):
            if self.left == 0 or (number > 0 and not going()):
                break
            self.left -= 1
            self.run_one()
        for name in self.down:
            self.cluster.restart(name)
        self.wait_back(self.down)
        self.down = []


def load(build, cluster, number, work):
    """`work()` under load, whose histories are checked afterwards."""
    stop = pathlib.Path(cluster.directory, f"stop-{number}")
    child = subprocess.Popen(
        [str(build / "tests" / "history_load"), "--port", str(cluster.port), "--operations",
         "100000000", "--seed", str(number), "--keys", "1000", "--connections", "10", "--pipeline",
         "2", "--reconnect", "--stop-file", str(stop)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        work(lambda: child.poll() is None)
        stop.touch()
        text, _ = child.communicate(timeout=120)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    print("  " + text.strip().replace("\n", "\n  "), flush=True)
    if child.returncode != 0:
        raise Failure("histories: " + text[-1000:])
    found = re.search(r"ok: (\d+) operations, (\d+) of unknown outcome", text)
    return int(found.group(1)), int(found.group(2))


def run_rounds(build, config, rounds, seconds, seed):
    """With one cluster after the other; returns how many were done."""
    end = time.monotonic() + seconds
    done = 0
    while done == 0 or (done < rounds and time.monotonic() < end):
        done += run_cluster(build, config, min(rounds - done, ROUNDS_OF_A_CLUSTER), end,
                            1000 * seed + done)
    return done


def lasting_nodes(build, config):
    """Their logs are cut often."""
    return Nodes(build / "eve", config=config, threads=2, durability="sync",
                 options=("--checkpoint-mib", "1"))


def checkpoints(cluster, name="executor-*"):
    """Files; their numbers say how many were begun."""
    return sorted(file for file in pathlib.Path(cluster.home).glob(f"{name}/{name}/checkpoint-*")
                  if file.suffix == "")


def run_cluster(build, config, rounds, end, seed):
    cluster = lasting_nodes(build, config)
    try:
        cluster.start()
        work = Rounds(cluster, seed, rounds)
        operations = unknown = number = 0
        while number == 0 or (work.left > 0 and time.monotonic() < end):
            number += 1
            done, lost = load(build, cluster, number, lambda alive: work.run(
                lambda: alive() and time.monotonic() < end))
            operations, unknown = operations + done, unknown + lost
        took = wait_for("all executors to hold the same last batch", CATCH_UP_S, cluster.converged)
        if cluster.check_agreement() == 0:
            raise Failure("no batch was seen on two executors")
        work.kept.check()
        taken = [int(file.name.split("-")[1], 16) for file in checkpoints(cluster)]
    except BaseException:
        print(cluster.output()[-6000:])
        cluster.stop()
        raise
    close(cluster)
    if operations == 0:
        raise Failure("no round was under load")
    if work.left == 0 and rounds >= ROUNDS_WITH_CHECKPOINTS and not taken:
        raise Failure("no executor has taken a checkpoint")
    count = rounds - work.left
    print(f"  {count} rounds: {work.done}\n"
          f"  {operations} operations, {unknown} of unknown outcome, {len(work.kept.values)} writes "
          f"followed to the end, all the same {took:.1f} s after\n"
          f"  checkpoints begun by each executor: {taken}\n"
          f"  first write after a start: {spread(work.away)}; back: {spread(work.back)}", flush=True)
    return count


def spread(times):
    times = sorted(times)
    return f"median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s"


# ---- Disks that lost something ---------------------------------------------------------------

def log_files(cluster, name, log):
    return sorted(pathlib.Path(cluster.home, name, name).glob(f"{log}-*.log"))


def groups(content):
    """(offset, end) of each group of a segment (docs/journal.md)."""
    found = []
    for offset in range(BLOCK, len(content), BLOCK):
        if content[offset:offset + 4] == b"EVEG":
            size = 128 + int.from_bytes(content[offset + 8:offset + 12], "little")
            found.append((offset, offset + (size + BLOCK - 1) // BLOCK * BLOCK))
    return found


def flip_in_the_middle(cluster, name, log):
    """One bit of what had been acknowledged long ago."""
    path = max(log_files(cluster, name, log), key=lambda file: len(groups(file.read_bytes())))
    content = bytearray(path.read_bytes())
    every = groups(content)
    if len(every) < 4:
        raise Failure(f"{path} has {len(every)} groups: too few to have a middle")
    content[every[len(every) // 2][0] + 200] ^= 1
    path.write_bytes(content)


def tear(cluster, name, log):
    """Of a write that was never finished, its second half only reached the disk."""
    path = log_files(cluster, name, log)[-1]
    content = bytearray(path.read_bytes())
    _, end = groups(content)[-1]
    content[end:end + 4 * BLOCK] = bytes(2 * BLOCK) + random.Random(1).randbytes(2 * BLOCK)
    path.write_bytes(content)


def expect_said(cluster, since, *words):
    said = cluster.output()[since:]
    missing = [word for word in words if word not in said]
    if missing:
        raise Failure(f"nobody said {missing}: {said[-2000:]}")


def disk_case(cluster, kept, name, what, harm, *, lost):
    """Ends `name`, harms its disk, and has it come back."""
    kept.write()
    since = len(cluster.output())
    cluster.kill(name)
    harm()
    for _ in range(3):
        kept.write()  # the others go on
    cluster.restart(name)
    took = wait_for(f"{name} to count again", CATCH_UP_S, lambda: counts(cluster, name))
    said = LOST.search(cluster.output()[since:])
    if bool(said) != lost:
        raise Failure(f"{what} of {name}: {said.group() if said else 'it does not say so'}")
    kept.check()
    cluster.check_agreement()
    print(f"  {name}, {what}: back after {took:.1f} s"
          f"{'; ' + said.group()[-250:] if said else ''}", flush=True)


def flip_in_checkpoint(cluster, name):
    path = checkpoints(cluster, name)[-1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def checkpoint_case(cluster, kept):
    """What was cut from its log is lost with it: the peers have it."""
    name = "executor-0"

    def cut():
        files = log_files(cluster, name, "commands")
        return checkpoints(cluster, name) and int(files[0].stem.split("-")[1], 16) > 1

    wait_for(f"{name} to cut its log", CATCH_UP_S, lambda: (kept.write(), cut())[1])
    since = len(cluster.output())
    disk_case(cluster, kept, name, "flipped bit in its checkpoint",
              lambda: flip_in_checkpoint(cluster, name), lost=True)
    expect_said(cluster, since, "checkpoint_unusable")


def disk_cases(cluster, kept):
    checkpoint_case(cluster, kept)
    for name, log in (("executor-1", "commands"), ("verifier-1", "promises")):
        disk_case(cluster, kept, name, "torn tail", lambda: tear(cluster, name, log), lost=False)
    disk_case(cluster, kept, "executor-1", "log deleted",
              lambda: shutil.rmtree(pathlib.Path(cluster.home, "executor-1", "executor-1")),
              lost=True)
    disk_case(cluster, kept, "executor-0", "folder deleted",
              lambda: shutil.rmtree(pathlib.Path(cluster.home, "executor-0")), lost=True)
    if cluster.parts("executor")["executor-0"]["transfers"] == 0:
        raise Failure("executor-0 lost its folder, and fetched nothing")
    for name, log in (("executor-2", "commands"), ("verifier-2", "promises")):
        disk_case(cluster, kept, name, "flipped bit",
                  lambda: flip_in_the_middle(cluster, name, log), lost=True)
        if not list(pathlib.Path(cluster.home, name, name).glob("*.damaged")):
            raise Failure(f"{name} keeps nothing of its damaged log")
    # Said once, and over: the next start is one like any other.
    disk_case(cluster, kept, "executor-2", "nothing any more", lambda: None, lost=False)
    refuses_to_start(cluster, kept, "verifier-0")


def refuses_to_start(cluster, kept, name):
    """A verifier whose promises are gone altogether could promise the contrary."""
    since = len(cluster.output())
    cluster.kill(name)
    shutil.rmtree(pathlib.Path(cluster.home, name))
    cluster.restart(name)
    child = cluster.running.pop(name)
    if child.wait(timeout=STOP_S) == 0:
        raise Failure(f"{name} ended in order, without its promises")
    expect_said(cluster, since, f"{name}", "promise")
    kept.write()
    kept.check()
    print("  " + cluster.output()[since:].strip().splitlines()[-1][-300:], flush=True)


def run_disks(build, config):
    cluster = lasting_nodes(build, config)
    try:
        cluster.start()
        load(build, cluster, 1, lambda _: disk_cases(cluster, Kept(cluster)))
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
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=36_000, help="at most so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--disks", action="store_true")
    options = parser.parse_args()
    for program in ("eve", "tests/history_load"):
        if not (options.build / program).exists():
            parser.error(f"{options.build / program} is not there: build it first (scripts/setup)")
    build = options.build.resolve()
    print(f"durability, {options.config}, seed {options.seed}:", flush=True)
    try:
        if options.disks:
            run_disks(build, options.config)
            print("durability: disks ok")
        else:
            done = run_rounds(build, options.config, options.rounds, options.seconds, options.seed)
            print(f"durability: {done} rounds ok")
    except Failure as failure:
        again = "--disks" if options.disks else f"--rounds {options.rounds} --seed {options.seed}"
        print(f"  FAILED: {failure}\n  again: tests/durability.py {options.build} "
              f"--config {options.config} {again}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
