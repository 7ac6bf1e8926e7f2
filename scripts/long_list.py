#!/usr/bin/env python3
"""What other clients notice of one very long list while it is saved, copied, freed and loaded.

    ROX_SERVER=... scripts/long_list.py [--elements N] [--directory PATH]

Fills a list, then lets one client ask for something large while another asks for PONG again and
again. Prints how long the asking command took, how long the work went on behind it, and how long
the other client had to wait at the most: until the reply to the first, and from then on. A third
asks a server that has nothing to do: its longest wait is what the machine, and all that runs on it,
does to the others. No figure is a limit; that the list is still the same is checked, and fails the
run.
"""
import argparse
import multiprocessing
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "test", "wire"))
from _resp import Error, encode  # noqa: E402  (the path comes first)
from _server import Server, roxdb  # noqa: E402

ELEMENTS_PER_PUSH = 1000
PAUSE_S = 0.001


def ask_for_pong(port, stopping, waits):
    """Sends PING after PING and notes each wait: (ended at, seconds), all above a tenth of a
    millisecond."""
    server = Server(start=False)
    server.port = port
    ping = encode(["PING"])
    connection = None
    while connection is None and not stopping.is_set():
        try:
            connection = server.connect()
        except OSError:
            time.sleep(0.001)  # it does not listen yet
    with connection:
        while not stopping.is_set():
            began = time.monotonic()
            connection.send(ping)
            connection.read_raw()
            ended = time.monotonic()
            if ended - began > 0.0001:
                waits.put((ended, ended - began))
            time.sleep(0.0002)
    waits.put(None)


class Asker:
    """A process that runs ask_for_pong(), for as long as the `with` block lasts."""

    def __init__(self, server):
        self.stopping = multiprocessing.Event()
        self.waits = multiprocessing.Queue()
        self.process = multiprocessing.Process(
            target=ask_for_pong, args=(server.port, self.stopping, self.waits))

    def __enter__(self):
        self.process.start()
        time.sleep(0.3)  # its first question is asked
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.seen = list(iter(self.waits.get, None))
        self.process.join()


def show(what, asked, replied, ended, other, idle):
    """Waits that overlap the asking command are told apart from those behind it."""
    begins = replied + PAUSE_S
    during = [wait for end, wait in other.seen if asked <= end and end - wait <= begins]
    behind = [wait for end, wait in other.seen if end - wait > begins]
    at_rest = [wait for end, wait in idle.seen if end - wait > begins]
    print("%-22s %9.1f %9.1f %9.2f %9.2f %7d %9.2f %7d" % (
        what, (replied - asked) * 1000, (ended - asked) * 1000, 1000 * max(during, default=0),
        1000 * max(behind, default=0), sum(wait > PAUSE_S for wait in behind),
        1000 * max(at_rest, default=0), sum(wait > PAUSE_S for wait in at_rest)), flush=True)


def fill(server, elements):
    push = encode(["RPUSH", "list"] + ["element%04d" % number
                                       for number in range(ELEMENTS_PER_PUSH)])
    with server.connect() as connection:
        for _ in range(elements // ELEMENTS_PER_PUSH // 10):
            connection.send(push * 10)
            connection.read_raw_replies(10)


def check(server, elements, name="list"):
    with server.connect() as connection:
        if connection.call("LLEN", name) != elements:
            sys.exit("%s has %s elements" % (name, connection.call("LLEN", name)))
        for at in range(0, elements, max(1, elements // 500)):
            wanted = b"element%04d" % (at % ELEMENTS_PER_PUSH)
            if connection.call("LINDEX", name, at) != wanted:
                sys.exit("%s[%d] is not %s" % (name, at, wanted))


def memory_comes_down(server, bytes_before):
    """Until what is freed elsewhere has been freed."""
    server.wait_until(lambda info: int(info["lazyfree_pending_objects"]) == 0 and
                      int(info["used_memory"]) < bytes_before * 0.75, "memory is freed")


def watched(server, idle_server, what, command, until):
    with Asker(server) as other, Asker(idle_server) as idle, server.connect() as connection:
        asked = time.monotonic()
        reply = connection.call(*command)
        replied = time.monotonic()
        if isinstance(reply, Error):
            sys.exit("%s: %s" % (command, reply.decode()))
        until()
        ended = time.monotonic()
    show(what, asked, replied, ended, other, idle)


def used_bytes(server):
    return int(server.info("memory")["used_memory"])


def freed(server, idle, what, command):
    before = used_bytes(server)
    watched(server, idle, what, command, lambda: memory_comes_down(server, before))


def main():
    parser = argparse.ArgumentParser(description="What others notice of a very long list.")
    parser.add_argument("--elements", type=int, default=100_000_000)
    parser.add_argument("--directory", default=tempfile.gettempdir())
    options = parser.parse_args()
    elements = options.elements // (10 * ELEMENTS_PER_PUSH) * (10 * ELEMENTS_PER_PUSH)
    directory = tempfile.mkdtemp(prefix="rox-long-list-", dir=options.directory)
    with Server(roxdb()) as idle, Server(roxdb(), directory=directory) as server:
        server.owns_directory = True
        fill(server, elements)
        print("%d elements, %.1f bytes each; milliseconds" % (
            elements, used_bytes(server) / elements))
        print("%-22s %9s %9s %9s %9s %7s %9s %7s" % (
            "", "reply", "all of it", "others:", "then", "> 1 ms", "idle:", "> 1 ms"))

        def copy():
            watched(server, idle, "COPY", ["COPY", "list", "copy"], lambda: None)
        watched(server, idle, "nothing", ["PING"], lambda: time.sleep(3))
        watched(server, idle, "BGSAVE", ["BGSAVE"], server.wait_for_background_save)
        copy()
        check(server, elements, "copy")
        freed(server, idle, "UNLINK", ["UNLINK", "copy"])
        copy()
        freed(server, idle, "DEL", ["DEL", "copy"])
        copy()
        freed(server, idle, "expiry", ["PEXPIRE", "copy", 100])
        copy()
        freed(server, idle, "SET over it", ["SET", "copy", "small"])
        watched(server, idle, "appendonly yes", ["CONFIG", "SET", "appendonly", "yes"],
                server.wait_for_background_save)
        watched(server, idle, "BGREWRITEAOF", ["BGREWRITEAOF"], server.wait_for_background_save)
        server.options["appendonly"] = "yes"
        server.stop()
        began = time.monotonic()
        server.launch()
        with Asker(server) as other, Asker(idle) as control:
            server.wait_ready()
            loaded = time.monotonic()
        show("start with that log", began, began, loaded, other, control)
        check(server, elements)
        freed(server, idle, "FLUSHALL ASYNC", ["FLUSHALL", "ASYNC"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
