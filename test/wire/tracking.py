#!/usr/bin/env python3
"""Client-side caching, in scenes that both servers play.

    tracking.py [WORD...]
"""
import random
import sys

import _generate
from _checks import Skip, expect, expect_that, run, test
from _differences import show_command
from _generate import HASH_KEYS, KEYS, Generator
from _server import Server, redis_server, roxdb
from _stage import OPTIONS, Stage, compare


@test
def keys_that_were_read():
    compare("""
        a3: CLIENT TRACKING ON
        a3: GET k; MGET l m; EXISTS n; TTL o; HGETALL h; LRANGE list 0 -1; XREAD STREAMS x 0
        b: SET k 1
        b: SET k 2
        b: MSET l 1 m 2
        b: SET n 1; SET o 1; HSET h a 1; RPUSH list 1; XADD x 1-1 a b
        a3: GET k; OBJECT ENCODING k; STRLEN k; TYPE k; DUMP none; SCAN 0 COUNT 1000 MATCH none
        b: DEL k
        b: DEL none
        a3: GET k
        b: APPEND k x
        a3: GET k
        b: EXPIRE k 100
        a3: GET k
        b: RENAME k k2
        b: RENAME k2 k
        a3: CLIENT TRACKING OFF
        a3: GET k
        b: SET k 3
    """, protocols=(2,))


@test
def what_does_not_change_is_not_told():
    compare("""
        a3: CLIENT TRACKING ON
        a3: MGET k s h z list
        b: DEL k
        b: SREM s x
        b: HDEL h x
        b: GETEX k
        b: SET k v XX
        b: EXPIRE k 10
        b: LREM list 0 x
    """, protocols=(2,))


@test
def ones_own_changes():
    compare("""
        a3: CLIENT TRACKING ON
        a3: GET k; SET k 1; GET k; SET k 2; SET k 3
        a3: GET k; INCR k
        a3: MULTI; GET k; SET k 4; GET k; SET l 1; EXEC
        b: SET k 5; SET l 2
        a3: GET k; GET l; DEL k l
        a3: CLIENT TRACKING OFF
        a3: CLIENT TRACKING ON NOLOOP
        a3: GET k; SET k 1
        b: SET k 2
        a3: GET k; GET l
        a3: MULTI; SET k 3; EXEC
        b: SET k 4; SET l 4
    """, protocols=(2,))


@test
def optin_and_optout():
    compare("""
        a3: CLIENT TRACKING ON OPTIN
        a3: GET k
        b: SET k 1
        a3: CLIENT CACHING YES; GET k; GET l
        b: MSET k 2 l 2
        a3: CLIENT CACHING YES; CLIENT GETNAME; GET k
        b: SET k 3
        a3: CLIENT CACHING YES; PING; GET k
        b: SET k 4
        a3: CLIENT CACHING YES; MULTI; GET k; GET l; EXEC; GET m
        b: MSET k 5 l 5 m 5
        a3: MULTI; GET k; CLIENT CACHING YES; GET l; EXEC; GET m
        b: MSET k 6 l 6 m 6
        a3: CLIENT CACHING YES; CLIENT TRACKINGINFO; CLIENT TRACKINGINFO
        a3: CLIENT CACHING NO; CLIENT CACHING MAYBE; CLIENT CACHING
        a3: CLIENT TRACKING ON OPTOUT
        a3: CLIENT TRACKING OFF; CLIENT TRACKING ON OPTOUT
        a3: GET k; GET l
        b: MSET k 7 l 7
        a3: CLIENT CACHING NO; GET k; GET l
        b: MSET k 8 l 8
        a3: CLIENT CACHING YES; CLIENT TRACKINGINFO; CLIENT CACHING NO; CLIENT TRACKINGINFO
    """, protocols=(2,))


@test
def broadcasts():
    compare("""
        a3: CLIENT TRACKING ON BCAST PREFIX p: PREFIX q:
        c3: CLIENT TRACKING ON BCAST
        d3: CLIENT TRACKING ON BCAST NOLOOP PREFIX p:
        b: SET p:1 1
        b: MSET p:2 1 p:1 2 q:1 3 r:1 4
        d3: SET p:3 1
        d3: MSET p:4 1 q:4 1
        a3: SET p:5 1
        a3: GET r:1
        b: SET r:1 2
        b: MULTI; SET p:6 1; SET p:7 1; SET p:6 2; EXEC
        a3: CLIENT TRACKING ON BCAST PREFIX s:
        b: SET s:1 1
        a3: CLIENT TRACKINGINFO
        a3: CLIENT TRACKING OFF
        b: SET p:1 1
        b: FLUSHALL
    """, protocols=(2,))


@test
def modes_that_do_not_fit():
    compare("""
        a: CLIENT TRACKING ON PREFIX x
        a: CLIENT TRACKING ON BCAST OPTIN
        a: CLIENT TRACKING ON BCAST OPTOUT
        a: CLIENT TRACKING ON OPTIN OPTOUT
        a: CLIENT TRACKING ON BCAST PREFIX a PREFIX ab
        a: CLIENT TRACKING ON BCAST PREFIX ab PREFIX a
        a: CLIENT TRACKING ON BCAST PREFIX a PREFIX a
        a: CLIENT TRACKING MAYBE
        a: CLIENT TRACKING ON NOSUCH
        a: CLIENT TRACKING ON PREFIX
        a: CLIENT TRACKING ON REDIRECT
        a: CLIENT TRACKING ON REDIRECT 99999
        a: CLIENT TRACKING ON REDIRECT x
        a: CLIENT TRACKING ON REDIRECT @a REDIRECT @a
        a: CLIENT TRACKING
        a: CLIENT CACHING YES
        a: CLIENT GETREDIR; CLIENT TRACKINGINFO
        a: CLIENT TRACKING ON BCAST PREFIX ab
        a: CLIENT TRACKING ON BCAST PREFIX a
        a: CLIENT TRACKING ON BCAST PREFIX abc
        a: CLIENT TRACKING ON BCAST PREFIX ab
        a: CLIENT TRACKING ON
        a: CLIENT GETREDIR; CLIENT TRACKINGINFO
        a: CLIENT CACHING YES
        a: CLIENT TRACKING OFF; CLIENT TRACKING OFF
        a: CLIENT TRACKING ON; CLIENT TRACKING ON BCAST
        a: CLIENT TRACKING ON OPTIN; CLIENT TRACKING ON OPTOUT; CLIENT TRACKINGINFO
        a: CLIENT TRACKING ON NOLOOP; CLIENT TRACKINGINFO
        a: RESET; CLIENT TRACKINGINFO
    """)


@test
def redirection():
    compare("""
        b: SUBSCRIBE __redis__:invalidate
        a: CLIENT TRACKING ON REDIRECT @b
        a: GET k
        p: SET k 1
        a: GET k; SET k 2
        a: GET k
        p: MULTI; SET k 3; GET k; EXEC
        p: FLUSHALL
        a: CLIENT TRACKING OFF; CLIENT TRACKING ON REDIRECT @b BCAST PREFIX k
        p: MSET k1 1 k2 2 l 3
        a: CLIENT TRACKING OFF; CLIENT TRACKING ON REDIRECT @p
        a: GET k
        p: SET k 4
    """, protocols=(2,))
    compare("""
        b3: PING
        a: CLIENT TRACKING ON REDIRECT @b3
        a: GET k
        p: SET k 1
    """, protocols=(2,))


@test
def a_flush_tells_everybody_to_forget():
    compare("""
        a3: CLIENT TRACKING ON
        c3: CLIENT TRACKING ON BCAST PREFIX x
        a3: GET k
        b: FLUSHDB
        b: SET k 1
        a3: GET k; FLUSHALL
        b: SELECT 3; FLUSHDB
        a3: GET k; MULTI; FLUSHALL; GET k; EXEC
    """, protocols=(2,))


@test
def databases_share_names():
    compare("""
        a3: CLIENT TRACKING ON
        a3: GET k
        b: SELECT 1; SET k 1
        b: SET k 2
    """, protocols=(2,))


@test
def clients_that_want_no_replies():
    compare("""
        a3: CLIENT TRACKING ON; GET k
        a3: CLIENT REPLY OFF; GET l
        b: SET k 1; SET l 1
        a3: GET k; SET k 2; PING
    """, protocols=(2,))


@test
def what_expires_is_told():
    with Stage(roxdb()) as stage:
        stage.play("""
            b: SET k v PX 30
            a3: CLIENT TRACKING ON; GET k
        """)
        expect(stage.play("a3: (wait)")[1], "a3 <- >2 $10 invalidate *1 $1 k")


# Redis 7.0 remembers all KEYS of a script that reads one of them; later versions what is read.
@test
def what_scripts_read_and_change():
    compare("""
        a3: CLIENT TRACKING ON
        a3: EVAL return(redis.call('GET',KEYS[1])) 1 k
        b: SET k 1; SET l 1
        b: SET k 1
        a3: EVAL return(redis.call('SET',KEYS[1],1)) 1 k
        b: EVAL return(redis.call('SET',KEYS[1],2)) 1 k
        a3: EVAL_RO return(redis.call('GET',KEYS[1])) 1 k
        b: EVAL return(redis.call('SET',KEYS[1],2)) 1 k
        a3: EVAL redis.call('SET',KEYS[1],1)return(redis.call('GET',KEYS[1])) 1 k
        a3: EVAL redis.call('SET',KEYS[1],1)return(redis.call('GET',KEYS[1])) 1 k
        b: SET k 4
        a3: MULTI; EVAL return(redis.call('GET',KEYS[1])) 1 k; EXEC
        b: SET k 5
    """, protocols=(2,))


# Whoever drops what it is told to drop never believes anything that is not so.
@test
def a_cache_is_never_wrong():
    random.seed(17)
    keys = [b"k%d" % i for i in range(20)]
    for mode in (["ON"], ["ON", "NOLOOP"], ["ON", "BCAST"]):
        with Server(roxdb(), OPTIONS) as server:
            with server.connect(3) as cacher, server.connect() as writer:
                cacher.call("CLIENT", "TRACKING", *mode)
                cache = {}

                def invalidate(push):
                    for key in push[1] if push[1] is not None else list(cache):
                        cache.pop(key, None)

                def ask(*command):
                    """The reply; what comes before it or with it is obeyed."""
                    cacher.send_commands([command])
                    while True:
                        reply = cacher.read()
                        if type(reply).__name__ != "Push":
                            return reply
                        invalidate(reply)

                for _ in range(4000):
                    key = random.choice(keys)
                    choice = random.random()
                    if choice < 0.3:
                        writer.call("SET", key, random.randrange(100))
                    elif choice < 0.35:
                        writer.call(*random.choice([
                            ("DEL", key), ("FLUSHALL",), ("RENAMENX", keys[0], key),
                            ("COPY", keys[1], key, "REPLACE"), ("INCR", key), ("SWAPDB", 0, 1)]))
                    elif choice < 0.4 and "NOLOOP" not in mode:
                        ask("SET", key, random.randrange(100))
                    elif key not in cache:
                        cache[key] = ask("GET", key)
                    if random.random() < 0.2:
                        # Everything that was sent before this answer is in.
                        expect(ask("PING"), b"PONG")
                        ask("PING")
                        for cached, value in list(cache.items()):
                            expect(value, writer.call("GET", cached), repr(cached))


def pushes_until_answer(client):
    client.send_commands([["PING"]])
    pushes = []
    while True:
        reply = client.read()
        if reply == b"PONG":
            return sorted(map(repr, pushes))
        pushes.append(reply)


# Changes of what no reading command shows: RoxDB tells of them, too.
HIDDEN_CHANGES = (b"XSETID", b"XGROUP", b"PFDEBUG")


# One client asks for all keys again and again, another one changes them at random.
@test
def random_changes_are_told_alike():
    if redis_server() is None:
        raise Skip("redis-server is not installed")
    generator = Generator(random.Random(3), "".join(
        getattr(_generate, family) for family in (
            "STRING", "LIST", "SET", "HASH", "SORTED_SET", "GEO", "STREAM", "BITMAP",
            "HYPERLOGLOG")))
    watched = [["GET", key] for key in KEYS + HASH_KEYS]
    differing = []
    with Server(redis_server(), OPTIONS) as redis, Server(roxdb(), OPTIONS) as rox:
        trackers = [server.connect(3) for server in (redis, rox)]
        writers = [server.connect() for server in (redis, rox)]
        changing = {entry[0].upper() for entry in redis.call("COMMAND") if b"write" in entry[2]}
        for tracker in trackers:
            tracker.call("CLIENT", "TRACKING", "ON")
        for _ in range(3000):
            command = generator.command()
            name = command[0].upper()
            replies, told = [], []
            for tracker, writer in zip(trackers, writers):
                tracker.send_commands(watched)
                tracker.read_raw_replies(len(watched))
                writer.send_commands([command])
                replies.append(writer.read_raw())
                told.append(pushes_until_answer(tracker))
            if replies[0] != replies[1] and name in changing:  # they hold different data now
                for tracker, writer in zip(trackers, writers):
                    writer.call("FLUSHALL")
                    pushes_until_answer(tracker)
            elif replies[0] == replies[1] and told[0] != told[1] and name not in HIDDEN_CHANGES:
                differing.append("%s: %s\n      redis-server: %s" % (
                    show_command(command), told[1], told[0]))
    expect_that(not differing, "%d:\n    %s" % (len(differing), "\n    ".join(differing[:30])))


@test
def the_table_is_bounded():
    with Server(roxdb(), dict(OPTIONS, **{"tracking-table-max-keys": 100})) as server:
        with server.connect(3) as client:
            client.call("CLIENT", "TRACKING", "ON")
            client.send_commands([["GET", "k%d" % i] for i in range(1000)])
            told = sum(type(client.read()).__name__ == "Push" for _ in range(1900))
            expect(told, 900)
            expect(server.info("stats")["tracking_total_keys"], "100")


if __name__ == "__main__":
    sys.exit(run())
