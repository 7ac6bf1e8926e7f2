#!/usr/bin/env python3
"""python3-redis: the main methods of every type, and what they make of our replies.

A method that gives back what it should has sent words we understand and has read the reply it
expects; what a command does in all its forms is differential.py's business. The package speaks
RESP2. ROX_SERVER=/usr/bin/redis-server tries the tests themselves.
"""
import sys
import threading
import time

from _checks import Skip, expect, expect_that, run, test
from _server import PATIENCE_S, Server

try:
    import redis
except ImportError:
    redis = None

_shared = None


def fresh():
    """A client of a server that holds nothing."""
    global _shared
    if redis is None:
        raise Skip("python3-redis is not installed")
    if _shared is None or not _shared.is_running():
        _shared = Server()
    client = redis.Redis(host="127.0.0.1", port=_shared.port, socket_timeout=PATIENCE_S)
    client.flushall()
    return client


def refused(text, method, *words, **options):
    """The method must fail with an error of the server that has `text` in it."""
    try:
        result = method(*words, **options)
    except redis.ResponseError as error:
        expect_that(text in str(error), "%s, expected %s" % (error, text))
        return
    raise AssertionError("%r, expected an error with %r" % (result, text))


class Later:
    """A method that waits for somebody, called by a thread; result() is what it gave back."""

    def __init__(self, observer, method, *words, **options):
        waiting = observer.info("clients")["blocked_clients"]
        self.thread = threading.Thread(target=self.work, args=(method, words, options), daemon=True)
        self.outcome = None
        self.thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while observer.info("clients")["blocked_clients"] == waiting:
            expect_that(time.monotonic() < deadline, "it does not wait: %r" % (self.outcome,))
            time.sleep(0.002)

    def work(self, method, words, options):
        try:
            self.outcome = method(*words, **options)
        except redis.RedisError as error:
            self.outcome = error

    def result(self):
        self.thread.join(PATIENCE_S)
        return self.outcome


# ---- strings, bitmaps, HyperLogLogs ----

@test
def strings():
    client = fresh()
    expect(client.set("k", "v", ex=1000), True)
    expect(client.get("k"), b"v")
    expect_that(990 < client.ttl("k") <= 1000, client.ttl("k"))
    expect(client.set("k", "w", nx=True), None)
    expect(client.set("k", "w", xx=True, get=True), b"v")
    expect(client.set("k", "x", keepttl=True), True)
    expect(client.getex("k", persist=True), b"x")
    expect(client.getset("k", "y"), b"x")
    expect(client.getdel("k"), b"y")
    expect(client.setnx("k", "abc"), True)
    expect([client.append("k", "def"), client.strlen("k")], [6, 6])
    expect([client.getrange("k", 1, -2), client.substr("k", 0, 1)], [b"bcde", b"ab"])
    expect(client.setrange("k", 7, "h"), 8)
    expect(client.get("k"), b"abcdef\x00h")
    expect(client.mset({"a": "ohmytext", "b": "mynewtext"}), True)
    expect(client.msetnx({"a": 1, "c": 2}), False)
    expect(client.mget("a", "none", "b"), [b"ohmytext", None, b"mynewtext"])
    expect(client.lcs("a", "b"), b"mytext")
    expect(client.lcs("a", "b", len=True), 6)
    expect(client.lcs("a", "b", idx=True, minmatchlen=4, withmatchlen=True),
           [b"matches", [[[4, 7], [5, 8], 4]], b"len", 6])
    expect([client.incr("n", 5), client.decr("n"), client.incrbyfloat("n", 0.5)], [5, 4, 4.5])
    expect(client.setex("s", 100, 1) and client.psetex("p", 100_000, 1), True)
    expect([client.ttl("s"), client.pttl("none")], [100, -2])
    refused("not an integer", client.incr, "k")


@test
def bitmaps_and_bitfields():
    client = fresh()
    expect([client.setbit("b", 7, 1), client.setbit("b", 7, 0), client.setbit("b", 9, 1)],
           [0, 1, 0])
    expect([client.getbit("b", 9), client.getbit("b", 7), client.getbit("b", 99)], [1, 0, 0])
    client.set("text", "foobar")
    expect([client.bitcount("text"), client.bitcount("text", 1, 1),
            client.bitcount("text", 5, 30, mode="BIT")], [26, 6, 17])
    expect([client.bitpos("text", 1), client.bitpos("text", 1, 2), client.bitpos("text", 0, 0, 0)],
           [1, 17, 0])
    client.mset({"x": "\x0f", "y": "\x33"})
    for operation, value in (("AND", b"\x03"), ("OR", b"\x3f"), ("XOR", b"\x3c")):
        expect(client.bitop(operation, "to", "x", "y"), 1)
        expect(client.get("to"), value, operation)
    expect(client.bitop("NOT", "to", "x"), 1)
    expect(client.get("to"), b"\xf0")
    field = client.bitfield("f")
    expect(field.set("u8", 8, 255).get("u8", "#1").incrby("i5", 3, 7).execute(), [0, 255, 7])
    field = client.bitfield("f", default_overflow="SAT")
    expect(field.incrby("u8", 8, 10).get("u4", 8).execute(), [255, 15])
    expect(client.bitfield("f").overflow("FAIL").incrby("u2", 8, 1).execute(), [None])


@test
def hyperloglogs():
    client = fresh()
    expect([client.pfadd("one", *range(1000)), client.pfadd("one", 1, 2)], [1, 0])
    client.pfadd("two", *range(500, 1500))
    expect_that(950 < client.pfcount("one") < 1050, client.pfcount("one"))
    expect_that(1420 < client.pfcount("one", "two") < 1580, client.pfcount("one", "two"))
    expect(client.pfmerge("both", "one", "two"), True)
    expect(client.pfcount("both"), client.pfcount("one", "two"))


# ---- collections ----

@test
def lists():
    client = fresh()
    expect([client.rpush("l", "a", "b", "c"), client.lpush("l", "z"), client.rpushx("none", 1)],
           [3, 4, 0])
    expect([client.llen("l"), client.lindex("l", 1), client.lindex("l", 9)], [4, b"a", None])
    expect(client.lrange("l", 0, -1), [b"z", b"a", b"b", b"c"])
    expect(client.linsert("l", "BEFORE", "b", "a"), 5)
    expect([client.lpos("l", "a"), client.lpos("l", "a", rank=-1), client.lpos("l", "none"),
            client.lpos("l", "a", count=0), client.lpos("l", "a", count=0, maxlen=2)],
           [1, 2, None, [1, 2], [1]])
    expect(client.lset("l", 0, "first"), True)
    expect(client.lrem("l", 1, "a"), 1)
    expect(client.ltrim("l", 0, 2), True)
    expect(client.lrange("l", 0, -1), [b"first", b"a", b"b"])
    expect([client.lpop("l"), client.rpop("l", 2), client.lpop("l")],
           [b"first", [b"b", b"a"], None])
    client.rpush("from", 1, 2, 3)
    expect([client.lmove("from", "to", "RIGHT", "LEFT"), client.rpoplpush("from", "to")],
           [b"3", b"2"])
    expect(client.lmpop(2, "none", "to", direction="RIGHT", count=5), [b"to", [b"3", b"2"]])
    expect(client.lmpop(1, "none", direction="LEFT"), None)
    expect(client.lpush("from", *range(1000)), 1001)
    expect(client.lrange("from", -2, -1), [b"0", b"1"])
    refused("WRONGTYPE", client.incr, "from")


@test
def lists_that_are_waited_for():
    client, other = fresh(), fresh()
    expect(client.blpop(["a", "b"], timeout=0.01), None)
    client.rpush("b", 1, 2, 3, 4, 5)
    expect(client.blpop(["a", "b"]), (b"b", b"1"))
    expect(client.brpop("b", timeout=1), (b"b", b"5"))
    expect(client.blmove("b", "c", 1, "LEFT", "RIGHT"), b"2")
    expect(client.brpoplpush("b", "c", 1), b"4")
    expect(client.blmpop(1, 2, "none", "c", direction="LEFT", count=2), [b"c", [b"4", b"2"]])
    waiting = Later(other, client.blpop, ["a", "later"], timeout=0)
    other.rpush("later", "came", "stays")
    expect(waiting.result(), (b"later", b"came"))
    waiting = Later(other, client.blmove, "src", "later", 0, "LEFT", "RIGHT")
    other.rpush("src", "moved")
    expect(waiting.result(), b"moved")
    expect(other.lrange("later", 0, -1), [b"stays", b"moved"])
    number = client.client_id()
    waiting = Later(other, client.blpop, "none", timeout=0)
    expect(other.client_unblock(number, error=True), True)
    expect_that("UNBLOCKED" in str(waiting.result()), waiting.result())


@test
def sets():
    client = fresh()
    expect([client.sadd("s", 1, 2, 3), client.sadd("s", 3, "word")], [3, 1])
    expect([client.scard("s"), client.sismember("s", 1), client.sismember("s", 9)],
           [4, True, False])
    expect(client.smembers("s"), {b"1", b"2", b"3", b"word"})
    expect([bool(one) for one in client.smismember("s", [1, 9, "word"])], [True, False, True])
    client.sadd("t", 2, 3, 4)
    expect(client.sinter("s", "t"), {b"2", b"3"})
    expect(client.sunion("s", "t"), {b"1", b"2", b"3", b"4", b"word"})
    expect(client.sdiff("s", "t"), {b"1", b"word"})
    expect(client.sintercard(2, ["s", "t"], limit=1), 1)
    expect([client.sinterstore("i", "s", "t"), client.sunionstore("u", "s", "t"),
            client.sdiffstore("d", "s", "t")], [2, 5, 2])
    expect(client.smembers("i"), {b"2", b"3"})
    expect([client.smove("s", "t", "word"), client.smove("s", "t", "none")], [True, False])
    expect([client.srem("s", 1, 9), client.smembers("s")], [1, {b"2", b"3"}])
    expect_that(client.srandmember("s") in (b"2", b"3"), "a member")
    expect([sorted(client.srandmember("s", 9)), len(client.srandmember("s", -9))],
           [[b"2", b"3"], 9])
    expect(set(client.spop("s", 2)), {b"2", b"3"})
    expect(client.spop("s"), None)
    expect(client.sadd("many", *("m:%d" % number for number in range(2000))), 2000)
    expect(set(client.sscan_iter("many", match="m:1*", count=50)),
           {b"m:%d" % number for number in range(2000) if str(number)[0] == "1"})
    expect(client.sscan("i")[1] in ([b"2", b"3"], [b"3", b"2"]), True)


@test
def hashes():
    client = fresh()
    expect(client.hset("h", "f", "v"), 1)
    expect(client.hset("h", mapping={"f": "w", "n": 1, "x": "1.5"}), 2)
    expect([client.hget("h", "f"), client.hget("h", "none")], [b"w", None])
    expect(client.hmget("h", ["n", "none", "x"]), [b"1", None, b"1.5"])
    expect(client.hgetall("h"), {b"f": b"w", b"n": b"1", b"x": b"1.5"})
    expect(client.hgetall("none"), {})
    expect([client.hincrby("h", "n", 41), client.hincrbyfloat("h", "x", 1)], [42, 2.5])
    expect([client.hlen("h"), client.hexists("h", "f"), client.hexists("h", "none")],
           [3, True, False])
    expect([client.hsetnx("h", "f", 1), client.hsetnx("h", "g", 1)], [0, 1])
    expect([client.hkeys("h"), client.hvals("h")],
           [[b"f", b"n", b"x", b"g"], [b"w", b"42", b"2.5", b"1"]])
    expect([client.hstrlen("h", "n"), client.hdel("h", "f", "none")], [2, 1])
    expect_that(client.hrandfield("h") in (b"n", b"x", b"g"), "a field")
    pairs = client.hrandfield("h", 9, withvalues=True)
    expect(dict(zip(pairs[::2], pairs[1::2])), client.hgetall("h"))
    many = {"field:%d" % number: number for number in range(1500)}
    expect(client.hset("many", mapping=many), 1500)
    expect(dict(client.hscan_iter("many", count=100)),
           {name.encode(): b"%d" % value for name, value in many.items()})
    expect(dict(client.hscan_iter("many", match="field:77?")),
           {b"field:%d" % number: b"%d" % number for number in range(770, 780)})
    refused("WRONGTYPE", client.lpush, "h", 1)


@test
def sorted_sets():
    client = fresh()
    expect(client.zadd("z", {"a": 1, "b": 2, "c": 3, "d": 4}), 4)
    expect([client.zadd("z", {"a": 5, "e": 5}, nx=True),
            client.zadd("z", {"a": 5, "f": 1}, xx=True),
            client.zadd("z", {"a": 1, "b": 3}, xx=True, ch=True),
            client.zadd("z", {"a": 0, "b": 9}, gt=True, ch=True),
            client.zadd("z", {"c": 9, "b": 2}, lt=True, ch=True),
            client.zadd("z", {"a": 1.5}, incr=True)], [1, 0, 2, 1, 1, 2.5])
    expect(client.zrange("z", 0, -1, withscores=True),
           [(b"b", 2.0), (b"a", 2.5), (b"c", 3.0), (b"d", 4.0), (b"e", 5.0)])
    expect(client.zrange("z", 0, 1, desc=True), [b"e", b"d"])
    expect(client.zrange("z", 2.5, "(5", byscore=True, withscores=True,
                         score_cast_func=lambda score: float(score) * 2),
           [(b"a", 5.0), (b"c", 6.0), (b"d", 8.0)])
    expect(client.zrange("z", "+inf", "-inf", byscore=True, desc=True, offset=1, num=2),
           [b"d", b"c"])
    expect([client.zrevrange("z", 0, 0), client.zrangebyscore("z", "(2", 4, start=1, num=1),
            client.zrevrangebyscore("z", 4, "(2.5")], [[b"e"], [b"c"], [b"d", b"c"]])
    expect(client.zrangestore("part", "z", 1, 2), 2)
    expect([client.zscore("z", "a"), client.zscore("z", "none"),
            client.zmscore("z", ["b", "none"])], [2.5, None, [2.0, None]])
    expect([client.zrank("z", "a"), client.zrevrank("z", "a"), client.zrank("z", "none")],
           [1, 3, None])
    expect([client.zcard("z"), client.zcount("z", "(2", 4), client.zincrby("z", 1, "d")],
           [5, 3, 5.0])
    expect([client.zrem("z", "b", "none"), client.zremrangebyrank("z", 0, 0),
            client.zremrangebyscore("z", "-inf", 3)], [1, 1, 1])
    expect([client.zpopmin("z"), client.zpopmax("z", 3)], [[(b"d", 5.0)], [(b"e", 5.0)]])
    client.zadd("words", dict.fromkeys("abcdef", 0))
    expect([client.zrangebylex("words", "[b", "(e"), client.zrevrangebylex("words", "+", "[e"),
            client.zrange("words", "-", "(c", bylex=True), client.zlexcount("words", "-", "+"),
            client.zremrangebylex("words", "[b", "[d")],
           [[b"b", b"c", b"d"], [b"f", b"e"], [b"a", b"b"], 6, 3])
    expect_that(client.zrandmember("words") in (b"a", b"e", b"f"), "a member")
    expect(len(client.zrandmember("words", -7)), 7)
    pairs = client.zrandmember("words", 9, withscores=True)
    expect(sorted(pairs[::2]) + pairs[1::2], [b"a", b"e", b"f"] + [b"0"] * 3)
    client.zadd("many", {"m:%d" % number: number / 2 for number in range(1000)})
    expect(dict(client.zscan_iter("many", count=50)),
           {b"m:%d" % number: number / 2 for number in range(1000)})
    expect(client.zrange("many", 500, 501), [b"m:500", b"m:501"])
    expect(client.zadd("inf", {"x": "inf", "y": "-inf"}), 2)
    expect(client.zrange("inf", 0, -1, withscores=True),
           [(b"y", float("-inf")), (b"x", float("inf"))])


@test
def algebra_of_sorted_sets():
    client = fresh()
    client.zadd("a", {"x": 1, "y": 2, "z": 3})
    client.zadd("b", {"y": 10, "z": 20, "w": 30})
    expect(client.zinter(["a", "b"], withscores=True), [(b"y", 12.0), (b"z", 23.0)])
    expect(client.zinter({"a": 2, "b": 1}, aggregate="MAX", withscores=True),
           [(b"y", 10.0), (b"z", 20.0)])
    expect(client.zunion(["a", "b"], aggregate="MIN", withscores=True),
           [(b"x", 1.0), (b"y", 2.0), (b"z", 3.0), (b"w", 30.0)])
    expect([client.zunion(["a", "b"]), client.zdiff(["a", "b"])],
           [[b"x", b"y", b"z", b"w"], [b"x"]])
    expect(client.zdiff(["a", "b"], withscores=True), [b"x", b"1"])
    expect(client.zintercard(2, ["a", "b"], limit=1), 1)
    expect([client.zinterstore("i", {"a": 1, "b": 3}), client.zunionstore("u", ["a", "b"]),
            client.zdiffstore("d", ["b", "a"])], [2, 4, 1])
    expect(client.zrange("i", 0, -1, withscores=True), [(b"y", 32.0), (b"z", 63.0)])
    expect(client.zmpop(2, ["none", "u"], max=True, count=2),
           [b"u", [[b"w", b"30"], [b"z", b"23"]]])


@test
def sorted_sets_that_are_waited_for():
    client, other = fresh(), fresh()
    expect(client.bzpopmin("z", timeout=0.01), None)
    client.zadd("z", {"a": 1, "b": 2, "c": 3})
    expect(client.bzpopmin(["none", "z"], timeout=1), (b"z", b"a", 1.0))
    expect(client.bzpopmax("z"), (b"z", b"c", 3.0))
    expect(client.bzmpop(1, 1, ["z"], min=True), [b"z", [[b"b", b"2"]]])
    waiting = Later(other, client.bzpopmax, ["y", "later"], timeout=0)
    other.zadd("later", {"low": 1, "high": 2.5})
    expect(waiting.result(), (b"later", b"high", 2.5))


@test
def places():
    client = fresh()
    expect(client.geoadd("g", (13.361389, 38.115556, "Palermo",
                               15.087269, 37.502669, "Catania")), 2)
    expect(client.geoadd("g", (2.35, 48.85, "Palermo"), nx=True), 0)
    expect(client.geodist("g", "Palermo", "Catania", unit="km"), 166.2742)
    expect(client.geodist("g", "Palermo", "none"), None)
    expect(client.geohash("g", "Palermo", "none"), ["sqc8b49rny0", None])
    (longitude, latitude), none = client.geopos("g", "Catania", "none")
    expect([round(longitude, 5), round(latitude, 5), none], [15.08727, 37.50267, None])
    expect(client.georadius("g", 15, 37, 200, unit="km", withdist=True, sort="ASC"),
           [[b"Catania", 56.4413], [b"Palermo", 190.4424]])
    expect(client.georadiusbymember("g", "Palermo", 10, unit="km"), [b"Palermo"])
    expect(client.geosearch("g", longitude=15, latitude=37, radius=100, unit="km"), [b"Catania"])
    expect(client.geosearch("g", member="Catania", width=400, height=400, unit="km", sort="DESC",
                            count=1, withhash=True), [[b"Palermo", 3479099956230698]])
    expect(client.geosearchstore("near", "g", longitude=15, latitude=37, radius=200, unit="km",
                                 storedist=True), 2)
    expect([round(score, 4) for _, score in client.zrange("near", 0, -1, withscores=True)],
           [56.4413, 190.4424])


# ---- streams ----

@test
def streams():
    client = fresh()
    expect(client.xadd("s", {"f": "v", "g": 1}, id="1-1"), b"1-1")
    expect(client.xadd("s", {"f": "w"}, id="1-*"), b"1-2")
    later = client.xadd("s", {"f": "x"})
    expect_that(int(later.split(b"-")[0]) > 1_600_000_000_000, later)
    expect(client.xadd("none", {"f": 1}, nomkstream=True), None)
    refused("equal or smaller", client.xadd, "s", {"f": 1}, id="1-1")
    expect([client.xlen("s"), client.xlen("none")], [3, 0])
    expect(client.xrange("s", "-", "1-1"), [(b"1-1", {b"f": b"v", b"g": b"1"})])
    expect([one for one, _ in client.xrevrange("s", "+", "(1-1", count=1)], [later])
    expect(client.xread({"s": "1-1"}, count=1), [[b"s", [(b"1-2", {b"f": b"w"})]]])
    expect(client.xread({"s": later}), [])
    expect(client.xread({"s": "$"}, block=10), [])
    expect([client.xdel("s", "1-2", "9-9"), client.xlen("s")], [1, 2])
    expect(client.xadd("s", {"f": "y"}, maxlen=1, approximate=False) > later, True)
    expect([client.xlen("s"), client.xtrim("s", minid="99999999999999", approximate=False)], [1, 1])
    for number in range(500):
        client.xadd("long", {"n": number}, id="%d-0" % (number + 1), maxlen=300, approximate=True)
    expect_that(300 <= client.xlen("long") <= 400, client.xlen("long"))
    expect(client.xrevrange("long", count=1), [(b"500-0", {b"n": b"499"})])
    about = client.xinfo_stream("long")
    expect([about["last-generated-id"], about["groups"], about["last-entry"]],
           [b"500-0", 0, (b"500-0", {b"n": b"499"})])


@test
def streams_that_are_waited_for():
    client, other = fresh(), fresh()
    waiting = Later(other, client.xread, {"s": "$"}, block=0)
    other.xadd("s", {"f": "v"}, id="5-5")
    expect(waiting.result(), [[b"s", [(b"5-5", {b"f": b"v"})]]])
    other.xgroup_create("s", "g")
    waiting = Later(other, client.xreadgroup, "g", "me", {"s": ">"}, block=0)
    other.xadd("s", {"f": "w"}, id="5-6")
    expect(waiting.result(), [[b"s", [(b"5-6", {b"f": b"w"})]]])
    expect(other.xpending("s", "g")["consumers"], [{"name": b"me", "pending": 1}])


@test
def consumer_groups():
    client = fresh()
    expect(client.xgroup_create("s", "g", id="0", mkstream=True), True)
    refused("BUSYGROUP", client.xgroup_create, "s", "g")
    for number in range(1, 6):
        client.xadd("s", {"n": number}, id="%d-0" % number)
    entries = [(b"%d-0" % number, {b"n": b"%d" % number}) for number in range(1, 6)]
    expect(client.xreadgroup("g", "ann", {"s": ">"}, count=3), [[b"s", entries[:3]]])
    expect(client.xreadgroup("g", "bob", {"s": ">"}), [[b"s", entries[3:]]])
    expect(client.xreadgroup("g", "bob", {"s": ">"}), [])
    expect(client.xreadgroup("g", "bob", {"s": "0"}), [[b"s", entries[3:]]])
    expect(client.xack("s", "g", "1-0", "9-0"), 1)
    expect(client.xpending("s", "g"), {
        "pending": 4, "min": b"2-0", "max": b"5-0",
        "consumers": [{"name": b"ann", "pending": 2}, {"name": b"bob", "pending": 2}]})
    pending = client.xpending_range("s", "g", "-", "+", 10, consumername="bob")
    expect([(one["message_id"], one["consumer"], one["times_delivered"]) for one in pending],
           [(b"4-0", b"bob", 2), (b"5-0", b"bob", 2)])
    expect(client.xclaim("s", "g", "bob", 0, ["2-0"]), entries[1:2])
    expect(client.xclaim("s", "g", "bob", 0, ["3-0"], justid=True), [b"3-0"])
    cursor, claimed, deleted = client.xautoclaim("s", "g", "cy", 0, count=2)
    expect([cursor, claimed, deleted], [b"4-0", entries[1:3], []])
    client.xdel("s", "4-0")
    cursor, claimed, deleted = client.xautoclaim("s", "g", "cy", 0, start_id=cursor)
    expect([cursor, claimed, deleted], [b"0-0", entries[4:], [b"4-0"]])
    expect(client.xautoclaim("s", "g", "cy", 0, justid=True), [b"2-0", b"3-0", b"5-0"])
    group, = client.xinfo_groups("s")
    expect([group["name"], group["consumers"], group["pending"], group["last-delivered-id"]],
           [b"g", 3, 3, b"5-0"])
    expect({one["name"]: one["pending"] for one in client.xinfo_consumers("s", "g")},
           {b"ann": 0, b"bob": 0, b"cy": 3})
    whole = client.xinfo_stream("s", full=True)
    expect([whole["entries"][b"1-0"], whole["groups"][0]["name"],
            len(whole["groups"][0]["pending"])], [{b"n": b"1"}, b"g", 3])
    expect([client.xgroup_createconsumer("s", "g", "dan"),
            client.xgroup_delconsumer("s", "g", "cy")], [1, 3])
    expect(client.xgroup_setid("s", "g", "2-0"), True)
    expect(client.xreadgroup("g", "ann", {"s": ">"}, noack=True),
           [[b"s", [entries[2], entries[4]]]])
    expect([client.xpending("s", "g")["pending"], client.xgroup_destroy("s", "g")], [0, 1])
    refused("NOGROUP", client.xreadgroup, "g", "ann", {"s": ">"})


# ---- keys ----

@test
def sorting():
    client = fresh()
    client.rpush("l", 3, 10, 2, 1)
    expect(client.sort("l"), [b"1", b"2", b"3", b"10"])
    expect(client.sort("l", desc=True, start=1, num=2), [b"3", b"2"])
    expect(client.sort("l", alpha=True), [b"1", b"10", b"2", b"3"])
    client.mset({"w:1": 9, "w:2": 8, "w:3": 7, "w:10": 6, "n:1": "one", "n:2": "two"})
    expect(client.sort("l", by="w:*"), [b"10", b"3", b"2", b"1"])
    expect(client.sort("l", get=["#", "n:*"], groups=True, num=2, start=0),
           [(b"1", b"one"), (b"2", b"two")])
    expect([client.sort("l", store="to"), client.lrange("to", 0, 0)], [4, [b"1"]])
    client.sadd("s", "b", "a")
    expect(client.sort("s", alpha=True), [b"a", b"b"])
    expect(client.sort_ro("l", desc=True), [b"10", b"3", b"2", b"1"])
    refused("double", client.sort, "s")


@test
def keys_of_all_types():
    client = fresh()
    client.set("string", "v")
    client.rpush("list", 1)
    client.sadd("set", 1)
    client.hset("hash", "f", 1)
    client.zadd("zset", {"m": 1})
    client.xadd("stream", {"f": 1})
    names = [b"string", b"list", b"set", b"hash", b"zset", b"stream"]
    expect([client.type(name) for name in names], names)
    expect(set(client.scan_iter()), set(names))
    for name in names:
        expect(list(client.scan_iter(_type=name.decode())), [name])
    expect(set(client.scan_iter(match="s*t")), {b"set"})
    expect([client.exists(*names), client.dbsize(), sorted(client.keys("?ist"))], [6, 6, [b"list"]])
    for name in names:
        copy = name + b":copy"
        payload = client.dump(name)
        expect(client.restore(copy, 0, payload), b"OK")
        expect(client.dump(copy), payload, name)
        refused("BUSYKEY", client.restore, copy, 0, payload)
        expect(client.restore(copy, 100_000, payload, replace=True), b"OK")
        expect_that(0 < client.pttl(copy) <= 100_000, client.pttl(copy))
        expect([client.copy(name, copy), client.copy(name, copy, replace=True)], [False, True])
        expect([client.ttl(copy), client.type(copy)], [-1, name])
        expect([client.rename(copy, "other"), client.renamenx("other", name)], [True, False])
        expect([client.expire("other", 100), client.ttl("other"), client.persist("other")],
               [True, 100, True])
        expect_that(client.memory_usage(name) > 0 and client.object("idletime", name) >= 0, name)
    expect([client.unlink(*names), client.delete("other", "none"), client.dbsize()], [6, 1, 0])
    refused("no such key", client.rename, "none", "to")
    refused("checksum", client.restore, "k", 0, b"no payload")


@test
def pipelines():
    client = fresh()
    with client.pipeline(transaction=False) as pipeline:
        for number in range(2000):
            pipeline.set("key:%d" % number, number)
        expect(pipeline.execute(), [True] * 2000)
    expect(len(set(client.scan_iter(match="key:*", count=100))), 2000)
    with client.pipeline(transaction=False) as pipeline:
        pipeline.rpush("l", 1, 2).lrange("l", 0, -1).sadd("s", 1).smembers("s")
        pipeline.hset("h", "f", 1).hgetall("h").zadd("z", {"m": 1.5})
        pipeline.zrange("z", 0, -1, withscores=True).xadd("x", {"f": 1}, id="1-1").xrange("x")
        expect(pipeline.execute(), [2, [b"1", b"2"], 1, {b"1"}, 1, {b"f": b"1"}, 1, [(b"m", 1.5)],
                                    b"1-1", [(b"1-1", {b"f": b"1"})]])
    with_error = client.pipeline(transaction=False)
    with_error.set("text", "abc").incr("text").get("text")
    results = with_error.execute(raise_on_error=False)
    expect([results[0], results[2]], [True, b"abc"])
    expect_that(isinstance(results[1], redis.ResponseError), results[1])


@test
def the_server_tells_of_itself():
    client = fresh()
    expect_that(client.info()["redis_version"], "INFO")
    expect(client.config_get("hz"), {"hz": "10"})
    expect(client.client_setname("me"), True)
    expect([one["name"] for one in client.client_list()].count("me"), 1)
    expect_that(client.command_count() > 200, client.command_count())
    commands = client.command()
    expect([commands[name]["arity"] for name in ("lpush", "zadd", "xreadgroup")], [-3, -4, -7])


if __name__ == "__main__":
    sys.exit(run())
