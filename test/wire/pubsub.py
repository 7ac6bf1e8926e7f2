#!/usr/bin/env python3
"""Pub/Sub and keyspace notifications, in scenes that both servers play.

    pubsub.py [WORD...]
"""
import random
import sys
from contextlib import closing

import _generate
from _checks import Skip, expect, expect_that, run, test
from _differences import show_command
from _generate import OTHER_TYPES, Generator
from _resp import encode
from _server import Server, redis_server, roxdb
from _stage import OPTIONS, Stage, compare


# ---- as redis-server has it ----

@test
def channels_and_patterns():
    compare("""
        a: SUBSCRIBE x y x
        b: PSUBSCRIBE x*
        b: SUBSCRIBE x
        c: PSUBSCRIBE ?
        p: PUBLISH x 1
        p: PUBLISH xx 2; PUBLISH z 3; PUBLISH none 4
        p: PUBLISH y 5; PUBLISH x 6
        a: UNSUBSCRIBE y nowhere
        a: UNSUBSCRIBE
        a: UNSUBSCRIBE
        p: PUBLISH x 7
        b: PUNSUBSCRIBE x* ?
        p: PUBLISH x 8
        b: PUNSUBSCRIBE; UNSUBSCRIBE
        c: PUNSUBSCRIBE
        p: PUBLISH x 9
        p: PUBLISH; PUBLISH x; PUBLISH x y z
    """)


@test
def sharded_channels():
    compare("""
        a: SSUBSCRIBE x y
        b: PSUBSCRIBE *
        b: SUBSCRIBE x
        p: SPUBLISH x 1
        p: PUBLISH x 2
        p: SPUBLISH none 3
        p: PUBSUB SHARDNUMSUB x y z; PUBSUB SHARDCHANNELS y*; PUBSUB SHARDCHANNELS q; PUBSUB NUMSUB x y
        a: SUNSUBSCRIBE x none
        p: SPUBLISH x 4; SPUBLISH y 5
        a: SUNSUBSCRIBE; SUNSUBSCRIBE
        p: PUBSUB SHARDCHANNELS; PUBSUB SHARDNUMSUB
    """)


@test
def what_a_subscriber_may_say():
    compare("""
        a: SUBSCRIBE x
        a: GET k; SET k v; PING; PING hello; ECHO x; CLIENT LIST; CONFIG GET port; NOSUCH; GET
        a: PSUBSCRIBE p; SSUBSCRIBE s; GET k
        a: UNSUBSCRIBE; GET k
        a: PUNSUBSCRIBE; GET k
        a: SUNSUBSCRIBE; GET k; PING; PING hello
        a: SUBSCRIBE x
        a: RESET
        a: GET k
        a: SUBSCRIBE x; QUIT
    """, protocols=(2,))
    compare("""
        a: SUBSCRIBE x
        a: GET k; PING; PING hello; CLIENT GETNAME
        p: PUBLISH x 1
        a: UNSUBSCRIBE; GET k
    """, protocols=(3,))


@test
def subscribing_in_transactions():
    compare("""
        a: MULTI; SUBSCRIBE x; GET k; PING; PSUBSCRIBE p; EXEC
        a: PING; GET k
        p: MULTI; PUBLISH x 1; SET k v; PUBLISH p 2; EXEC
        a: UNSUBSCRIBE; PUNSUBSCRIBE
        a: MULTI; UNSUBSCRIBE; EXEC
        a: MULTI; SUBSCRIBE x; DISCARD
        p: PUBLISH x 3
    """)


@test
def clients_that_want_no_replies():
    compare("""
        a: CLIENT REPLY OFF; SUBSCRIBE x; PSUBSCRIBE y; PING
        p: PUBLISH x 1
        a: UNSUBSCRIBE; PING
        p: PUBLISH x 2; PUBLISH y 3
        a: CLIENT REPLY ON; PING
        a: CLIENT REPLY SKIP; SUBSCRIBE z; PING
        p: PUBLISH z 4
    """, protocols=(3,))


@test
def pubsub_answers():
    compare("""
        a: SUBSCRIBE x
        b: SUBSCRIBE x
        b: PSUBSCRIBE p* q*
        a3: PSUBSCRIBE p*
        p: PUBSUB CHANNELS; PUBSUB CHANNELS x; PUBSUB CHANNELS y*; PUBSUB CHANNELS [xy]
        p: PUBSUB NUMSUB x y x; PUBSUB NUMSUB; PUBSUB NUMPAT
        p: PUBSUB; PUBSUB NOSUCH; PUBSUB CHANNELS a b; PUBSUB SHARDCHANNELS a b; PUBSUB NUMPAT x
        b: (close)
        p: PUBSUB NUMSUB x; PUBSUB NUMPAT
        p: CLIENT KILL TYPE pubsub
        p: PUBSUB NUMSUB x; PUBSUB NUMPAT; PUBSUB CHANNELS
        p: SUBSCRIBE; PSUBSCRIBE; SSUBSCRIBE; SPUBLISH x
    """)


@test
def protocols_meet():
    compare("""
        a2: SUBSCRIBE x
        b3: SUBSCRIBE x
        c3: PSUBSCRIBE x*
        p2: PUBLISH x 1
        p3: PUBLISH x 2
    """, protocols=(2,))


# ---- keyspace notifications ----

@test
def the_setting_is_shown_as_redis_shows_it():
    compare("""
        a: CONFIG SET notify-keyspace-events KEA; CONFIG GET notify-keyspace-events
        a: CONFIG SET notify-keyspace-events g$lshzxetd; CONFIG GET notify-keyspace-events
        a: CONFIG SET notify-keyspace-events KEmxg; CONFIG GET notify-keyspace-events
        a: CONFIG SET notify-keyspace-events nK; CONFIG GET notify-keyspace-events
        a: CONFIG SET notify-keyspace-events AKEm; CONFIG GET notify-keyspace-events
    """)


@test
def events_of_single_keys():
    scene = """
        l: PSUBSCRIBE __key*
        p: SET k v; SET k v EX 100; SET k v KEEPTTL; SETEX k 100 v; PSETEX k 100000 v; SETNX k w; SETNX m w
        p: GETSET k w; GETDEL k; GET k; GETEX m EX 10; GETEX m PERSIST; INCR n; INCRBYFLOAT n 1.5; APPEND n 1
        p: SETRANGE n 5 x; MSET a 1 b 2; MSETNX c 1 d 2; MSETNX a 1 e 2; SETBIT bits 1 1; BITOP AND bits2 bits
        p: EXPIRE a 100; PERSIST a; PERSIST a; EXPIRE a -1; PEXPIREAT b 1; RENAME c c2; RENAMENX c2 d; COPY d d2
        p: MOVE d 1; DEL d d2; UNLINK n m; RPUSH l 1 2 3; LPUSH l 0; LPUSHX none 1; LINSERT l BEFORE 1 x; LSET l 0 y
        p: LREM l 1 y; LTRIM l 0 1; LPOP l; RPOP l; RPUSH l 1; LMOVE l l2 LEFT RIGHT; RPOPLPUSH l2 l3; LMPOP 1 l3 LEFT
        p: SADD s a b c; SREM s a; SMOVE s s2 b; SPOP s; SADD s 1 2 3; SINTERSTORE s3 s s2; SUNIONSTORE s3 s s2
        p: SDIFFSTORE s3 s2 s2; HSET h a 1 b 2; HINCRBY h a 1; HINCRBYFLOAT h a 1.5; HDEL h a; HDEL h b; HSETNX h a 1
        p: ZADD z 1 a 2 b 3 c; ZADD z INCR 1 a; ZINCRBY z 1 a; ZREM z c; ZPOPMIN z; ZPOPMAX z; ZADD z 1 a 2 b 3 c 4 d
        p: ZREMRANGEBYRANK z 0 0; ZREMRANGEBYSCORE z 2 2; ZREMRANGEBYLEX z - +; ZADD z 1 a; ZRANGESTORE z2 z 0 -1
        p: ZUNIONSTORE z3 2 z z2; ZINTERSTORE z3 2 z z2; ZDIFFSTORE z3 2 z z2; GEOADD g 1 1 a; GEOSEARCHSTORE g2 g FROMLONLAT 1 1 BYRADIUS 10 km
        p: XADD x 1-1 a b; XADD x 2-1 a b; XDEL x 1-1; XTRIM x MAXLEN 0; XGROUP CREATE x g $; XGROUP CREATECONSUMER x g c
        p: XGROUP DELCONSUMER x g c; XGROUP SETID x g 0; XGROUP DESTROY x g; XSETID x 5-1; PFADD hll a; PFADD hll a; PFMERGE hll2 hll
        p: SORT l STORE sorted; RPUSH l 2 1; SORT l STORE sorted; DEL sorted; RESTORE r 0 nonsense; ZMPOP 1 z MIN; BITFIELD bf SET u8 0 1
    """
    for events in ("KEA", "EAn", "KAm", "E$m", "Kg"):
        compare(scene, protocols=(2,), options=dict(OPTIONS, **{"notify-keyspace-events": events}))


class Heard:
    """One server, somebody who asks it, and somebody who hears what happens to its keys."""

    def __init__(self, program, options):
        self.server = Server(program, options)
        self.speaker = self.server.connect()
        self.listener = self.server.connect()
        self.listener.send_commands([["PSUBSCRIBE", "__key*", "end"]])
        self.listener.read_raw_replies(2)

    def ask(self, command):
        """The reply, and the events: (channel, message) each."""
        self.speaker.send_commands([command, ["PUBLISH", "end", "end"]])
        reply = self.speaker.read_raw_replies(2)[0]
        told = []
        while True:
            *_, channel, message = self.listener.read()
            if channel == b"end":
                return reply, told
            told.append((channel, message))

    def close(self):
        self.server.close()


def may_differ(command, ours):
    """What RoxDB does on purpose (differences.md), or as later versions do."""
    return (
        # A key that is set with a time that has passed is never there.
        [message for _, message in ours[::2]] == [b"del"] and command[0].upper() == b"SET"
        # A consumer comes into being with the first request that names it.
        or any(b"xgroup-createconsumer" in word for event in ours for word in event)
        # The string has grown, and that is told, even if no field could be set.
        or command[0].upper() == b"BITFIELD" and b"FAIL" in [word.upper() for word in command])


# A command may change what its reply does not tell: each of the differential test's commands makes
# the same events on both servers, when it says the same.
def compare_events(templates, count, events):
    if redis_server() is None:
        raise Skip("redis-server is not installed")
    generator = Generator(random.Random(count), templates)
    generator.templates += Generator(generator.random, OTHER_TYPES).templates
    options = dict(OPTIONS, **{"notify-keyspace-events": events})
    differing = []
    with closing(Heard(redis_server(), options)) as redis, closing(Heard(roxdb(), options)) as rox:
        listed = redis.server.call("COMMAND")
        writers = {entry[0].upper() for entry in listed if b"write" in entry[2]}
        for _ in range(count):
            command = generator.command()
            wanted, actual = redis.ask(command), rox.ask(command)
            name = command[0].upper()
            # Members are looked up in the order in which they are sorted, which is not promised.
            sides = [sorted(told) if name.startswith(b"SORT") else told
                     for _, told in (wanted, actual)]
            same_reply = wanted[0] == actual[0]
            if may_differ(command, actual[1]) or may_differ(command, wanted[1]) or (
                    not same_reply and name in writers):
                redis.ask(["FLUSHALL"])
                rox.ask(["FLUSHALL"])
            elif same_reply and sides[0] != sides[1]:
                differing.append("%s: %s\n      redis-server: %s" % (
                    show_command(command), actual[1], wanted[1]))
    expect_that(not differing, "%d of %d:\n    %s" % (
        len(differing), count, "\n    ".join(differing[:20])))


def events_of(family):
    def check():
        compare_events(getattr(_generate, family), 3000, "KEA")
        # Which commands on streams count a key as missed has changed with Redis 7.2.
        compare_events(getattr(_generate, family), 1500,
                       "Exn$lshzgt" + ("" if family == "STREAM" else "m"))

    check.__name__ = "events_of_%s" % family.lower()
    return check


for family in ("STRING", "GENERIC", "LIST", "SET", "HASH", "SORTED_SET", "GEO", "STREAM", "BITMAP",
               "HYPERLOGLOG", "SORT"):
    test(events_of(family))


# ---- RoxDB alone ----

@test
def ones_own_message_comes_behind_the_reply():
    with Stage(roxdb(), 3) as stage:
        expect(stage.play("""
            a: SUBSCRIBE x
            a: PUBLISH x 1
            a: MULTI; PUBLISH x 2; PUBLISH x 3; EXEC
        """)[2:], ["a: PUBLISH x 1", "a <- :1", "a <- >3 $7 message $1 x $1 1",
                   "a: MULTI; PUBLISH x 2; PUBLISH x 3; EXEC",
                   "a <- +OK", "a <- +QUEUED", "a <- +QUEUED", "a <- *2 :1 :1",
                   "a <- >3 $7 message $1 x $1 2", "a <- >3 $7 message $1 x $1 3"])


@test
def a_subscriber_that_does_not_read_is_dropped_and_the_others_hear_all():
    with Server(roxdb(), OPTIONS) as server:
        server.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 4mb 0 0")
        with server.connect() as slow, server.connect() as quick, server.connect() as speaker:
            for client in (slow, quick):
                client.call("SUBSCRIBE", "x")
            message = b"m" * 100_000
            for number in range(400):
                speaker.call("PUBLISH", "x", message)
                expect(quick.read()[2], message)
            expect(speaker.call("PUBSUB", "NUMSUB", "x"), [b"x", 1])
            expect(server.info("stats")["client_output_buffer_limit_disconnections"], "1")


@test
def ten_thousand_subscribers_hear_one_message():
    """As many as the machine lets a process open."""
    import resource
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    clients = min(10_000, limit // 2 - 200) if limit != resource.RLIM_INFINITY else 10_000
    if clients < 1000:
        raise Skip("too few files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with Server(roxdb(), dict(OPTIONS, maxclients=20_000)) as server:
        subscribers = [server.connect() for _ in range(clients)]
        for client in subscribers:
            client.send(encode(["SUBSCRIBE", "x"]))
        for client in subscribers:
            client.read()
        with server.connect() as speaker:
            expect(speaker.call("PUBLISH", "x", b"m" * 3000), clients)
            for client in subscribers:
                expect(client.read()[2], b"m" * 3000)
        for client in subscribers:
            client.close()


if __name__ == "__main__":
    sys.exit(run())
