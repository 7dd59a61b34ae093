"""TCP proxies between the nodes of one cluster, in a process of their own: links that break, lag,
crawl, say nothing, and, where links are plain, lose, repeat and reorder whole frames."""

import asyncio
import json
import multiprocessing
import random
import struct

from support.nodes import Nodes, lasting_port

HEADER = struct.Struct("<I")
MAX_FRAME = 80 << 20
# Fewer: a link that keeps nothing for later does not lag behind what is asked of it.
PIECE = 64 << 10


class Rules:
    """What happens to a link, from now on. Frames: only where links are plain TCP."""

    def __init__(self):
        self.silent = False       # accept, and pass nothing on, either way
        self.delay_ms = 0         # one way
        self.jitter_ms = 0
        self.bytes_per_s = 0      # 0: as many as there are
        self.drop = 0.0           # of frames
        self.duplicate = 0.0
        self.reorder = 0.0
        self.version = 0          # of the protocol that the ends say they speak; 0: the true one


class Link:
    """One direction of a proxied pair: who dialed, where to."""

    def __init__(self, names, target, seed, counts):
        self.names = names
        self.target = target
        self.rules = Rules()
        self.random = random.Random(seed)
        self.tasks = set()
        self.counts = counts

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            self.tasks.discard(task)
            return
        pumps = [asyncio.create_task(self.pump(reader, far_writer)),
                 asyncio.create_task(self.pump(far_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # cut
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, far_writer):
                # At once, unsent bytes and all: a broken link is not a polite one.
                end.transport.abort()
            self.tasks.discard(task)

    def cut(self):
        self.counts["cut"] = self.counts.get("cut", 0) + len(self.tasks)
        for task in list(self.tasks):
            task.cancel()

    async def pump(self, reader, writer):
        """Passes on in order: each piece leaves at its time, not before the one ahead of it."""
        queue = asyncio.Queue(maxsize=1024)
        sender = asyncio.create_task(self.send(queue, writer))
        held = []
        loop = asyncio.get_running_loop()
        try:
            if self.plain:  # who speaks: lost for good, so never lost here
                await queue.put((0, self.hello(await self.frame(reader))))
            while True:
                piece = await (self.frame(reader) if self.plain else reader.read(PIECE))
                if not piece:
                    return
                while self.rules.silent:
                    await asyncio.sleep(0.02)
                lag = self.rules.delay_ms + self.random.random() * self.rules.jitter_ms
                due = loop.time() + lag / 1000 if lag else 0
                for out in self.fate(piece, held) if self.plain else (piece,):
                    await queue.put((due, out))
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            sender.cancel()

    plain = False

    async def frame(self, reader):
        head = await reader.readexactly(HEADER.size)
        size, = HEADER.unpack(head)
        if size > MAX_FRAME:
            raise OSError("not a frame")
        return head + await reader.readexactly(size)

    def fate(self, frame, held):
        """The frames that leave in place of this one. One that is held back leaves after the next."""
        rules, chance = self.rules, self.random.random()
        if chance < rules.drop:
            return self.note("dropped", ())
        if chance < rules.drop + rules.duplicate:
            return self.note("duplicated", (frame, frame))
        if chance < rules.drop + rules.duplicate + rules.reorder:
            held.append(frame)
            return self.note("reordered", ())
        late = tuple(held)
        held.clear()
        return (frame, *late)

    def hello(self, frame):
        """length:u32 "EVE" version:u8 ..."""
        version = self.rules.version
        return frame[:7] + bytes([version]) + frame[8:] if version else frame

    def note(self, what, frames):
        self.counts[what] = self.counts.get(what, 0) + 1
        return frames

    async def send(self, queue, writer):
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await queue.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            writer.write(piece)
            await writer.drain()
            if self.rules.bytes_per_s:
                await asyncio.sleep(len(piece) / self.rules.bytes_per_s)


async def control(links, counts, commands):
    """Lines of JSON: {"pairs": [[a, b]...] or null for all, "rules": {...}} or {"cut": ...}."""
    loop = asyncio.get_running_loop()
    while True:
        text = await loop.run_in_executor(None, commands.recv)
        wish = json.loads(text)
        if wish.get("end"):
            return
        for link in links:
            if wish["nodes"] is not None and not set(wish["nodes"]) & set(link.names):
                continue
            if wish.get("cut"):
                link.cut()
            link.rules = Rules()
            link.rules.__dict__.update(wish["rules"])
        commands.send(json.dumps(counts))


async def run(routes, plain, seed, commands):
    links, servers, counts = [], [], {}
    Link.plain = plain
    for number, (names, listen, target) in enumerate(routes):
        link = Link(names, target, seed + number, counts)
        links.append(link)
        servers.append(await asyncio.start_server(link.serve, *listen))
    commands.send("ready")
    await control(links, counts, commands)


def main(routes, plain, seed, commands):
    asyncio.run(run(routes, plain, seed, commands))


class Proxies:
    """routes: [((a, b), (host, port) to listen at, (host, port) to connect to)]."""

    def __init__(self, routes, plain, seed=1):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=main, args=(routes, plain, seed, theirs), daemon=True)
        self.process.start()
        self.pipe.recv()

    def set(self, nodes=None, cut=False, **rules):
        """All links, or those of `nodes`: these rules and no others from now on. Returns how often
        each fault has happened so far."""
        self.pipe.send(json.dumps({"nodes": nodes, "cut": cut, "rules": rules}))
        return json.loads(self.pipe.recv())

    def stop(self):
        self.pipe.send(json.dumps({"end": True}))
        self.process.join(timeout=10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def proxied(program, config, seed=1):
    """A cluster, not started, whose nodes find each other through proxies; and these."""
    routes = []

    def address(nodes, node, peer):
        if "port" not in nodes.get(peer, {}):
            return None
        port = lasting_port()
        routes.append(((node, peer), ("127.0.0.1", port), ("127.0.0.1", nodes[peer]["port"])))
        return "127.0.0.1", port

    cluster = Nodes(program, config=config, threads=2, addresses=address)
    return cluster, Proxies(routes, plain=config == "crash", seed=seed)
