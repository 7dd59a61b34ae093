"""Every node in a network namespace of its own, all on one bridge: partitions as a network makes
them, where what is sent is lost and nobody is told. Linux, root, and `ip` are needed."""

import os
import subprocess

# A link-layer address that nobody has: frames to it are lost on the bridge.
NOBODY = "02:00:00:00:00:01"


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def not_permitted():
    """Why namespaces cannot be made here; None if they can."""
    name = f"evetest{os.getpid()}"
    try:
        ip("netns", "add", name)
        try:
            ip("link", "add", f"evb{os.getpid() % 100000}", "type", "bridge")
            ip("link", "del", f"evb{os.getpid() % 100000}")
        finally:
            ip("netns", "del", name)
    except (OSError, FileNotFoundError) as error:
        return str(error)
    return None


class Network:
    """Members are named by their order; the bridge itself, where this process is, has .254."""

    def __init__(self, members):
        self.number = os.getpid() % 60000
        self.bridge = f"evb{self.number}"
        self.subnet = f"10.{100 + self.number % 100}.{self.number // 100 % 250}"
        self.members = list(members)
        self.made = []
        try:
            ip("link", "add", self.bridge, "type", "bridge")
            ip("addr", "add", f"{self.subnet}.254/24", "dev", self.bridge)
            ip("link", "set", self.bridge, "up")
            for position, member in enumerate(self.members):
                self._add(position, member)
        except BaseException:
            self.remove()
            raise

    def _add(self, position, member):
        space = self.space(member)
        ip("netns", "add", space)
        self.made.append(space)
        outer = f"evo{self.number}x{position}"
        ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("link", "set", outer, "master", self.bridge, "up")
        ip("-n", space, "addr", "add", f"{self.host(member)}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "link", "set", "lo", "up")

    def space(self, member):
        return f"eve{self.number}x{self.members.index(member)}"

    def host(self, member):
        return f"{self.subnet}.{1 + self.members.index(member)}"

    def prefix(self, member):
        """Words that run a command there."""
        return ("ip", "netns", "exec", self.space(member))

    def lose(self, sender, receiver):
        """What `sender` sends to `receiver` is lost from now on."""
        ip("-n", self.space(sender), "neigh", "replace", self.host(receiver), "lladdr", NOBODY,
           "dev", "eth0", "nud", "permanent")

    def part(self, *groups):
        """Members of different groups hear nothing of each other; others hear all."""
        for group in groups:
            for other in groups:
                if group is other:
                    continue
                for sender in group:
                    for receiver in other:
                        self.lose(sender, receiver)

    def heal(self):
        for member in self.members:
            ip("-n", self.space(member), "neigh", "flush", "all", "nud", "permanent")

    def remove(self):
        for space in self.made:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)
