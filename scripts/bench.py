#!/usr/bin/env python3
"""Measures RoxDB, beside redis-server when that is installed, and prints a table.

    scripts/bench.py [--quick] [--only GROUP,...] [--peer PROGRAM] [--markdown]

Both run on this machine in this run, with the same load. The server has one core and the generator
(tools/loadgen.cc, or redis-benchmark) another; only saving and loading may use all. The figure to
trust on a shared machine is the server's own time per operation, user and system, as the scheduler
counts it; throughput and latencies stand beside it. The best of the rounds counts.

`make bench` builds what it needs; ARGS="--quick" takes about two minutes, all of it half an hour.
"""
import argparse
import os
import platform
import select
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench"))
import encrypted  # noqa: E402  (the path comes first)
import groups  # noqa: E402
import subject  # noqa: E402
from _resp import Error, encode  # noqa: E402  (subject has added its path)


class Full:
    keys = [10 ** 6, 10 ** 7]
    rounds = 3
    seconds = 3
    benchmark_requests = 500_000
    memory_keys = 5 * 10 ** 6
    type_requests = 10 ** 6
    type_elements = 10 ** 6  # of one big container
    type_keys = 500_000  # with ten elements each
    messages = 100_000
    snapshot_keys = 10 ** 7
    log_keys = 3 * 10 ** 6
    growth_keys = (8 * 10 ** 6, 20 * 10 ** 6)
    expiring_keys = 10 ** 6
    expiry_seconds = 6
    connections = 10000
    idle_seconds = 5
    starts = 10


class Quick(Full):
    keys = [10 ** 6]
    rounds = 1
    seconds = 0.8
    benchmark_requests = 100_000
    memory_keys = 10 ** 6
    type_requests = 200_000
    type_elements = 100_000
    type_keys = 50_000
    messages = 20_000
    snapshot_keys = 10 ** 6
    log_keys = 10 ** 6
    growth_keys = (10 ** 6, 3 * 10 ** 6)
    expiring_keys = 300_000
    expiry_seconds = 3
    connections = 2000
    idle_seconds = 3
    starts = 4


def word(number):
    """20 bytes, as redis-benchmark writes element:__rand_int__."""
    return b"element:%012d" % number


def integer(number):
    """Another one below ten million for each number below ten million, in no order."""
    return number * 7919 % 10 ** 7


KINDS = {  # name: (command that adds, words of one element, elements added by one command)
    "list": ("RPUSH", lambda number: [word(number)], 10),
    "set": ("SADD", lambda number: [word(number)], 10),
    "integer set": ("SADD", lambda number: [integer(number)], 10),
    "hash": ("HSET", lambda number: [word(number), b"value:%012d" % number], 10),
    "zset": ("ZADD", lambda number: [integer(number), word(number)], 10),
    "stream": ("XADD", lambda number: ["*", "sensor", integer(number), "value", word(number)], 1),
}
# What is pushed is popped again, and otherwise only the stream grows: SADD finds its member, HSET
# replaces a value, ZADD moves a member.
TYPE_COMMANDS = [  # name, the container of type_elements it meets, words
    ("LPUSH", None, "LPUSH list element:__rand_int__"),
    ("RPOP", None, "RPOP list"),
    ("SADD", "set", "SADD set element:__rand_int__"),
    ("HSET", "hash", "HSET hash element:__rand_int__ value:__rand_int__"),
    ("ZADD", "zset", "ZADD zset __rand_int__ element:__rand_int__"),
    ("ZRANGE of 10", "zset", "ZRANGE zset 0 9"),
    ("XADD", None, "XADD stream * sensor __rand_int__ value element:__rand_int__"),
]


def add_elements(server, kind, count, key):
    """Adds `count` different elements of a kind; the one with number n goes to key(n)."""
    command, words, step = KINDS[kind]

    def batch(start):
        return [command, key(start)] + sum(map(words, range(start, start + step)), [])
    with server.connect() as connection:
        for start in range(0, count, 1000):  # so few at once that the server's buffers stay small
            end = min(start + 1000, count)
            for reply in connection.pipeline([batch(at) for at in range(start, end, step)]):
                if isinstance(reply, Error):
                    raise RuntimeError("%s: %s" % (command, reply.decode()))


def benchmark(target, words, pipeline, size, requests=None):
    """One run of redis-benchmark: (server's us per operation, operations per second)."""
    requests = requests or size.type_requests
    before = target.cpu_seconds()
    done = subprocess.run(
        subject.pin(subject.LOAD_CORE) +
        ["redis-benchmark", "-p", str(target.server.port), "--csv", "-n", str(requests),
         "-r", str(size.type_elements), "-P", str(pipeline)] +
        (words.split() if isinstance(words, str) else words),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    cpu_us = (target.cpu_seconds() - before) * 1e6 / requests
    # The last line is "words","operations per second","latency",...
    return cpu_us, float(done.stdout.decode().splitlines()[-1].split('","')[1])


def transactions(target, pipeline, count):
    """MULTI of 10 SETs, so many times, by 50 clients: what one costs, and how many in a second."""
    commands = [["MULTI"]] + [["SET", "key:%d" % i, "v" * 64] for i in range(10)] + [["EXEC"]]
    request = b"".join(map(encode, commands)) * pipeline
    with ExitStack() as stack:
        clients = [stack.enter_context(target.server.connect()) for _ in range(50)]
        clients[0].send(request)
        reply_bytes = sum(map(len, clients[0].read_raw_replies(len(commands) * pipeline)))
        poll = stack.enter_context(select.epoll())
        waits = {}  # the socket and the bytes that it still has to bring, by descriptor
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {subject.LOAD_CORE})
        before, began = target.cpu_seconds(), time.monotonic()
        for client in clients:
            poll.register(client.socket, select.EPOLLIN)
            waits[client.socket.fileno()] = [client.socket, reply_bytes]
            client.send(request)
        done = 0
        while done < count:
            for descriptor, _ in poll.poll():
                wait = waits[descriptor]
                wait[1] -= len(wait[0].recv(wait[1]))
                if wait[1] == 0:
                    wait[1] = reply_bytes
                    wait[0].sendall(request)
                    done += pipeline
        seconds = time.monotonic() - began
        cpu_us = (target.cpu_seconds() - before) * 1e6 / done
        os.sched_setaffinity(0, everywhere)
    return cpu_us, done / seconds


class Audience:
    """Subscribers that take what they are told and look at none of it."""

    def __init__(self, target, count, channel):
        self.clients = [target.server.connect() for _ in range(count)]
        self.poll = select.epoll()
        self.sockets = {}
        for client in self.clients:
            client.call("SUBSCRIBE", channel)
            client.socket.setblocking(False)
            self.sockets[client.socket.fileno()] = client.socket
            self.poll.register(client.socket, select.EPOLLIN)
        self.bytes = 0
        self.leaving = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        os.sched_setaffinity(0, {subject.LOAD_CORE})
        space = bytearray(1 << 18)
        while not self.leaving:
            for descriptor, _ in self.poll.poll(0.1):
                self.bytes += self.sockets[descriptor].recv_into(space)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leaving = True
        self.thread.join()
        for client in self.clients:
            client.close()


def pubsub(programs, size):
    """Messages to many. The audience shares the core of who speaks."""
    if shutil.which("redis-benchmark") is None:
        return
    stack, targets = groups.beside(programs)
    with stack:
        for listeners, message_bytes in ((0, 64), (100, 64), (100, 4096)):
            words = "PUBLISH channel " + "m" * message_bytes
            with ExitStack() as hall:
                for target in targets:
                    hall.enter_context(Audience(target, listeners, "channel"))
                for pipeline in (1, 16):
                    rounds = [[benchmark(target, words, pipeline, size, size.messages)
                               for target in targets] for _ in range(size.rounds)]
                    best = [min(results) for results in zip(*rounds)]
                    yield ("PUBLISH P=%d, %d bytes to %d" % (pipeline, message_bytes, listeners),
                           "server us/op", [cpu_us for cpu_us, _ in best])
                    yield "", "op/s", [rate for _, rate in best]


def units(programs, size):
    """What runs as one: a cached script that reads a key, transactions of 10 SETs."""
    if shutil.which("redis-benchmark") is None:
        return
    script = ["EVAL", "return redis.call('GET', KEYS[1])", "1", "key:1"]
    stack, targets = groups.beside(programs)
    with stack:
        for target in targets:
            target.server.call("SET", "key:1", "v" * 64)
        for title, run in (
                [("EVAL of a GET P=%d" % pipeline,
                  lambda target, pipeline=pipeline: benchmark(target, script, pipeline, size))
                 for pipeline in (1, 16)] +
                [("MULTI of 10 SET P=4",
                  lambda target: transactions(target, 4, size.type_requests // 10))]):
            rounds = [[run(target) for target in targets] for _ in range(size.rounds)]
            best = [min(results) for results in zip(*rounds)]
            yield title, "server us/op", [cpu_us for cpu_us, _ in best]
            yield "", "op/s", [rate for _, rate in best]


def tracking(programs, size):
    """What clients pay for another one's CLIENT TRACKING, and for keyspace notifications."""
    keys = 100_000
    stack, targets = groups.beside(programs)
    with stack:
        for target in targets:
            target.fill(keys, "--value-bytes", 64)
        others = [stack.enter_context(target.server.connect(3)) for target in targets]
        for title, command in (("nobody tracks", ["PING"]),
                               ("another tracks", ["CLIENT", "TRACKING", "ON"]),
                               ("and events", ["CONFIG", "SET", "notify-keyspace-events", "KEA"])):
            for other in others:
                other.call(*command)
            yield from groups.compare(
                targets, [("%s P=16, %s" % (name.upper(), title), [name, "--pipeline", 16])
                          for name in ("get", "set")], keys, size)


def types(programs, size):
    """Commands of each value type. Where redis-benchmark is the slower one, op/s are its own."""
    if shutil.which("redis-benchmark") is None:
        return
    elements = groups.thousands(size.type_elements)
    stack, targets = groups.beside(programs)
    with stack:
        for target in targets:
            for kind in ("set", "hash", "zset"):
                add_elements(target.server, kind, size.type_elements, lambda _: kind)
        for name, container, words in TYPE_COMMANDS:
            for pipeline in (16, 64):
                rounds = [[benchmark(target, words, pipeline, size) for target in targets]
                          for _ in range(size.rounds)]
                best = [min(results) for results in zip(*rounds)]
                title = "%s P=%d" % (name, pipeline)
                title += ", %s of %s" % (container, elements) if container else ""
                yield title, "server us/op", [cpu_us for cpu_us, _ in best]
                yield "", "op/s", [rate for _, rate in best]


def type_memory(programs, size):
    """Bytes of a container of ten elements, with its key of 16, and of an entry of a big one."""
    def rows(title, kind, count, key, divisor, unit):
        def measure(target):
            before = target.used_memory(), target.rss_bytes()
            add_elements(target.server, kind, count, key)
            after = target.used_memory(), target.rss_bytes()
            return [(late - early) / divisor for early, late in zip(before, after)]
        used, rss = zip(*groups.alone(programs, measure))
        yield title, "used bytes/" + unit, used
        yield "", "RSS bytes/" + unit, rss

    keys, elements = size.type_keys, size.type_elements
    for kind in KINDS:
        if kind != "stream":
            yield from rows("%s of 10, %s keys" % (kind, groups.thousands(keys)), kind, 10 * keys,
                            lambda number: b"key:%012d" % (number // 10), keys, "key")
    for kind in KINDS:
        yield from rows("%s of %s" % (kind, groups.thousands(elements)), kind, elements,
                        lambda _: kind, elements, "entry")


GROUPS = dict(groups.ALL, **{"types": types, "pubsub": pubsub, "tracking": tracking, "units": units,
                             "type-memory": type_memory, "tls": encrypted.tls})


def number(value):
    if value >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value


class Table:
    def __init__(self, names, markdown):
        self.names = names
        self.markdown = markdown
        self.title = ""

    def head(self, group):
        titles = [group, "unit"] + self.names + (["ratio"] if len(self.names) > 1 else [])
        if self.markdown:
            print("\n| %s |\n|%s" % (" | ".join(titles), "---|" * len(titles)))
        else:
            print("\n" + self.line(titles))

    def row(self, title, unit, values):
        self.title = title or self.title
        cells = [title if not self.markdown else self.title, unit]
        cells += [number(value) for value in values]
        if len(values) > 1:
            cells.append("%.2f" % (values[0] / values[1]) if values[1] else "-")
        print("| %s |" % " | ".join(cells) if self.markdown else self.line(cells), flush=True)

    @staticmethod
    def line(cells):
        return "%-38s %-17s" % tuple(cells[:2]) + "".join(
            "%22s" % cell if index < 2 else "%8s" % cell for index, cell in enumerate(cells[2:]))


def machine():
    name = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return "%s, %d cores, Linux %s" % (name, len(subject.CORES), platform.release())


def main():
    parser = argparse.ArgumentParser(description="Measures RoxDB beside redis-server.")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of half an hour")
    parser.add_argument("--only", default="", help="groups: " + ", ".join(GROUPS))
    parser.add_argument("--peer", help="another server than redis-server; its file name is shown")
    parser.add_argument("--markdown", action="store_true", help="rows for a README")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name] or list(GROUPS)
    if set(chosen) - set(GROUPS):
        parser.error("no such group: " + ", ".join(sorted(set(chosen) - set(GROUPS))))

    programs = subject.programs(options.peer)
    print(machine())
    if len(programs) == 1:
        print("redis-server is not installed: nothing to compare with")
    table = Table(list(programs), options.markdown)
    started = time.monotonic()
    for name in chosen:
        table.head(name)
        for title, unit, values in GROUPS[name](programs, Quick if options.quick else Full):
            table.row(title, unit, values)
    print("\n%.0f s; ratio: RoxDB / the other" % (time.monotonic() - started))


if __name__ == "__main__":
    sys.exit(main())
