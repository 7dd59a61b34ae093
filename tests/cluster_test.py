#!/usr/bin/env python3
"""cluster_test.py BUILD_DIR TEST [OPERATIONS]: real processes, real TCP, real Redis clients."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
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


def dev_ends(words, seconds=30):
    """What `eve dev` says that refuses to start."""
    done = subprocess.run([BUILD / "eve", "dev", *words], capture_output=True, text=True,
                          timeout=seconds)
    if done.returncode == 0:
        raise Failure(f"eve dev {' '.join(map(str, words))} has started: {done.stdout}")
    return done.stderr


def dev_serves(*words):
    """`eve dev` starts with these words, and Redis clients reach it where it says."""
    process = subprocess.Popen([BUILD / "eve", "dev", *words], stdout=subprocess.PIPE, text=True)
    try:
        ready = process.stdout.readline()
        found = re.search(r"^ready: kv on 127.0.0.1:(\d+)", ready)
        if not found:
            raise Failure(f"eve dev {' '.join(map(str, words))}: {ready}")
        done = subprocess.run(["redis-cli", "-p", found[1], "GET", "a"], capture_output=True,
                              text=True, timeout=30)
        return int(found[1]), done.stdout.strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        process.stdout.close()


def kept_options():
    """A folder that is kept goes on as it was made; an option that says otherwise is refused by
    name, with both values. So it is with one that `restore --local` made."""
    lasting = ("--durability", "sync")
    with start("crash", extra=lasting) as cluster:
        home = pathlib.Path(cluster.cluster_file).parent
        cluster.cli("SET", "a", "1")
        file = home.parent / "backup"
        subprocess.run([cluster.program, "backup", file, "--cluster", cluster.cluster_file,
                        "--node", "executor-0"], check=True, timeout=60, capture_output=True)
        other, third = home.parent / "other", home.parent / "third"
        port = cluster.port
        cluster.process.send_signal(signal.SIGTERM)
        cluster.process.wait(timeout=30)
        for words, said in ((("--port", "17000"), f"with --port {port}, not 17000"),
                            (("--config", "bft"), "with --config crash, not bft"),
                            (("--layout", "joint"), "with --layout split, not joint"),
                            (("--u", "2"), "with --u 1, not 2"),
                            (("--silence-ms", "5000"), "with --silence-ms 1000, not 5000")):
            if said not in (text := dev_ends(("--dir", home, *lasting, *words))):
                raise Failure(f"{words}: {text}")
        if (found := dev_serves("--dir", home, *lasting)) != (port, "1"):
            raise Failure(f"eve dev went on at {found}, not {port}")
        # As docs/operations.md has it.
        subprocess.run([cluster.program, "restore", file, "--dir", other, "--local",
                        "--service-port", str(port)], check=True, timeout=60, capture_output=True)
        if (found := dev_serves("--dir", other, *lasting)) != (port, "1"):
            raise Failure(f"the restored cluster: {found}")
        subprocess.run([cluster.program, "restore", file, "--dir", third, "--local"], check=True,
                       timeout=60, capture_output=True)
        text = dev_ends(("--dir", third, *lasting, "--port", "6379"))
        if "with --port 0, not 6379" not in text:
            raise Failure(text)
        pair = home.parent / "pair"
        made = ("--dir", pair, *lasting, "--config", "primary-backup")
        dev_serves(*made, "--port", str(port))
        text = dev_ends((*made, "--arbiter", "etcd", "--endpoint", "http://127.0.0.1:2379",
                         "--silence-ms", "5000"))
        if "with --arbiter none, not etcd" not in text:
            raise Failure(text)


def lying_status():
    """Whatever one node answers at its status port, and however slowly: the tools that ask it end,
    in order, and in time. `wait` believes no node that is alone."""
    home = pathlib.Path(tempfile.mkdtemp())
    program = str(BUILD / "eve")
    subprocess.run([program, "init", "--dir", home, "--config", "crash", "--host", "127.0.0.1",
                    "--host", "127.0.0.1", "--host", "127.0.0.1"], check=True, timeout=30,
                   capture_output=True)
    fakes = [FakeStatus() for _ in range(3)]
    toml = home / "cluster.toml"
    ports = iter(fakes)
    toml.write_text(re.sub(r"status_port = 72\d\d", lambda _: f"status_port = {next(ports).port}",
                           toml.read_text()))

    def eve(*words, seconds=30):
        begin = time.monotonic()
        done = subprocess.run([program, *words, "--cluster", toml],
                              capture_output=True, text=True, timeout=60)
        took = time.monotonic() - begin
        if done.returncode not in (0, 1) or "\x1b" in done.stdout + done.stderr:
            raise Failure(f"eve {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
        if took > seconds:
            raise Failure(f"eve {' '.join(words)} took {took:.1f} s")
        return done

    healthy = {"executor": {"committed": 70, "silent": False, "fetching": False},
               "verifier": {"committed": 70, "phase": "normal"}}
    shapes = [{"executor": 7}, {"verifier": {"waiting_for": 5}}, {"links": [3]},
              {"executor": {"committed": "x"}}, {"executor": [[]]}, {"executor": {"view": {}}},
              {"verifier": {"phase": None, "suspecting": [3]}}, {"config": 3, "verifier": {"view": 1}},
              {"refused": 5}, {"refused": {"by_sender": {"a": 1}}}, {"members": 7},
              {"executor": {"waiting_for": "\x1b[2J"}}, {"pair": 3}, {"gateway": "open"},
              {"error": 5, "replaced": 3}, {"members": {"epoch": 1, "executors": [1]}}]
    texts = [json.dumps({"name": "node-0", **shape}) for shape in shapes]
    texts += ["[]", "7", "null", "", "{", '{"name":5}', '{"executor":7}', '{"name":"node-1"}',
              '{"name":"node-0","executor":{"x":' + "[" * 500_000 + "]" * 500_000 + "}}"]
    for name, fake in zip(("node-1", "node-2"), fakes[1:]):
        fake.text = json.dumps({"name": name, **healthy})
    for text in texts:
        fakes[0].text = text
        for words in (("status",), ("status", "--json"), ("member", "list"),
                      ("wait", "--node", "node-1", "--timeout", "1")):
            eve(*words)
    for fake in fakes:
        fake.text = json.dumps({"name": f"node-{fakes.index(fake)}", **healthy})
    wait = ("wait", "--node", "node-0", "--timeout", "2")
    if (done := eve(*wait)).returncode != 0:
        raise Failure(f"three nodes that are level: {done.stderr}")
    fakes[1].drips = True
    eve("status", seconds=10)
    if (done := eve(*wait, seconds=10)).returncode != 0:
        raise Failure(f"one that drips keeps another from counting: {done.stderr}")
    fakes[2].text = "[]"
    done = eve(*wait, seconds=10)
    if done.returncode != 1 or "are needed for a quorum with it" not in done.stderr:
        raise Failure(f"a node that is alone: {done.returncode}: {done.stderr}")
    fakes[0].drips = True
    if (done := eve(*wait, seconds=10)).returncode != 1 or "timed out" not in done.stderr:
        raise Failure(f"one that drips: {done.returncode}: {done.stderr}")
    shutil.rmtree(home)


class FakeStatus:
    """Answers GET at a port of its own with `text`; with `drips` a byte at a time, without end."""

    def __init__(self):
        self.text = ""
        self.drips = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        with peer:
            try:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while self.drips:
                    peer.sendall(b"x")
                    time.sleep(0.2)
                peer.sendall(self.text.encode())
            except OSError:
                pass  # it has heard enough


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
