#!/usr/bin/env python3
"""epochs.py BUILD_DIR [--config both] [--rounds N] [--seconds S] [--json FILE]: what it costs that
the members have changed once. Two clusters of real processes stand side by side, one in its first
epoch, one in its second, and take turns under load; ratios are formed within a round.

Processor time of all nodes for each request, by the kernel's count. The load is redis-benchmark,
SETs of 64 bytes over 10,000 keys, 50 connections with 8 commands in flight each."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

from storm import Contender, ROOT, load, write_report

sys.path.insert(0, str(ROOT / "tests"))
from support.cluster import Failure  # noqa: E402
from support.nodes import lasting_port  # noqa: E402

PIPELINE = 8
LIMIT = 1.05
CATCH_UP_S = 30
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Measured(Contender):
    def __init__(self, build, config):
        super().__init__(build, config)
        self.count = None

    def cpu_s(self):
        ticks = 0
        for child in self.cluster.running.values():
            fields = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * TICK_S

    def cpu_us_a_request(self, seconds):
        if self.count is None:
            rate = load(self.cluster.port, PIPELINE, 4_000)["throughput"]
            rate = load(self.cluster.port, PIPELINE, max(4_000, int(rate)))["throughput"]
            self.count = max(1_000, int(rate * seconds))
        before = self.cpu_s()
        load(self.cluster.port, PIPELINE, self.count)
        return (self.cpu_s() - before) * 1e6 / self.count

    def next_epoch(self):
        """Another node takes the seat of executor-2."""
        cluster = self.cluster
        file = pathlib.Path(cluster.cluster_file)
        done = subprocess.run(
            [cluster.program, "member", "replace", "--cluster", file, "--node", "executor-2",
             "--with", "another", "--host", "127.0.0.1", "--port", str(lasting_port()),
             "--status-port", str(lasting_port())], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"eve member replace: {done.stdout}{done.stderr}")
        cluster.kill("executor-2")
        (file.parent / "another.toml").write_text(file.read_text())
        cluster.restart("another")
        subprocess.run([cluster.program, "wait", "--cluster", file, "--node", "another",
                        "--timeout", str(CATCH_UP_S)], check=True, capture_output=True)


def measure_config(build, config, rounds, seconds):
    """[(in the second epoch, in the first)...], a pair a round."""
    first = Measured(build, config)
    second = None
    pairs = []
    try:
        second = Measured(build, config)
        second.next_epoch()
        for number in range(rounds):
            order = [second, first] if number % 2 else [first, second]
            values = {one: one.cpu_us_a_request(seconds) for one in order}
            pairs.append((values[second], values[first]))
            print(f"{config}, round {number + 1}: {pairs[-1][0]:.1f} us against {pairs[-1][1]:.1f},"
                  f" {pairs[-1][0] / pairs[-1][1]:.2f}", file=sys.stderr, flush=True)
    finally:
        for contender in (first, second):
            if contender is not None:
                contender.cluster.stop()
    return pairs


def to_row(config, pairs):
    """As docs/benchmarks.md has it."""
    values = [pair[0] for pair in pairs]
    ratios = [later / first for later, first in pairs]
    ratio = statistics.median(ratios)
    met = ratio <= LIMIT
    return {"name": f"{config} SET, processor time in the second epoch", "unit": "us/request",
            "value": statistics.median(values), "min": min(values), "max": max(values),
            "baseline": "the same in the first epoch",
            "baseline_value": statistics.median(pair[1] for pair in pairs), "ratio": ratio,
            "better": "lower", "wall": None, "baseline_wall": None,
            "goal": {"of": "ratio", "limit": LIMIT, "met": met,
                     "text": f"ratio at most {LIMIT:.2f}: {'met' if met else 'not met'}"},
            "others": {"ratio min": min(ratios), "ratio max": max(ratios)}, "note": ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--config", choices=("crash", "bft", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    if not (options.build / "eve").exists():
        parser.error(f"{options.build}/eve is not there: build it first (scripts/setup release)")
    rows = []
    for config in ("crash", "bft") if options.config == "both" else (options.config,):
        rows.append(to_row(config, measure_config(options.build.resolve(), config, options.rounds,
                                                  options.seconds)))
    for row in rows:
        print(f"{row['name']}: {row['value']:.1f} {row['unit']}, in the first "
              f"{row['baseline_value']:.1f}, ratio {row['ratio']:.2f} "
              f"({row['others']['ratio min']:.2f} to {row['others']['ratio max']:.2f}); "
              f"{row['goal']['text']}")
    write_report("epochs", options, rows)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"epochs: {failure}")
