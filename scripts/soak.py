#!/usr/bin/env python3
"""The long tests: what goes wrong only after a while, or only once in some hundred times.

    scripts/soak.py [--minutes N] [NAME...]

Half of the time a server is under a mixed load that nobody stops: readers and writers, short
lives, big values, clients that come and go, clients that do not read, snapshots and rewrites of the
log. Its memory and descriptors must not grow, and what is read must be what was written. Another
quarter it is killed under the same load, again and again (reliability section 10). The rest goes to
the kill loop and the differential test of test/wire with other seeds. `make soak` builds first.
"""
import argparse
import os
import random
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WIRE = os.path.join(HERE, "..", "test", "wire")
sys.path.insert(0, WIRE)
from _checks import expect, expect_that, run, test  # noqa: E402  (the path comes first)
from _resp import Error  # noqa: E402
from _server import Server  # noqa: E402
from _writers import Crowd  # noqa: E402

SEED = int(os.environ.get("ROX_SEED", str(int(time.time()))))
LOG = {"appendonly": "yes", "appendfsync": "everysec", "save": ["3600", "1"]}
RSS_GROWTH_MAX = 1.10
RSS_NOISE_BYTES = 32 << 20  # a big value, or a page that a child made us copy
KEYS = 300_000
# Each load has a database of its own; the generator uses the first.
CROWD_DB, SHORT_DB, BIG_DB = 1, 3, 4


class Mixed:
    """Threads that use the server in all ways at once, and survive that it is killed."""

    def __init__(self, server, chance):
        self.server = server
        self.chance = chance
        self.stopping = False
        self.mistakes = []
        self.counts = {}
        self.threads = [threading.Thread(target=self.again_and_again, args=(work,), daemon=True)
                        for work in (self.generate, self.short_lives, self.big_values,
                                     self.come_and_go, self.never_read)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        expect(self.mistakes, [], "mistakes under mixed load")

    def again_and_again(self, work):
        chance = random.Random(self.chance.getrandbits(64))
        while not self.stopping:
            try:
                work(chance)
                self.counts[work.__name__] = self.counts.get(work.__name__, 0) + 1
            except OSError:
                time.sleep(0.05)  # killed; it comes again

    def generate(self, chance):
        generate(self.server, "--seconds", "2", "--command", *chance.choice([
            ["set", "--pipeline", "16"], ["get", "--pipeline", "16"], ["get"], ["set"],
            ["mget", "--pipeline", "4"], ["mset", "--pipeline", "2"],
            ["setex", "--expiry", "100"]]))

    def short_lives(self, chance):
        """Values say which key they belong to and when they end; none is seen after that."""
        with self.server.connect() as connection:
            expect(connection.call("SELECT", SHORT_DB), b"OK")
            names = [b"short:%d" % chance.randrange(200_000) for _ in range(500)]
            commands = []
            for name in names:
                end_ms = int(time.time() * 1000) + chance.randrange(1, 3000)
                commands.append(["SET", name, b"%b %d" % (name, end_ms), "PXAT", end_ms])
            if isinstance(connection.pipeline(commands)[-1], Error):
                return  # it is loading, or was then
            asked_ms = time.time() * 1000
            for name, value in zip(names, connection.pipeline([["GET", name] for name in names])):
                if value is None:
                    continue
                owner, end_ms = value.split(b" ")
                if owner != name or int(end_ms) < asked_ms - 20:
                    self.mistakes.append("GET %s at %d ms answers %s" % (name, asked_ms, value))

    def big_values(self, chance):
        with self.server.connect() as connection:
            connection.call("SELECT", BIG_DB)
            name = "big:%d" % chance.randrange(4)
            value = bytearray(chance.randbytes(1000) * chance.randrange(1, 4000))
            if connection.call("SET", name, bytes(value)) != b"OK":
                return  # it is loading
            offset, piece = chance.randrange(len(value)), chance.randbytes(50_000)
            connection.call("SETRANGE", name, offset, piece)
            value[offset:offset + len(piece)] = piece
            connection.call("APPEND", name, piece)
            answer = connection.call("GET", name)
            if answer != bytes(value + piece):
                self.mistakes.append("%s is not what was put together" % name)
            connection.call(chance.choice(["UNLINK", "DEL"]), name)

    def come_and_go(self, chance):
        connections = [self.server.connect() for _ in range(50)]
        for connection in connections:
            connection.send(chance.choice([b"PING\r\n", b"*2\r\n$3\r\nGET", b"", b"\xff\r\n"]))
        for connection in connections:
            connection.close()

    def never_read(self, chance):
        with self.server.connect() as connection:
            connection.call("SELECT", BIG_DB)
            connection.call("SET", "unread", b"x" * 200_000)
            connection.send_commands([["GET", "unread"]] * chance.randrange(10, 200))
            time.sleep(0.2)


def generate(server, *words):
    """Runs the load generator; it complains when the server is killed, and that is all right."""
    generator = os.path.join(os.environ.get("ROX_TOOLS", "build/release/tools"), "loadgen")
    subprocess.run([generator, "--port", str(server.port), "--keys", str(KEYS), *words],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


def rss_bytes(server):
    with open("/proc/%d/statm" % server.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def save_now_and_then(server, number):
    with server.connect() as connection:
        reply = connection.call(*(["BGSAVE", "SCHEDULE"] if number % 2 else ["BGREWRITEAOF"]))
        if isinstance(reply, Error) and b"in progress" not in reply:
            raise AssertionError(reply)


@test
def nothing_grows_under_mixed_load():
    with Server(options=LOG) as server:
        generate(server, "--command", "set", "--sequential", "--requests", str(KEYS))
        mixed = Mixed(server, random.Random("%d-mixed" % SEED))
        end = time.monotonic() + minutes * 30
        quarters = [[], [], [], []]  # RSS in each, the first is for warming up
        number = 0
        while time.monotonic() < end:
            time.sleep(5)
            number += 1
            expect_that(server.is_running(), "the server ended:\n" + server.log())
            if number % 3 == 0:
                save_now_and_then(server, number // 3)
            left = (end - time.monotonic()) / (minutes * 30)
            quarters[min(3, int(4 * (1 - left)))].append(rss_bytes(server))
            info = server.info()
            print("  %4d s: RSS %d MB, used %s, %d descriptors, %s keys expired" % (
                number * 5, rss_bytes(server) >> 20, info["used_memory_human"],
                descriptors(server), info["expired_keys"]), flush=True)
        mixed.stop()
        print("  turns: %s" % mixed.counts)
        server.wait_for_background_save()
        time.sleep(1)
        expect_that(descriptors(server) < 40, "%d descriptors with nobody there" %
                    descriptors(server))
        early, late = (sum(quarters[index]) / len(quarters[index]) for index in (1, 3))
        expect_that(late <= early * RSS_GROWTH_MAX + RSS_NOISE_BYTES, "RSS was %d MB in the second quarter, %d in "
                    "the last" % (early / 2 ** 20, late / 2 ** 20))
        expect(server.stop(), 0, "exit code")


@test
def nothing_is_lost_when_killed_under_mixed_load():
    chance = random.Random("%d-killed" % SEED)
    with Server(options=LOG) as server:
        crowd = Crowd(chance, [1, 8, 64], CROWD_DB)
        mixed = Mixed(server, chance)
        end = time.monotonic() + minutes * 15
        number = 0
        while time.monotonic() < end:
            number += 1
            crowd.start(server)
            for _ in range(3):
                time.sleep(chance.random() * 2)
                save_now_and_then(server, chance.randrange(2))
            time.sleep(chance.random())
            expect_that(server.is_running(), "the server ended:\n" + server.log())
            killed_at = time.monotonic()
            server.kill()
            crowd.join()
            expect(crowd.errors(), [], "errors while writing")
            server.start()
            crowd.check_killed(server, killed_at, may_wait=True)
        mixed.stop()
        print("  killed %d times; turns: %s" % (number, mixed.counts))


def run_script(name, **environment):
    done = subprocess.run(
        [sys.executable, "-u", os.path.join(WIRE, name)],
        env=dict(os.environ, **{key: str(value) for key, value in environment.items()}))
    expect(done.returncode, 0, "exit code of " + name)


@test
def the_kill_loop_holds_for_many_rounds():
    run_script("kill_loop.py", ROX_SEED=SEED, ROX_KILL_ROUNDS=int(minutes * 15))


@test
def other_seeds_answer_alike():
    end = time.monotonic() + minutes * 6
    seed = SEED
    while time.monotonic() < end:
        run_script("differential.py", ROX_SEED=seed, ROX_SCALE=2)
        seed += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The long tests.")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("names", nargs="*", help="only tests whose names contain one of these")
    options = parser.parse_args()
    minutes = options.minutes
    sys.argv[1:] = options.names
    print("seed %d" % SEED)
    sys.exit(run())
