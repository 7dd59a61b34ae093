"""A cluster whose nodes are started one by one, as on separate machines: each reads a cluster.toml
of its own, in which others may stand at other addresses (a proxy's, a namespace's), and may be
another program (one that lies)."""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import tomllib

from support.cluster import Cluster, Failure, wait_for

GIVEN = set()


def lasting_port():
    """A free port that stays so while nobody listens there: the system gives none of these to
    connections. Never the same twice."""
    while True:
        port = random.randrange(12_000, 32_000)
        if port in GIVEN:
            continue
        GIVEN.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def node_sections(text):
    """cluster.toml cut into its head and {name: section}."""
    head, *sections = text.split("[[node]]")
    return head, {re.search(r"name = '([^']+)'", part).group(1): part for part in sections}


def with_address(section, host=None, port=None):
    if host is not None:
        section = re.sub(r"host = '[^']*'", f"host = '{host}'", section)
    if port is not None:
        section = re.sub(r"(?m)^port = \d+", f"port = {port}", section)
    return section


def with_lasting_ports(section):
    return re.sub(r"(?m)^(port|status_port) = \d+", lambda m: f"{m.group(1)} = {lasting_port()}",
                  section)


class Nodes(Cluster):
    """Like Cluster, with the same methods; `nodes` holds {name: {"port", "host", ...}} of all that
    do not lie, `names` those of all."""

    def __init__(self, program, config="bft", threads=1, prefixes=None, hosts=None, addresses=None,
                 liars=None, durability="memory", options=(), layout="split"):
        """prefixes: {node: command words before the program}. hosts: {node: its own host}.
        addresses(nodes, node, peer): (host, port) at which `node` finds `peer`, or None for the true
        one. liars: {node: (program, extra words)}. durability, options: of those that do not lie."""
        self.program = str(program)
        self.config = config
        self.layout = layout
        self.threads = threads
        self.options = ["--durability", durability, *options]
        self.port = lasting_port()
        self.prefixes = prefixes or {}
        self.liars = liars or {}
        self.directory = tempfile.mkdtemp(prefix="eve-test-")
        self.home = os.path.join(self.directory, "nodes")
        self.cluster_file = os.path.join(self.home, "cluster.toml")
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.running = {}
        self.restarted = self.running  # what Cluster.stop ends
        try:
            self._lay_out(hosts or {})
            self._write_views(addresses)
        except BaseException:
            self.log.close()
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _lay_out(self, hosts):
        """Keys, ports and cluster.toml are those of a `dev` cluster that served once."""
        with subprocess.Popen(
                [self.program, "dev", "--config", self.config, "--port", str(self.port),
                 "--threads", "1", "--layout", self.layout, "--dir", self.home], stdout=subprocess.PIPE, stderr=self.log,
                text=True) as dev:
            ready = dev.stdout.readline()
            dev.send_signal(signal.SIGTERM)
            dev.wait(timeout=30)
        if not ready.startswith("ready: "):
            raise Failure(f"the cluster did not start: {self.output()}")
        file = pathlib.Path(self.cluster_file)
        head, sections = node_sections(file.read_text())
        for name in sections:
            sections[name] = with_lasting_ports(with_address(sections[name], hosts.get(name)))
        file.write_text(head + "".join("[[node]]" + part for part in sections.values()))
        self.nodes = {node["name"]: node for node in tomllib.loads(file.read_text())["node"]
                      if "status_port" in node}
        for name in self.nodes:
            shutil.rmtree(os.path.join(self.home, name), ignore_errors=True)
        for mark in pathlib.Path(self.home).glob("*.ran"):
            mark.unlink()
        self.names = list(self.nodes)
        for name in self.liars:  # what it says of itself is worth nothing
            del self.nodes[name]

    def _write_views(self, addresses):
        """The cluster.toml that each node reads: NAME.toml."""
        head, sections = node_sections(pathlib.Path(self.cluster_file).read_text())
        for name in self.names:
            text = head
            for peer, section in sections.items():
                moved = addresses(self.nodes, name, peer) if addresses and peer != name else None
                if moved is not None:
                    section = with_address(section, *moved)
                text += "[[node]]" + section
            pathlib.Path(self.home, f"{name}.toml").write_text(text)

    def status(self):
        return {name: node for name, node in super().status().items() if name in self.nodes}

    def start(self):
        for name in self.names:
            self.restart(name)
        self.wait_open()

    def wait_open(self):
        def gateway_is_open():
            return self.parts("gateway")["gateway"]["open"]

        wait_for("the gateway to be open", 30, gateway_is_open)
        if self.died():
            raise Failure(f"did not start: {self.died()}: {self.output()[-2000:]}")

    def restart(self, name):
        program, extra = self.liars.get(name, (None, ()))
        words = [str(program), *extra] if program else [self.program, "serve", *self.options]
        self.running[name] = subprocess.Popen(
            [*self.prefixes.get(name, ()), *words, "--cluster",
             os.path.join(self.home, f"{name}.toml"), "--dir", self.home, "--node", name,
             "--threads", str(self.threads)], stdout=subprocess.DEVNULL, stderr=self.log)

    def kill(self, name, how=signal.SIGKILL):
        child = self.running[name]
        child.send_signal(how)
        if how == signal.SIGKILL:
            child.wait()
            del self.running[name]

    def died(self):
        """Nodes that ended though nobody had them end."""
        return [name for name, child in self.running.items() if child.poll() is not None]

    def stop(self):
        for child in self.running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate()
        for child in self.running.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.running.clear()
        log = self.output()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return log
