#!/usr/bin/env python3
"""Clients that wait for keys, in small scenes that both servers play (see _stage.py). What
redis-server 7.0.15 does not have is told in full.

    blocking.py [WORD...]
"""
import itertools
import sys
import threading
import time

from _checks import expect, expect_that, run, test
from _resp import encode
from _server import Server, roxdb
from _stage import OPTIONS, Stage, compare


# ---- as redis-server has it ----

@test
def a_pop_waits_for_a_push():
    compare("""
        a: BLPOP k 0
        b: RPUSH k 1 2
        b: LRANGE k 0 -1
        a: BRPOP j k 0
        b: EXISTS k
        a: BLMPOP 0 2 j k LEFT COUNT 5
        b: LPUSH k 3 4
        a: BLMOVE k l LEFT RIGHT 0
        b: RPUSH k 5
        b: LRANGE l 0 -1
        a: BRPOPLPUSH k l 0
        b: RPUSH k 6 7
        b: LRANGE l 0 -1
        b: LRANGE k 0 -1
    """)


@test
def clients_are_served_in_the_order_of_waiting():
    compare("""
        a: BLPOP k 0
        b: BLPOP j k 0
        c: BRPOP k 0
        d: BLPOP k 0
        p: RPUSH k 1 2 3
        a: BLPOP k 0
        p: RPUSH k 4
        p: RPUSH k 5
        p: LLEN k
    """)


@test
def the_first_key_that_changes_is_the_one_that_counts():
    compare("""
        a: BLPOP x y 0
        b: BLPOP y x 0
        p: RPUSH y 1
        p: RPUSH x 2
        a: BLPOP x x y 0
        p: RPUSH x 1 2
        p: LRANGE x 0 -1
    """)


@test
def chains_of_moves_are_followed():
    compare("""
        a: BLMOVE x y LEFT RIGHT 0
        b: BLMOVE y z RIGHT LEFT 0
        c: BLPOP z 0
        p: RPUSH x 1
        p: EXISTS x y z
        a: BRPOPLPUSH x x 0
        p: RPUSH x 1
        p: LRANGE x 0 -1
        p: DEL x
        a: BLMOVE x y LEFT LEFT 0
        b: BLMOVE y x LEFT LEFT 0
        p: RPUSH x 1
        p: LRANGE x 0 -1
        p: LRANGE y 0 -1
    """)


@test
def wrong_types_do_not_end_a_wait_but_wrong_destinations_do():
    compare("""
        a: BLPOP k 0
        p: SET k v
        p: DEL k
        p: SADD k v
        p: RENAME k other
        p: RPUSH k 1
        a: BLMOVE k s LEFT LEFT 0
        p: SET s v
        p: RPUSH k 1
        p: LRANGE k 0 -1
        a: BLPOP s 1
        a: BLPOP nothing s 1
    """)


@test
def lists_that_come_by_other_ways_are_noticed():
    compare("""
        p: RPUSH src 1 2 3
        a: BLPOP k 0
        p: RENAME src k
        p: LRANGE k 0 -1
        a: BLPOP dst 0
        p: COPY k dst
        a: BLPOP moved 0
        p: LMOVE k moved LEFT LEFT
        a: SELECT 5
        a: BLPOP k 0
        p: MOVE k 5
        p: RPUSH back 1
        a: BLPOP back 0
        p: SWAPDB 0 5
    """)


@test
def time_is_up_with_a_null_of_the_commands_own():
    compare("""
        a: BLPOP k 0.01
        a: (wait)
        a: BRPOP k j 0.01
        a: (wait)
        a: BLMPOP 0.01 1 k LEFT
        a: (wait)
        a: BLMOVE k j LEFT LEFT 0.01
        a: (wait)
        a: BRPOPLPUSH k j 0.01
        a: (wait)
        a: PING
    """)


@test
def wrong_requests_are_refused_at_once():
    compare("""
        a: BLPOP k -1
        a: BLPOP k abc
        a: BLPOP k nan
        a: BLPOP k -inf
        a: BLPOP k 0x
        a: BLPOP k -0.1
        a: BLMPOP -1 1 k LEFT
        a: BLMPOP 1 0 k LEFT
        a: BLMPOP 1 2 k LEFT
        a: BLMPOP 1 1 k UP
        a: BLMPOP 1 1 k LEFT COUNT 0
        a: BLMPOP 1 1 k LEFT COUNT 1 COUNT 2
        a: BLMOVE a b LEFT UP 1
        a: BLMOVE a b UP LEFT abc
        a: BLMOVE a b LEFT LEFT abc
        a: BRPOPLPUSH a b -1
        a: BLPOP k
        a: BLMPOP 1 1 k
    """)


@test
def unblocking_ends_a_wait_as_asked():
    compare("""
        a: BLPOP k 0
        p: CLIENT UNBLOCK @a
        p: CLIENT UNBLOCK @a
        a: BLMOVE k j LEFT LEFT 0
        p: CLIENT UNBLOCK @a TIMEOUT
        a: BLPOP k 0
        p: CLIENT UNBLOCK @a ERROR
        p: CLIENT UNBLOCK @a ERROR
        p: CLIENT UNBLOCK 999999
        p: CLIENT UNBLOCK abc
        p: CLIENT UNBLOCK @a NOW
        a: BLPOP k 0
        p: RPUSH k 1
    """)


@test
def what_is_sent_behind_a_wait_is_answered_behind_it():
    compare("""
        a: BLPOP k 0; ECHO 1; BLPOP k 0; ECHO 2
        a: ECHO 3
        p: RPUSH k x
        p: RPUSH k y
        p: RPUSH k z; BLPOP k 0; BLPOP k 0; ECHO never
        a: RPUSH k from-a; ECHO 4
    """)


@test
def who_is_gone_gets_nothing():
    compare("""
        a: BLPOP k 0
        b: BLPOP k 0
        c: BLPOP k 0
        a: (close)
        p: CLIENT KILL ID @b
        p: RPUSH k 1 2
        p: LRANGE k 0 -1
    """)


@test
def reply_modes_hold_for_late_replies():
    compare("""
        a: CLIENT REPLY SKIP; BLPOP k 0; ECHO 1
        p: RPUSH k x
        a: CLIENT REPLY OFF; BLPOP k 0
        p: RPUSH k x
        p: EXISTS k
        a: CLIENT REPLY ON
    """)


@test
def deleting_flushing_and_expiring_keys_end_no_wait():
    compare("""
        a: BLPOP k 0
        p: SET k v
        p: DEL k
        p: FLUSHALL
        p: SET k v PX 1
        p: FLUSHDB
        p: RPUSH k 1
    """)


# ---- what redis-server 7.0.15 does not have, or not so ----

@test
def who_needs_several_waits_for_all_of_them():
    with Stage(roxdb()) as stage:
        expect(stage.play("""
            a: BLMOVEM k l LEFT RIGHT 0 EXACTLY 3 BULK
            p: RPUSH k 1 2
            b: BLPOP k 0
            p: RPUSH k 3
            p: LRANGE l 0 -1
        """), ["a: BLMOVEM k l LEFT RIGHT 0 EXACTLY 3 BULK", "p: RPUSH k 1 2", "p <- :2",
               "b: BLPOP k 0", "b <- *2 $1 k $1 1", "p: RPUSH k 3", "p <- :2",
               "p: LRANGE l 0 -1", "p <- *0"])


@test
def info_counts_those_who_wait():
    with Stage(roxdb()) as stage:
        stage.play("""
            a: BLPOP k j 100
            b: BLPOP k 0
        """)
        info = stage.control.info("clients")
        expect([info[name] for name in ("blocked_clients", "clients_in_timeout_table",
                                        "total_blocking_keys")], ["2", "1", "2"])
        listed = stage.control.call("CLIENT", "LIST", "ID", stage.ids["a"]).decode()
        expect_that(" flags=b " in listed and " cmd=blpop " in listed, listed)
        stage.play("p: RPUSH k 1 2")
        expect(stage.control.info("clients")["blocked_clients"], "0")


@test
def a_pause_delays_pushes_and_their_pops():
    with Stage(roxdb()) as stage:
        said = stage.play("""
            a: BLPOP k 0
            p: CLIENT PAUSE 100000 WRITE
            q: RPUSH k 1
            p: CLIENT UNPAUSE
        """)
        expect(said, ["a: BLPOP k 0", "p: CLIENT PAUSE 100000 WRITE", "p <- +OK",
                      "q: RPUSH k 1", "p: CLIENT UNPAUSE", "a <- *2 $1 k $1 1", "p <- +OK",
                      "q <- :1"])


# An element that a client was given is gone from disk exactly when the push is there.
@test
def a_served_pop_is_in_the_log_with_its_push():
    options = {"appendonly": "yes", "appendfsync": "always"}
    with Stage(roxdb(), options=options) as stage:
        workers = 20
        for number in range(workers):
            stage.client("w%d" % number).send(encode(["BLPOP", "k", 0]))
        stage.settle()
        stage.client("p").send(encode(["RPUSH", "k"] + list(range(workers + 3))))
        for number in range(workers):
            expect(stage.client("w%d" % number).read(), [b"k", b"%d" % number])
        stage.server.kill()
        stage.server.start()
        expect(stage.server.call("LRANGE", "k", 0, -1),
               [b"%d" % number for number in range(workers, workers + 3)])


# Many producers and consumers: every element arrives once, in the order of its producer.
@test
def a_busy_queue_loses_and_doubles_nothing():
    each, producers, consumers = 2000, 3, 5
    with Server(roxdb(), OPTIONS) as server:
        taken = [[] for _ in range(consumers)]

        def produce(number):
            with server.connect() as connection:
                for value in range(each):
                    connection.call("RPUSH", "q%d" % (value % 2), "%d:%d" % (number, value))

        def consume(number):
            with server.connect() as connection:
                while True:
                    reply = connection.call("BLPOP", "q0", "q1", 0)
                    if reply[1] == b"end":
                        return
                    taken[number].append(reply[1].decode())

        threads = [threading.Thread(target=produce, args=(i,)) for i in range(producers)]
        eaters = [threading.Thread(target=consume, args=(i,)) for i in range(consumers)]
        for thread in eaters + threads:
            thread.start()
        for thread in threads:
            thread.join()
        with server.connect() as connection:
            connection.call("RPUSH", "q0", *["end"] * consumers)
        for thread in eaters:
            thread.join(60)
            expect_that(not thread.is_alive(), "a consumer hangs")
        everything = [value for values in taken for value in values]
        expect(len(everything), each * producers)
        expect(len(set(everything)), each * producers)


# What a consumer was given is gone from the disk, and what no consumer was given is there; only a
# reply that was on its way when the server was killed can have been lost, one per consumer.
@test
def kill_9_loses_and_doubles_nothing_in_a_queue():
    producers, consumers = 3, 4
    options = {"appendonly": "yes", "appendfsync": "always"}
    with Server(roxdb(), options) as server:
        pushed, given = [set() for _ in range(producers)], [[] for _ in range(consumers)]

        def until_killed(act):
            try:
                with server.connect() as connection:
                    while True:
                        act(connection)
            except OSError:
                pass

        def produce(connection, number, counter):
            value = b"%d:%d" % (number, next(counter))
            connection.call("RPUSH", "q", value)
            pushed[number].add(value)

        counters = [itertools.count() for _ in range(producers)]
        for _ in range(5):
            threads = [threading.Thread(target=until_killed, args=(
                lambda connection, i=i: produce(connection, i, counters[i]),))
                for i in range(producers)]
            threads += [threading.Thread(target=until_killed, args=(
                lambda connection, i=i: given[i].append(connection.call("BLPOP", "q", 0)[1]),))
                for i in range(consumers)]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
            left = server.call("LRANGE", "q", 0, -1)
            taken = [value for values in given for value in values]
            expect(len(set(taken)), len(taken), "elements given, and different ones")
            expect(set(taken) & set(left), set(), "given and still there")
            missing = set().union(*pushed) - set(taken) - set(left)
            expect_that(len(missing) <= consumers, "lost: %r" % sorted(missing))
            for values in pushed:
                values -= missing


# Nobody touches the stream: the time alone hands the record over.
@test
def a_record_goes_to_a_claiming_reader_when_it_has_been_idle_long_enough():
    with Server(roxdb(), OPTIONS) as server, server.connect() as claimer:
        for command in ("XADD s 1 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g a STREAMS s >"):
            server.call(*command.split())
        started = time.monotonic()
        for idle in (60, 120):
            reply = claimer.call(*("XREADGROUP GROUP g b BLOCK 0 CLAIM %d STREAMS s >" % idle)
                                 .split())
            expect(reply[0][1][0][:2], [b"1-0", [b"f", b"v"]])
            expect_that(reply[0][1][0][2] >= idle, "idle for only %s ms" % reply[0][1][0][2])
        # Two clocks are looked at, and each counts whole milliseconds.
        expect_that(time.monotonic() - started >= 0.175, "claimed early")


# Timers may be late on a busy machine, never early.
@test
def no_wait_ends_early():
    with Server(roxdb(), OPTIONS) as server, server.connect() as connection:
        for timeout in (0.001, 0.013, 0.05, 0.2):
            started = time.monotonic()
            expect(connection.call("BLPOP", "k", timeout), None)
            expect_that(time.monotonic() - started >= timeout, "after less than %s s" % timeout)


if __name__ == "__main__":
    sys.exit(run())
