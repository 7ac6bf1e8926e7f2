#!/usr/bin/env python3
"""kill -9, again and again, under clients that know what was acknowledged to them.

Per way of saving: start, let the writers of _writers.py write, kill at a random moment, perhaps
while a child saves, rewrites the log, or while the next start is recovering. Start again, and
what is there must be a prefix of what was executed, with nothing missing that was acknowledged
(reliability section 1; the page cache outlives a killed process, so `no` loses nothing either, and
`everysec` at most what was waiting for a sync). The data is carried on from round to round.

    ROX_KILL_ROUNDS=n    rounds in all, 30 when absent
    ROX_SEED=n           other moments; what was used is printed
"""
import os
import random
import sys
import threading
import time

from _checks import expect, expect_that, run, test
from _resp import Error
from _server import Server, is_redis, roxdb
from _writers import Crowd

ROUNDS = int(os.environ.get("ROX_KILL_ROUNDS", "30"))
SEED = int(os.environ.get("ROX_SEED", "1"))
FILLERS = 60000

# Replies of the log that waits for the disk may be waited for one by one or in long pipelines.
DEPTHS = [1, 4, 32, 100]
SECONDS_MAX = 0.5


def rounds(of_30):
    return max(1, ROUNDS * of_30 // 30)


class Loop:
    def __init__(self, name, options):
        self.name = name
        self.chance = random.Random("%d-%s" % (SEED, name))
        self.server = Server(options=dict({"save": ""}, **options))
        self.crowd = Crowd(self.chance, DEPTHS)
        with self.server.connect() as connection:
            self.crowd.fill(connection, FILLERS)
            expect(connection.call("SAVE"), b"OK")
        self.start_seconds = 0.3
        print("  %s: seed %d" % (name, SEED))

    def sleep(self, seconds_max):
        time.sleep(self.chance.random() * seconds_max)

    def kill(self):
        """Returns the time of the kill."""
        expect_that(self.server.is_running(), "the server ended by itself:\n" + self.server.log())
        killed_at = time.monotonic()
        self.server.kill()
        self.crowd.join()
        expect(self.crowd.errors(), [], "errors while writing")
        return killed_at

    def restart(self, interruptions=0):
        """Starts again; interrupts the recovery itself so many times."""
        for _ in range(interruptions):
            self.server.launch()
            self.sleep(self.start_seconds)
            self.server.kill()
        started = time.monotonic()
        self.server.start()
        self.start_seconds = time.monotonic() - started
        self.check_files()

    def check_files(self):
        """What an interrupted save has left behind is cleared away at the start (F8)."""
        if is_redis(roxdb()):
            return
        left = [name for _, _, names in os.walk(self.server.directory) for name in names
                if ".tmp." in name]
        expect(left, [], "temporary files after a start")

    def finish(self):
        """An orderly end keeps everything."""
        self.crowd.start(self.server)
        self.sleep(SECONDS_MAX)
        self.crowd.stop()
        sent = self.crowd.sent()
        with self.server.connect() as connection:
            connection.send_commands([["SHUTDOWN", "SAVE"]])
            connection.read_until_closed()
        expect(self.server.wait(), 0, "exit code of SHUTDOWN")
        self.restart()
        self.crowd.check(self.server, sent, sent)
        self.server.close()


def loop_with_log(policy, count):
    loop = Loop(policy, {"appendonly": "yes", "appendfsync": policy,
                         "auto-aof-rewrite-percentage": "0"})
    for number in range(count):
        kind = ("write", "rewrite", "recovery", "save", "rewritten")[number % 5]
        loop.crowd.start(loop.server)
        loop.sleep(SECONDS_MAX)
        with loop.server.connect() as connection:
            if kind in ("rewrite", "rewritten"):
                connection.call("BGREWRITEAOF")
            if kind == "save":
                connection.call("BGSAVE")
        if kind == "rewritten":
            loop.server.wait_for_background_save()
        loop.sleep(loop.start_seconds if kind in ("rewrite", "save") else 0.05)
        killed_at = loop.kill()
        acked, sent = loop.crowd.acked(), loop.crowd.sent()
        loop.restart(interruptions=2 if kind == "recovery" else 0)
        waited = loop.crowd.check_killed(loop.server, killed_at, may_wait=policy == "everysec")
        print("  round %d, %s: units acknowledged %s, sent %s, found %s%s" % (
            number, kind, acked, sent, loop.crowd.sent(),
            ": some waited for a sync" if waited else ""))
    loop.finish()


@test
def always_loses_nothing_acknowledged():
    loop_with_log("always", rounds(10))


@test
def everysec_loses_at_most_what_waits_for_a_sync():
    loop_with_log("everysec", rounds(10))


@test
def without_syncs_nothing_acknowledged_is_lost_to_kill_9():
    loop_with_log("no", rounds(5))


@test
def without_a_log_the_last_finished_snapshot_is_the_state():
    loop = Loop("snapshots", {"appendonly": "no"})
    low = high = loop.crowd.acked()
    for number in range(rounds(5)):
        loop.crowd.start(loop.server)
        for _ in range(2):
            loop.sleep(SECONDS_MAX)
            before = loop.crowd.acked()
            with loop.server.connect() as connection:
                expect(connection.call("BGSAVE"), b"Background saving started")
            high = loop.crowd.sent()
            if loop.chance.random() < 0.5:
                loop.server.wait_for_background_save()
                low = before
            else:
                loop.sleep(loop.start_seconds)
                break
        loop.kill()
        loop.restart(interruptions=number % 2)
        loop.crowd.check(loop.server, low, high)
        low = high = loop.crowd.acked()
        print("  round %d: found %s" % (number, low))
    loop.finish()


@test
def flushed_keys_do_not_come_back_from_an_old_snapshot():
    """With save points FLUSHALL saves before it is answered; a child that saves is too late."""
    commands = ([["FLUSHALL"]], [["MULTI"], ["SET", "key", "1"], ["FLUSHALL"], ["EXEC"]],
                [["FLUSHALL", "ASYNC"], ["FLUSHALL", "SYNC"]])
    with Server(options={"save": ["3600", "1"]}) as server:
        for flush in commands:
            for i in range(1000):
                server.call("SET", "key:%d" % i, "value")
            expect(server.call("SAVE"), b"OK")
            saved_at = server.call("LASTSAVE")
            time.sleep(1.1)
            expect(server.call("BGSAVE"), b"Background saving started")
            with server.connect() as connection:
                connection.pipeline(flush)
            expect_that(server.call("LASTSAVE") > saved_at, "LASTSAVE stands still")
            server.kill()
            server.start()
            expect(server.call("DBSIZE"), 0, flush)


IN_BOTH = "redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[2])"


def count_twice(server, number, acked, chance):
    """Counts in two keys at once, by a transaction or a script, until the server is gone."""
    keys = ["one:%d" % number, "two:%d" % number]
    try:
        with server.connect() as connection:
            while True:
                if chance.random() < 0.5:
                    replies = connection.pipeline([["MULTI"], ["INCR", keys[0]], ["INCR", keys[1]],
                                                   ["EXEC"]])[-1]
                else:
                    replies = connection.call("EVAL", IN_BOTH, 2, *keys)
                if not isinstance(replies, Error):
                    acked[number] += 1
    except OSError:
        pass


@test
def transactions_and_scripts_are_there_as_a_whole_or_not_at_all():
    chance = random.Random("%d-units" % SEED)
    for policy in ("always", "everysec"):
        with Server(options={"appendonly": "yes", "appendfsync": policy}) as server:
            acked = [0] * 4
            for number in range(rounds(4)):
                threads = [threading.Thread(target=count_twice, args=(server, i, acked, chance))
                           for i in range(len(acked))]
                for thread in threads:
                    thread.start()
                time.sleep(chance.random() * SECONDS_MAX + 0.2)
                if number % 2:
                    server.call("BGREWRITEAOF")
                server.kill()
                for thread in threads:
                    thread.join()
                server.start()
                for i, count in enumerate(acked):
                    one, two = (int(server.call("GET", "%s:%d" % (key, i)) or 0)
                                for key in ("one", "two"))
                    expect(one, two, "%s: halves of a unit" % policy)
                    lost = policy == "always" and one < count
                    expect_that(not lost and one <= count + 1, "%s: %d of %d are there" % (
                        policy, one, count))
                    acked[i] = one
            print("  %s: found %s" % (policy, acked))


if __name__ == "__main__":
    sys.exit(run())
