#!/usr/bin/env python3
"""cluster_test.py BUILD_DIR TEST [OPERATIONS]: real processes, real TCP, real Redis clients."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.backups import back_up  # noqa: E402
from support.cluster import COMPLAINTS, Cluster, Failure, wait_for  # noqa: E402
from support.proxy import proxied  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
OPERATIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000


def start(config, **options):
    return Cluster(BUILD / "eve", config=config, **options)


def history(cluster, operations, seed=1):
    """Starts a load whose histories are checked."""
    return subprocess.Popen(
        [str(BUILD / "tests" / "history_load"), "--port", str(cluster.port), "--operations",
         str(operations), "--seed", str(seed), "--keys", "10000", "--connections", "50"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(load, seconds=600):
    text, _ = load.communicate(timeout=seconds)
    print(text.strip())
    if load.returncode != 0:
        raise Failure("histories: " + text[-1000:])


def agree(cluster):
    wait_for("all executors to hold the same last batch", 30, cluster.converged)
    if cluster.check_agreement() == 0:
        raise Failure("no batch was seen on two executors")


def smoke(config, layout="split"):
    with start(config, layout=layout) as cluster:
        cluster.cli("SET", "a", "1")
        if cluster.cli("GET", "a") != "1":
            raise Failure("GET did not return what SET had stored")
        cluster.benchmark("set,get,incr,mset", 2_000, 16)
        agree(cluster)
        text = subprocess.run([cluster.program, "status", "--cluster", cluster.cluster_file],
                              capture_output=True, text=True, check=True).stdout
        print(text)
        if "does not answer" in text or "executor" not in text:
            raise Failure("eve status: " + text)


def smoke_bft():
    smoke("bft")


def smoke_crash():
    smoke("crash")


def smoke_joint():
    smoke("bft", layout="joint")
    smoke("crash", layout="joint")


def histories(config):
    with start(config, threads=2) as cluster:
        finish(history(cluster, OPERATIONS))
        agree(cluster)


def histories_bft():
    histories("bft")


def histories_crash():
    histories("crash")


def kills(config):
    """An executor is killed and comes back every few seconds, each in turn, primaries included."""
    with start(config, threads=2) as cluster:
        load = history(cluster, OPERATIONS)
        rounds = 0
        while load.poll() is None and rounds < 100:
            victim = f"executor-{rounds % 3}"
            cluster.kill(victim)
            time.sleep(0.5)
            cluster.restart(victim)
            wait_for(f"{victim} to count again", 60, lambda: counts(cluster, victim) or
                     load.poll() is not None)
            rounds += 1
            time.sleep(0.5)
        finish(load)
        print(f"kills: {rounds}")
        if rounds < 2:
            raise Failure("the load was over before the second kill")
        agree(cluster)


def counts(cluster, name):
    """A restarted executor is back among the correct ones when it speaks again."""
    part = cluster.parts("executor").get(name)
    return part is not None and not part["silent"] and not part["fetching"]


def kills_bft():
    kills("bft")


def kills_crash():
    kills("crash")


def failover():
    """Service is back within 2 s of losing the primary executor, and so for a verifier."""
    for config in ("bft", "crash"):
        with start(config) as cluster:
            cluster.cli("SET", "a", "1")
            for victim in ("executor-0", "verifier-0"):
                cluster.kill(victim)
                begin = time.monotonic()
                cluster.cli("SET", "a", "2")
                took = time.monotonic() - begin
                print(f"{config}: first write after kill -9 of {victim}: {took:.2f} s")
                if took > 2:
                    raise Failure(f"{victim} killed: the service was away for {took:.2f} s")


def paused():
    """A stopped executor wakes up, catches up, and blocks nobody."""
    with start("bft") as cluster:
        cluster.kill("executor-1", signal.SIGSTOP)
        cluster.benchmark("set", 20_000, 16)
        cluster.kill("executor-1", signal.SIGCONT)
        cluster.benchmark("set", 2_000, 16)
        agree(cluster)


def folder_lock():
    """Two clusters do not share a folder; the first one goes on undisturbed."""
    with start("crash") as cluster:
        folder = pathlib.Path(cluster.cluster_file).parent
        before = pathlib.Path(cluster.cluster_file).read_text()
        second = subprocess.run(
            [cluster.program, "dev", "--config", "crash", "--port", "0", "--dir", str(folder)],
            capture_output=True, text=True, timeout=30)
        if second.returncode == 0 or "in use by another" not in second.stderr:
            raise Failure(f"a second cluster in {folder}: {second.returncode}: {second.stderr}")
        if pathlib.Path(cluster.cluster_file).read_text() != before:
            raise Failure("the second cluster has changed the first one's files")
        cluster.cli("SET", "a", "1")


def says_who_ended():
    """`eve dev` names a node that ends by itself, and says whether the service goes on."""
    with start("crash") as cluster:
        def said(text, seconds=10):
            wait_for(f"eve dev to say: {text}", seconds, lambda: text in cluster.output())

        pid = cluster.nodes["executor-1"]["pid"]
        cluster.kill("executor-1")
        said(f"eve: executor-1 (pid {pid}) was killed by signal 9 (Killed)")
        said("The service goes on: down are 1 of 3 executors and 0 of 3 verifiers")
        said(f"serve --cluster {cluster.cluster_file} --node executor-1")
        cluster.cli("SET", "a", "1")
        # Started by hand it is not down any more, though it is no child of `eve dev`.
        cluster.restart("executor-1")
        wait_for("executor-1 to count again", 30, lambda: counts(cluster, "executor-1"))
        cluster.kill("verifier-2", signal.SIGTERM)
        said("eve: verifier-2 (pid %d) ended with status 0" % cluster.nodes["verifier-2"]["pid"])
        said("goes on: down are 0 of 3 executors and 1 of 3 verifiers")
        cluster.kill("gateway")
        said("Clients of a gateway that is down are turned away.")
        cluster.kill("verifier-0")
        said("The service has stopped until more of them run: "
             "down are 0 of 3 executors and 2 of 3 verifiers")


def mixed_versions():
    """An executor of a newer release and a verifier of an older one: whoever refuses them says which
    versions do not fit and whose, and the others go on. Run as the others are, they are back."""
    cluster, proxies = proxied(BUILD / "eve", "crash")
    try:
        proxies.set(nodes=["executor-2"], version=3)
        proxies.set(nodes=["verifier-2"], version=1)
        cluster.start()
        cluster.cli("SET", "a", "1")
        cluster.benchmark("set", 2_000, 16)

        def said(version, name):
            return re.search(rf'says it is \\"{name}\\", speaks version {version}, this node 2: run',
                             cluster.output())

        wait_for("both to be refused by name", 20,
                 lambda: said(3, "executor-2") and said(1, "verifier-2"))
        if counts(cluster, "executor-2") and cluster.converged():
            raise Failure("executor-2 was not refused")
        proxies.set(cut=True)
        cluster.benchmark("set", 20_000, 16)  # who was away learns of it from what others say
        wait_for("both to be back", 30, lambda: counts(cluster, "executor-2") and
                 cluster.converged() and cluster.converged("verifier"))
        agree(cluster)
    except BaseException:
        print(cluster.output()[-3000:])
        raise
    finally:
        proxies.stop()
        log = cluster.stop()
    if COMPLAINTS.search(log):
        raise Failure(f"a node complained: {log[-3000:]}")


def racing():
    with Cluster(BUILD / "examples" / "racing", threads=2) as cluster:
        for _ in range(20):
            subprocess.run([str(BUILD / "examples" / "race"), cluster.cluster_file], check=True,
                           timeout=120)
            parts = cluster.parts("executor")
            if any(p["rollbacks"] > 0 and p["batches_sequential"] > 0 for p in parts.values()):
                break
        else:
            raise Failure("the race never made the replicas diverge")
        agree(cluster)


def stops_cleanly():
    """SIGTERM ends every process."""
    cluster = start("crash")
    pids = [node["pid"] for node in cluster.nodes.values()]
    cluster.process.send_signal(signal.SIGTERM)
    if cluster.process.wait(timeout=15) != 0:
        raise Failure("eve dev did not end with status 0")
    alive = [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]
    log = cluster.stop()
    if COMPLAINTS.search(log):
        raise Failure("a node complained: " + log[-3000:])
    if alive:
        raise Failure(f"processes left behind: {alive}")


def examples():
    """Services made with the library, each with its native client or a call of its own."""
    with Cluster(BUILD / "examples" / "counter", config="crash") as cluster:
        done = subprocess.run([str(BUILD / "examples" / "count"), cluster.cluster_file],
                              capture_output=True, text=True, timeout=60, check=True)
        if done.stdout.split() != [str(i) for i in range(1, 11)]:
            raise Failure("count: " + done.stdout)
        agree(cluster)
    with Cluster(BUILD / "examples" / "bank", config="bft", threads=2) as cluster:
        done = subprocess.run([str(BUILD / "examples" / "transfers"), cluster.cluster_file],
                              capture_output=True, text=True, timeout=60)
        print(done.stdout + done.stderr)
        if done.returncode != 0:
            raise Failure("transfers: " + done.stdout + done.stderr)
        agree(cluster)
    with Cluster(BUILD / "examples" / "outline", config="bft", threads=2) as cluster:
        requests = ["add . One", "add . Two", "add 1 Under one", "add 2 Under two", "show",
                    "cut 2", "cut 7", "show"]
        done = subprocess.run([str(BUILD / "examples" / "call"), cluster.cluster_file, *requests],
                              capture_output=True, text=True, timeout=60, check=True)
        if done.stdout != ("done\n" * 4 + "One\n  Under one\nTwo\n  Under two\n\n" +
                           "done\nno such heading\nOne\n  Under one\n\n"):
            raise Failure("outline: " + done.stdout)
        agree(cluster)


def benchmarks():
    """Every benchmark runs and writes its report; no figure is judged here."""
    for words in (("execution", "--seconds", "0.1"), ("kv", "--seconds", "0.3"),
                  ("journal", "--seconds", "0.02"), ("state", "--quick"), ("state", "--quick", "--rows", "alternatives")):
        report = pathlib.Path(tempfile.mkdtemp()) / "report.json"
        done = subprocess.run([BUILD / "eve", "bench", *words, "--runs", "1", "--json", report],
                              capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Failure(f"eve bench {words[0]}: {done.stderr[-500:]}")
        rows = json.loads(report.read_text())["rows"]
        shutil.rmtree(report.parent)
        told = [row for row in rows if not row["note"].startswith("not measured")]
        if not told or any(not row["value"] or row["value"] <= 0 for row in told):
            raise Failure(f"eve bench {words[0]}: {rows}")


def wrong_usage():
    """Errors name what is wrong and what to do; nothing is started."""
    cases = {
        ("dev", "--config", "raft"): "not in {bft,crash,primary-backup}",
        ("dev", "--service", "mail"): "not in {kv}",
        ("dev", "--threads", "100000"): "--threads",
        ("dev", "--durability", "often"): "sync, async or memory",
        ("dev", "--dir", "/usr"): "choose another --dir",
        ("serve", "--cluster", "/nonexistent", "--node", "x"): "/nonexistent",
        ("init", "--dir", "/tmp/never", "--host", "a"): "give 4 hosts",
        ("backup", "/tmp/never", "--cluster", "/nonexistent", "--node", "x"): "/nonexistent",
        ("backup", "/tmp/never", "--cluster", "/etc/hostname"): "--node is required",
        ("restore", "/nonexistent", "--dir", "/tmp/never", "--local"): "cannot open",
        ("restore", "/etc/hostname", "--dir", "/tmp/never", "--local"): "is no backup",
        ("restore", "/nonexistent"): "--dir is required",
    }
    for words, expected in cases.items():
        done = subprocess.run([BUILD / "eve", *words], capture_output=True, text=True, timeout=30)
        if done.returncode == 0 or expected not in done.stderr:
            raise Failure(f"eve {' '.join(words)}: {done.returncode}: {done.stderr}")


def examine(folder, status):
    """What `eve doctor` says of each folder that it found something in."""
    done = subprocess.run([BUILD / "eve", "doctor", folder, "--json"], capture_output=True,
                          text=True, timeout=60)
    if done.returncode != status:
        raise Failure(f"eve doctor: {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return {pathlib.Path(report["directory"]).relative_to(folder): report
            for report in json.loads(done.stdout)["directories"]}


def doctor_of_dev():
    """Finds the logs of all nodes of a stopped `dev`, and says what those then do."""
    with start("crash", extra=("--durability", "sync")) as cluster:
        cluster.cli("SET", "a", "1")
        agree(cluster)
        cluster.kill_all()
        home = pathlib.Path(cluster.cluster_file).parent
        found = examine(home, 0)
        wanted = {pathlib.Path(name, name) for name in
                  [f"{role}-{i}" for role in ("executor", "verifier") for i in range(3)]}
        if set(found) != wanted or any(not report["logs"] for report in found.values()):
            raise Failure(f"eve doctor found {sorted(found)}")
        if set(examine(home / "executor-1", 0)) != {pathlib.Path("executor-1")}:
            raise Failure("eve doctor did not find a node's one log")
        # As if it had not synced, and the machine had stopped since.
        (home / "executor-1" / "executor-1" / "commands.start").write_bytes(b"of another start")
        found = examine(home, 1)
        bad = {str(where) for where, report in found.items() if report["health"] == "damaged"}
        if bad != {"executor-1/executor-1"}:
            raise Failure(f"eve doctor finds damage in {bad}")
        before = len(cluster.output())
        cluster._start_dev()
        wait_for("it to begin as it was said", 30,
                 lambda: "memory_lost" in cluster.output()[before:])
        wait_for("the service to be back", 30, lambda: cluster.cli("GET", "a") == "1")


def doctor():
    """Tells sound from damaged from neither, and changes nothing."""
    golden = pathlib.Path(__file__).resolve().parent / "journal"
    folder = pathlib.Path(tempfile.mkdtemp())
    data = folder / "executor-0"
    shutil.copytree(golden, data)

    def expect(status, health, *words):
        before = {path.name: path.read_bytes() for path in data.iterdir()}
        for arguments in (("--json",), ()):
            done = subprocess.run([BUILD / "eve", "doctor", folder, *arguments],
                                  capture_output=True, text=True, timeout=60)
            if done.returncode != status:
                raise Failure(f"eve doctor: {done.returncode}: {done.stdout}{done.stderr}")
            if arguments and json.loads(done.stdout)["health"] != health:
                raise Failure(f"eve doctor: {done.stdout}")
            missing = [word for word in words if word not in done.stdout]
            if missing:
                raise Failure(f"eve doctor: {missing} not in {done.stdout}")
        if before != {path.name: path.read_bytes() for path in data.iterdir()}:
            raise Failure("eve doctor changed something")

    expect(0, "sound", "golden", "executor-0 4f2d")
    lock = os.open(data, os.O_RDONLY)  # as a node that runs
    fcntl.flock(lock, fcntl.LOCK_EX)
    expect(2, "unknown", "in use by another")
    os.close(lock)
    segment = data / "golden-0000000000000004.log"
    content = bytearray(segment.read_bytes())
    content[4096 + 50] ^= 1
    segment.write_bytes(content)
    expect(1, "damaged", "is damaged at byte 4096")
    shutil.rmtree(data)
    data.mkdir()
    expect(2, "unknown", "is it the right directory?")
    shutil.rmtree(folder)
    doctor_of_dev()


def vouched_for(cluster):
    """By others: who was replaced on the same ports is answered for by the new node itself."""
    file = pathlib.Path(cluster.directory, "backup")
    said = back_up(cluster, file, node="another")
    if said["differ"] or not set(said["agree"]) <= {"executor-0", "executor-1"}:
        raise Failure(f"who vouches for another: {said}")
    said = back_up(cluster, file.with_suffix(".old"), node="executor-2", fails=True)
    if "holds no executor's seat in epoch 1" not in said:
        raise Failure(f"of one that was replaced: {said}")


def dev_members():
    """A member of a `dev` cluster is replaced by one on its own ports; the next `dev` starts that
    one and not the other, with all that was written."""
    with start("crash", extra=("--durability", "sync")) as cluster:
        cluster.cli("SET", "a", "1")
        with open(cluster.cluster_file, "rb") as file:
            ports = next(node for node in tomllib.load(file)["node"]
                         if node["name"] == "executor-2")
        cluster.kill("executor-2")
        del cluster.nodes["executor-2"]
        change = [cluster.program, "member", "replace", "--cluster", cluster.cluster_file, "--node",
                  "executor-2", "--with", "another", "--host", "127.0.0.1", "--port",
                  str(ports["port"]), "--status-port", str(ports["status_port"])]
        done = subprocess.run(change, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failure(f"eve member replace: {done.stdout}{done.stderr}")
        cluster.cli("SET", "b", "2")
        cluster.kill_all_and_start_again()
        if "another" not in cluster.nodes or "executor-2" in cluster.nodes:
            raise Failure(f"dev started {sorted(cluster.nodes)}")
        wait_for("the new member to count", 30, lambda: counts(cluster, "another"))
        if (cluster.cli("GET", "a"), cluster.cli("GET", "b")) != ("1", "2"):
            raise Failure("something acknowledged is not there")
        cluster.cli("SET", "c", "3")
        agree(cluster)
        vouched_for(cluster)


def simulator_replays():
    """One seed run twice gives the same trace hash."""
    hashes = []
    for _ in range(2):
        done = subprocess.run([BUILD / "eve", "sim", "--seed", "7", "--json", "/dev/stdout"],
                              capture_output=True, text=True, timeout=300, check=True)
        report = json.loads(done.stdout[done.stdout.index("{"):done.stdout.rindex("}") + 1])
        hashes.append(report["trace_hash"])
    if hashes[0] != hashes[1]:
        raise Failure(f"seed 7 gave {hashes}")


if __name__ == "__main__":
    try:
        globals()[sys.argv[2]]()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
    print("ok")
