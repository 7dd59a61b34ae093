#!/usr/bin/env python3
"""storm.py BUILD_DIR [--config both] [--rounds N] [--seconds S] [--json FILE]: what one bad node
costs. Clusters of real processes stand side by side, one without faults and one for each fault,
and take turns under load, another one first each round; ratios are formed within a round.

Throughput with one executor that diverges in every batch (its state is wrong each time and fetched
anew), and p99 latency with one node ten times slower (it sleeps nine times what it computes). The
bad nodes are tests/lying_node; the load is redis-benchmark, SETs of 64 bytes over 10,000 keys."""

import argparse
import csv
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support.cluster import Failure  # noqa: E402
from support.nodes import Nodes  # noqa: E402

CONNECTIONS = 50
PIPELINE = {"throughput": 16, "p99": 1}
# Who is bad, how, what is measured, and what of the fault-free cluster's is asked.
FAULTS = [
    ("one executor diverges in every batch", "executor-2", "diverge", "throughput", 0.5),
    ("one executor sends false tokens", "executor-2", "token", "throughput", 0.5),
    ("one executor ten times slower", "executor-2", "slow", "p99", 1.2),
    ("one verifier ten times slower", "verifier-2", "slow", "p99", 1.2),
]


def load(port, pipeline, requests):
    """One run of redis-benchmark: {"throughput": requests/s, "p99": ms}."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", "set", "-n", str(requests), "-c",
         str(CONNECTIONS), "-P", str(pipeline), "-r", "10000", "-d", "64", "--csv"],
        capture_output=True, text=True, timeout=600)
    for row in csv.DictReader(line for line in done.stdout.splitlines() if line.startswith('"')):
        return {"throughput": float(row["rps"]), "p99": float(row["p99_latency_ms"])}
    raise Failure(f"redis-benchmark: {done.stdout}{done.stderr}")


class Contender:
    def __init__(self, build, config, node=None, lie=None):
        liars = {node: (build / "tests" / "lying_node", ("--lie", lie))} if node else {}
        self.cluster = Nodes(build / "eve", config=config, threads=1, liars=liars)
        self.requests = {}
        try:
            self.cluster.start()
        except BaseException:
            self.cluster.stop()
            raise

    def measure(self, what, seconds):
        pipeline = PIPELINE[what]
        if what not in self.requests:  # how many make up so many seconds
            rate = load(self.cluster.port, pipeline, 4_000)["throughput"]
            rate = load(self.cluster.port, pipeline, max(4_000, int(rate)))["throughput"]
            self.requests[what] = max(1_000, int(rate * seconds))
        return load(self.cluster.port, pipeline, self.requests[what])[what]


def measure_config(build, config, rounds, seconds):
    """{fault: [(with, without)...]}, a pair a round."""
    clean = Contender(build, config)
    bad = []
    pairs = {}
    try:
        for fault in FAULTS:
            bad.append((fault, Contender(build, config, fault[1], fault[2])))
        for number in range(rounds):
            for fault, contender in bad:
                order = [contender, clean] if number % 2 else [clean, contender]
                values = {one: one.measure(fault[3], seconds) for one in order}
                pair = (values[contender], values[clean])
                pairs.setdefault(fault[0], []).append(pair)
                print(f"{config}, round {number + 1}, {fault[0]}: {fault[3]} {pair[0]:.3g} against "
                      f"{pair[1]:.3g}, {pair[0] / pair[1]:.2f}", file=sys.stderr, flush=True)
    finally:
        for contender in [clean] + [one for _, one in bad]:
            contender.cluster.stop()
    return pairs


def to_row(config, fault, pairs):
    """As docs/benchmarks.md has it."""
    name, _, _, what, limit = fault
    ratios = [with_ / without for with_, without in pairs]
    ratio = statistics.median(ratios)
    higher = what == "throughput"
    met = ratio >= limit if higher else ratio <= limit
    text = (f"ratio {'at least' if higher else 'at most'} {limit:.2f}: "
            f"{'met' if met else 'not met'}")
    values = [pair[0] for pair in pairs]
    return {"name": f"{config} SET, {name}: {what}", "unit": "requests/s" if higher else "ms",
            "value": statistics.median(values), "min": min(values), "max": max(values),
            "baseline": "the same without a bad node",
            "baseline_value": statistics.median(pair[1] for pair in pairs), "ratio": ratio,
            "better": "higher" if higher else "lower", "wall": None, "baseline_wall": None,
            "goal": {"of": "ratio", "limit": limit, "met": met, "text": text},
            "others": {"ratio min": min(ratios), "ratio max": max(ratios)}, "note": ""}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}"


def write_report(name, options, rows, remark=""):
    """Where --json says, as docs/benchmarks.md has it."""
    if not options.json:
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True).stdout.strip()
    report = {"name": name, "machine": machine(), "commit": commit or "unknown",
              "command": f"bench/{name}.py {options.build} --config {options.config} --rounds "
                         f"{options.rounds} --seconds {options.seconds}",
              "remark": remark, "rows": rows}
    pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--config", choices=("crash", "bft", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    for program in (options.build / "eve", options.build / "tests" / "lying_node"):
        if not program.exists():
            parser.error(f"{program} is not there: build it first (scripts/setup release)")
    rows = []
    for config in ("crash", "bft") if options.config == "both" else (options.config,):
        found = measure_config(options.build.resolve(), config, options.rounds, options.seconds)
        rows += [to_row(config, fault, found[fault[0]]) for fault in FAULTS]
    for row in rows:
        print(f"{row['name']}: {row['value']:.3g} {row['unit']}, without {row['baseline_value']:.3g}"
              f", ratio {row['ratio']:.2f} ({row['others']['ratio min']:.2f} to "
              f"{row['others']['ratio max']:.2f}); {row['goal']['text']}")
    write_report("storm", options, rows, "Clusters of 7 or 8 processes take turns; on few cores a "
                 "bad node also leaves more of them to the others.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"storm: {failure}")
