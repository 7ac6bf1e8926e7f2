#!/usr/bin/env python3
"""Why it was slow, with real causes and a real clock: SLOWLOG WHY, LATENCY WHY, COMMANDLOG."""
import os
import sys
import time

from _checks import expect, expect_that, run, test
from _server import Server

SLOW_US = 20000
WITH_DEBUG = {"enable-debug-command": "local", "slowlog-log-slower-than": SLOW_US,
              "loglevel": "verbose"}


def newest(connection):
    """The newest record of the slow log, and where its time went: {cause: us}, {cause: count}."""
    record = connection.call("SLOWLOG", "WHY", 1)[0]
    why = record[b"why"]
    return (record, {cause.decode(): share[b"us"] for cause, share in why.items()},
            {cause.decode(): share[b"count"] for cause, share in why.items()})


def parts_add_up(record, us):
    """Parts within the command; the rest came before or after it."""
    inside = sum(us.get(cause, 0) for cause in (
        "executing", "table-split", "expiry", "eviction", "fork", "page-faults"))
    expect_that(abs(inside - record[b"duration-us"]) < 20, (record, us))


@test
def a_command_that_computes_is_executing():
    with Server(options=WITH_DEBUG) as server, server.connect(protocol=3) as connection:
        connection.call("DEBUG", "SLEEP", "0.05")
        record, us, _ = newest(connection)
        expect(record[b"command"], [b"DEBUG", b"SLEEP", b"0.05"])
        expect_that(record[b"duration-us"] >= 50000, record)
        expect_that(us["executing"] >= 0.95 * record[b"duration-us"], us)
        parts_add_up(record, us)
        expect_that({"log-write", "reply"} <= us.keys(), us)  # the turn has ended
        # As other clients know it.
        fields = connection.call("SLOWLOG", "GET", 1)[0]
        expect(len(fields), 6)
        expect(fields[3], [b"DEBUG", b"SLEEP", b"0.05"])


@test
def a_big_sort_is_executing_and_named():
    with Server(options=dict(WITH_DEBUG, **{"slowlog-log-slower-than": 1000})) as server:
        with server.connect(protocol=3) as connection:
            for first in range(0, 200000, 20000):
                connection.call("RPUSH", "list", *("%09d" % (i * 7919 % 1000003)
                                                   for i in range(first, first + 20000)))
            connection.call("LATENCY", "RESET")
            connection.call("SORT", "list", "ALPHA", "LIMIT", 0, 1)
            record, us, _ = newest(connection)
            expect(record[b"command"][0], b"SORT")
            expect_that(us["executing"] >= 0.5 * record[b"duration-us"], us)
            turn = connection.call("LATENCY", "WHY")[b"last"][0]
            expect(turn[b"slowest"], b"sort")
            expect(turn[b"slowest-us"], record[b"duration-us"])


@test
def who_stands_behind_a_slow_neighbour_is_waiting():
    with Server(options=WITH_DEBUG) as server:
        others = [server.connect() for _ in range(3)]
        with server.connect() as first, server.connect(protocol=3) as watcher:
            for one in others:
                one.call("PING")
            first.send_commands([["DEBUG", "SLEEP", "0.3"]])
            time.sleep(0.1)
            for one in others:
                one.send_commands([["DEBUG", "SLEEP", "0.05"]])
            for one in [first] + others:
                one.read()
            # All three were found at once when the first one was done.
            records = watcher.call("SLOWLOG", "WHY", 3)
            waits = sorted(record[b"why"].get(b"waiting", {b"us": 0})[b"us"] for record in records)
            counts = sorted(record[b"why"].get(b"waiting", {b"count": 0})[b"count"]
                            for record in records)
            expect(counts, [0, 1, 2])
            expect_that(waits[0] < 50000 <= waits[1] < waits[2], waits)
            expect_that(waits[2] >= 100000, waits)
            turn = watcher.call("LATENCY", "WHY", 1)[b"last"][0]
            expect(turn[b"requests"], 3)
            expect(turn[b"why"][b"waiting"][b"count"], 2)
            causes = watcher.call("LATENCY", "WHY")[b"causes"]
            expect_that(causes[b"waiting"][b"worst-us"] >= 100000, causes)
            expect_that(causes[b"executing"][b"sum-us"] >= 450000, causes)
            doctor = watcher.call("LATENCY", "DOCTOR").decode()
            expect_that("- waiting: " in doctor and "- executing: " in doctor, doctor)
            expect(watcher.call("LATENCY", "RESET"), 0)
            expect(watcher.call("LATENCY", "WHY")[b"last"], [])
        for one in others:
            one.close()
        expect_that("Slow turn: took=" in server.log(), server.log())


@test
def copied_pages_are_told_while_a_child_saves():
    options = dict(WITH_DEBUG, **{"slowlog-log-slower-than": 0, "snapshot-write-rate": "1mb"})
    with Server(options=options) as server, server.connect(protocol=3) as connection:
        for i in range(16):
            connection.call("SET", "big:%d" % i, os.urandom(1000000))
        connection.call("SETRANGE", "big:0", 0, "y" * 1000000)
        _, _, counts = newest(connection)
        expect_that("page-faults" not in counts, counts)
        connection.call("BGSAVE")
        _, _, counts = newest(connection)
        expect(counts.get("fork"), 1)
        connection.call("SETRANGE", "big:0", 0, "z" * 1000000)
        record, us, counts = newest(connection)
        expect(server.info()["rdb_bgsave_in_progress"], "1")
        expect_that(counts["page-faults"] > 0, counts)
        parts_add_up(record, us)
        expect_that(us["page-faults"] > 0, us)


@test
def the_disk_is_told_when_every_write_waits_for_it():
    options = dict(WITH_DEBUG, **{"slowlog-log-slower-than": 0, "appendonly": "yes",
                                  "appendfsync": "always"})
    with Server(options=options) as server, server.connect(protocol=3) as connection:
        connection.call("SET", "key", "x" * 100000)
        _, us, counts = newest(connection)
        expect_that(us["log-write"] > 0, us)
        expect_that(counts["log-sync"] == 1 and us["log-sync"] > 0, us)


@test
def expiry_and_growth_are_told():
    options = dict(WITH_DEBUG, **{"slowlog-log-slower-than": 0})
    with Server(options=options) as server, server.connect(protocol=3) as connection:
        connection.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        connection.call("SET", "gone", "x", "PX", 1)
        time.sleep(0.01)
        connection.call("GET", "gone")
        _, _, counts = newest(connection)
        expect(counts.get("expiry"), 1)
        connection.call("MSET", *("key:%d" % i for i in range(20000)))
        record, us, counts = newest(connection)
        expect_that(counts["table-split"] > 20 and us["table-split"] > 0, counts)
        parts_add_up(record, us)


@test
def large_requests_and_replies_are_kept():
    with Server() as server, server.connect() as connection:
        logs = ("large-request", "large-reply")
        expect([connection.call("COMMANDLOG", "LEN", log) for log in logs], [0, 0])
        big = "x" * (1 << 20)
        connection.call("CLIENT", "SETNAME", "somebody")
        connection.pipeline([["SET", "small", "x"], ["SET", "big", big], ["GET", "small"],
                             ["GET", "big"], ["SET", "small", "y"]])
        expect([connection.call("COMMANDLOG", "LEN", log) for log in logs], [1, 1])
        request = connection.call("COMMANDLOG", "GET", -1, "large-request")[0]
        expect(request[2], len("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1048576\r\n\r\n") + len(big))
        expect(request[3][:2], [b"SET", b"big"])
        expect(request[3][2], b"x" * 128 + b"... (1048448 more bytes)")
        expect(request[5], b"somebody")
        reply = connection.call("COMMANDLOG", "GET", -1, "large-reply")[0]
        expect(reply[2], len("$1048576\r\n\r\n") + len(big))
        expect(reply[3], [b"GET", b"big"])
        connection.call("CONFIG", "SET", "commandlog-reply-larger-than", -1)
        connection.call("GET", "big")
        expect(connection.call("COMMANDLOG", "LEN", "large-reply"), 1)
        connection.call("CONFIG", "SET", "commandlog-reply-larger-than", 0,
                        "commandlog-large-reply-max-len", 3)
        connection.pipeline([["PING"]] * 10)
        expect(connection.call("COMMANDLOG", "LEN", "large-reply"), 3)
        expect(connection.call("COMMANDLOG", "RESET", "large-reply"), b"OK")
        expect(connection.call("COMMANDLOG", "LEN", "large-request"), 1)


if __name__ == "__main__":
    sys.exit(run())
