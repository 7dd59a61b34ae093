"""`eve backup` and `eve restore`, and what a KV cluster holds."""

import json
import pathlib
import shutil
import subprocess

from support.cluster import Failure, wait_for
from support.nodes import node_sections, with_lasting_ports


def eve(program, *words, fails=False):
    """The JSON that it prints; or, where it is to fail, what it says."""
    done = subprocess.run([str(program), *map(str, words), "--json"], capture_output=True,
                          text=True, timeout=120)
    if (done.returncode != 0) != fails:
        raise Failure(f"eve {' '.join(map(str, words))}: status {done.returncode}: "
                      f"{done.stdout}{done.stderr}")
    return done.stderr if fails else json.loads(done.stdout)


def back_up(cluster, file, *words, node="executor-0", fails=False):
    return eve(cluster.program, "backup", file, "--cluster", cluster.cluster_file, "--node", node,
               *words, fails=fails)


def end(cluster):
    """All processes at once."""
    for name in list(cluster.restarted):
        cluster.kill(name)
    cluster.process.kill()  # its nodes end with it
    cluster.process.wait(timeout=15)
    cluster.process.stdout.close()
    wait_for("all nodes to end", 10, lambda: all(
        "refused" in node.get("error", "") for node in cluster.status().values()))


def destroy(cluster):
    """All processes and all that they kept: as if every machine had burnt down."""
    end(cluster)
    shutil.rmtree(pathlib.Path(cluster.cluster_file).parent)


def restore(cluster, file, config, *words):
    """Into the folder and the port that `cluster` had; starts it."""
    home = pathlib.Path(cluster.cluster_file).parent
    said = eve(cluster.program, "restore", file, "--dir", home, "--local", "--config", config,
               "--service-port", cluster.port, *words)
    cluster.command[cluster.command.index("--config") + 1] = config
    # Ports that nobody else is given while a node is down.
    toml = pathlib.Path(cluster.cluster_file)
    head, sections = node_sections(toml.read_text())
    toml.write_text(head + "".join("[[node]]" + with_lasting_ports(part)
                                    for part in sections.values()))
    cluster._start_dev()
    return said


def everything(cluster):
    """{key: value} of a KV cluster whose keys and values have no line ends."""
    keys = sorted(cluster.cli("KEYS", "*").splitlines())
    found = {}
    for first in range(0, len(keys), 500):
        some = keys[first:first + 500]
        found.update(zip(some, cluster.cli("MGET", *some).split("\n"), strict=True))
    if len(found) != int(cluster.cli("DBSIZE")):
        raise Failure(f"{len(found)} keys are listed, DBSIZE is {cluster.cli('DBSIZE')}")
    return found


def fill(cluster, count):
    """Writes, changes and deletes keys; what there is then."""
    for first in range(0, count, 500):
        words = [word for i in range(first, min(first + 500, count))
                 for word in (f"key:{i}", f"value {i} {'x' * (i % 100)}")]
        cluster.cli("MSET", *words)
    for i in range(0, count, 70):
        cluster.cli("INCRBY", f"number:{i % 91}", str(i))
    cluster.cli("DEL", *[f"key:{i}" for i in range(0, count, 10)])
    return everything(cluster)


def compare(before, after):
    if before == after:
        return
    wrong = sorted(key for key in before.keys() | after.keys()
                   if before.get(key) != after.get(key))
    key = wrong[0]
    raise Failure(f"{len(wrong)} keys differ, {key} first: it was {before.get(key)!r}, "
                  f"and is {after.get(key)!r}")
