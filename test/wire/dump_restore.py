#!/usr/bin/env python3
"""Values travel between RoxDB and redis-server, by DUMP and RESTORE, in RDB files and in logs.

Random values of every type, made by commands on redis-server under random limits, must come out the
same in RoxDB and, sent back, in redis-server. What is compared is what the commands of a type show.

    ROX_SEED=n     other values; the seed of a run is printed
    ROX_SCALE=x    so many times the values
    ROX_REDIS=path another redis-server, or a valkey-server, than Debian's 7.0.15
"""
import hashlib
import os
import random
import shutil
import sys
import zlib

from _checks import Skip, expect, expect_that, run, shorten, test
from _resp import Error
from _server import Server, redis_server, roxdb

SEED = int(os.environ.get("ROX_SEED", "20240607"))
SCALE = float(os.environ.get("ROX_SCALE", "1"))
VALUES = int(60 * SCALE)

FAR_MS = 4 * 10 ** 12  # of the epoch: nothing that is made here expires

# redis-server looks at every element of what it is given.
STRICT = {"sanitize-dump-payload": "yes"}

# Where packed encodings end, few or many elements from now.
LIMITS = {
    "list-max-listpack-size": ["-2", "3", "-1"],
    "set-max-intset-entries": ["512", "4"],
    "hash-max-listpack-entries": ["128", "4"],
    "hash-max-listpack-value": ["64", "8"],
    "zset-max-listpack-entries": ["128", "4"],
    "zset-max-listpack-value": ["64", "8"],
    "stream-node-max-entries": ["100", "3"],
}


def integer(chance):
    """An integer near a border of some encoding."""
    bits = chance.choice([0, 3, 6, 7, 12, 13, 15, 16, 23, 24, 31, 32, 40, 62])
    return chance.choice([1, -1]) * ((1 << bits) + chance.randrange(-2, 2))


def text(chance):
    kind = chance.randrange(8)
    if kind < 3:
        return str(integer(chance)).encode()
    if kind == 3:
        return chance.choice([b"", b"007", b"-0", b"+1", b"1.5", b"9223372036854775808", b"nan"])
    if kind == 4:
        return b"ab" * chance.randrange(200)  # worth compressing
    size = chance.choice([5, 20, 63, 64, 65, 130, 4095, 4096])
    return chance.randbytes(chance.randrange(size))


def count(chance):
    return chance.choice([1, 2, 3, 10, 100, 600])


def score(chance):
    return chance.choice([str(integer(chance)), repr(chance.uniform(-10, 10)), "inf", "-inf",
                          "1e300", "-0", "0.1", "5e-324"])


def make_string(chance, key):
    yield ["SET", key, chance.choice([text(chance), chance.randbytes(70000), b"x" * 70000])]


def make_list(chance, key):
    long = [chance.randbytes(30000)] if chance.randrange(5) == 0 else []
    yield ["RPUSH", key] + [text(chance) for _ in range(count(chance))] + long
    if chance.randrange(2):
        yield ["LPUSH", key] + [text(chance) for _ in range(count(chance))]


def make_set(chance, key):
    member = chance.choice([integer, text])
    yield ["SADD", key] + [member(chance) for _ in range(count(chance))]


def make_hash(chance, key):
    yield ["HSET", key] + [text(chance) for _ in range(2 * count(chance))]


def make_sorted_set(chance, key):
    words = ["ZADD", key]
    for _ in range(count(chance)):
        words += [score(chance), text(chance)]
    yield words


def record_ids(chance, records):
    ms = 0
    for seq in range(records):
        ms += chance.choice([0, 0, 1, 1000])
        yield "%d-%d" % (ms, seq + 1)


def make_stream(chance, key):
    fields = [text(chance) for _ in range(chance.randrange(1, 4))]
    ids = list(record_ids(chance, count(chance)))
    for one in ids:
        names = fields if chance.randrange(4) else [text(chance)]
        yield ["XADD", key, one] + [word for name in names for word in (name, text(chance))]
    for group in ("first", "second")[:chance.randrange(3)]:
        yield ["XGROUP", "CREATE", key, group, chance.choice(["0", "$", chance.choice(ids)])]
        yield ["XGROUP", "CREATECONSUMER", key, group, "idle"]
        for consumer in ("alice", "bob"):
            yield ["XREADGROUP", "GROUP", group, consumer, "COUNT", chance.randrange(1, 20),
                   "STREAMS", key, ">"]
        yield ["XACK", key, group] + chance.sample(ids, min(len(ids), 3))
        yield ["XCLAIM", key, group, "carol", "0", chance.choice(ids), "RETRYCOUNT", "7"]
    if chance.randrange(2):
        yield ["XDEL", key] + chance.sample(ids, min(len(ids), chance.randrange(1, 6)))
    if chance.randrange(3) == 0:
        yield ["XTRIM", key, "MAXLEN", chance.randrange(len(ids) + 1)]
    if chance.randrange(4) == 0:
        yield ["XSETID", key, "9999999-9", "ENTRIESADDED", 5000, "MAXDELETEDID", "9000000-1"]


def make_expiring_hash(chance, key):
    names = ["f%d" % number for number in range(count(chance))]
    yield ["HSET", key] + [word for name in names for word in (name, text(chance))]
    for name in chance.sample(names, min(len(names), 5)):
        yield ["HPEXPIREAT", key, FAR_MS + chance.randrange(10 ** 9), "FIELDS", 1, name]


MAKERS = [make_string, make_list, make_set, make_hash, make_sorted_set, make_stream]


def makers(connection):
    """Those whose commands the server knows: 7.0 has no fields that expire."""
    knows_fields = connection.call("COMMAND", "INFO", "HPEXPIREAT") != [None]
    return MAKERS + [make_expiring_hash] * knows_fields


def is_one_way(maker, connection):
    """Fields that expire have two forms, and a payload of ours is in that of Redis."""
    return maker is make_expiring_hash and "valkey_version" in connection.info("server")


def pairs(flat):
    return [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]


def look_at_stream(connection, key, has_idle):
    """Records, past, groups, and who has what; not when, since time goes on. Nor the lag, which is
    reckoned from these, differently in later versions of Redis. Without `has_idle` consumers count
    who have something."""
    past = dict(pairs(connection.call("XINFO", "STREAM", key)))
    shown = [connection.call("XRANGE", key, "-", "+")]
    shown += [past[name] for name in (b"length", b"last-generated-id", b"max-deleted-entry-id",
                                      b"entries-added", b"recorded-first-entry-id")]
    for group in connection.call("XINFO", "GROUPS", key):
        name = dict(pairs(group))[b"name"]
        waiting = connection.call("XPENDING", key, name, "-", "+", 10000)
        consumers = [dict(pairs(one)) for one in connection.call("XINFO", "CONSUMERS", key, name)]
        shown.append([[word for word in pairs(group[:group.index(b"lag")])
                       if has_idle or word[0] != b"consumers"],
                      [(one[0], one[1], one[3]) for one in waiting],
                      [(one[b"name"], one[b"pending"]) for one in consumers
                       if has_idle or one[b"pending"]]])
    return shown


def look_at(connection, key, has_idle=True):
    """What a key holds, in the words of its type."""
    kind = connection.call("TYPE", key)
    if kind == b"string":
        return kind, connection.call("GET", key)
    if kind == b"list":
        return kind, connection.call("LRANGE", key, 0, -1)
    if kind == b"set":
        return kind, sorted(connection.call("SMEMBERS", key))
    if kind == b"hash":
        fields = sorted(pairs(connection.call("HGETALL", key)))
        times = connection.call("HPEXPIRETIME", key, "FIELDS", len(fields),
                                *[name for name, _ in fields])
        # A server that does not know the command has no times.
        return kind, fields, [-1] * len(fields) if isinstance(times, Error) else times
    if kind == b"zset":
        return kind, [(member, float(value)) for member, value
                      in pairs(connection.call("ZRANGE", key, 0, -1, "WITHSCORES"))]
    if kind == b"stream":
        return kind, look_at_stream(connection, key, has_idle)
    raise AssertionError("%s is a %s" % (key, kind))


def set_limits(chance, connection):
    for name, values in LIMITS.items():
        expect(connection.call("CONFIG", "SET", name, chance.choice(values)), b"OK", name)


def need_redis():
    if redis_server() is None:
        raise Skip("redis-server is not installed")


def make_keys(chance, connection, maker, keys, prefix=""):
    """Some values of one kind; the names of those that are there in the end."""
    made = []
    for number in range(keys):
        set_limits(chance, connection)
        key = "%s:%s:%d" % (prefix, maker.__name__, number)
        for words in maker(chance, key):
            reply = connection.call(*words)
            expect_that(not isinstance(reply, Error), "%s: %s" % (shorten(repr(words)), reply))
        if connection.call("EXISTS", key):
            made.append(key)
    return made


def make_everything(chance, connection, prefix="", values=VALUES):
    """Values of every kind, and how they look."""
    wanted = {}
    for maker in makers(connection):
        for key in make_keys(chance, connection, maker, values, prefix):
            wanted[key.encode()] = look_at(connection, key)
    return wanted


def expect_everything(server, wanted, what="", has_idle=True):
    connection = server.connect()
    expect(sorted(connection.call("KEYS", "*")), sorted(wanted), what)
    for key, value in wanted.items():
        expect(look_at(connection, key, has_idle), value, "%s %s" % (key, what))


def chance_for(name):
    seed = "%d-%s" % (SEED, name)
    print("  seed %s" % seed)
    return random.Random(zlib.crc32(seed.encode()))


@test
def values_are_the_same_there_and_back():
    need_redis()
    chance = chance_for("values")
    with Server(redis_server(), STRICT) as there, Server(roxdb()) as here:
        redis, rox = there.connect(), here.connect()
        for maker in makers(redis):
            for key in make_keys(chance, redis, maker, VALUES):
                wanted = look_at(redis, key)
                set_limits(chance, rox)
                expect(rox.call("RESTORE", key, 0, redis.call("DUMP", key)), b"OK", key)
                expect(look_at(rox, key), wanted, "%s in RoxDB" % key)
                if is_one_way(maker, redis):
                    continue
                payload = rox.call("DUMP", key)
                expect(redis.call("RESTORE", key, 0, payload, "REPLACE"), b"OK", key)
                expect(look_at(redis, key), wanted, "%s sent back" % key)
                # The encoding in between was another one, as a rule.
                set_limits(chance, rox)
                expect(rox.call("RESTORE", key, 0, payload, "REPLACE"), b"OK", key)
                expect(look_at(rox, key), wanted, "%s in RoxDB again" % key)


@test
def a_value_changed_here_is_the_same_there():
    need_redis()
    chance = chance_for("changed")
    with Server(redis_server(), STRICT) as there, Server(roxdb()) as here:
        redis, rox = there.connect(), here.connect()
        for maker in makers(redis):
            if is_one_way(maker, redis):
                continue
            for key in make_keys(chance, rox, maker, VALUES):
                expect(redis.call("RESTORE", key, 0, rox.call("DUMP", key)), b"OK", key)
                expect(look_at(redis, key), look_at(rox, key), key)


@test
def a_file_of_redis_is_loaded():
    need_redis()
    chance = chance_for("file")
    with Server(redis_server(), STRICT) as there:
        redis = there.connect()
        wanted = make_everything(chance, redis)
        expect(redis.call("SAVE"), b"OK")
        here = Server(roxdb(), start=False)
        shutil.copy(os.path.join(there.directory, "dump.rdb"), here.directory)
        with here.start():
            expect_everything(here, wanted)


# What they write under "aof-use-rdb-preamble": a base that is an RDB file, or one of requests.
def log_of_redis(chance, preamble):
    """A stopped server's directory with a log in it, rewritten in the middle, and what it holds."""
    there = Server(redis_server(), dict(STRICT, **{"appendonly": "yes",
                                                   "aof-use-rdb-preamble": preamble}))
    redis = there.connect()
    make_everything(chance, redis, "before", VALUES // 4)
    expect_that(not isinstance(redis.call("BGREWRITEAOF"), Error), "BGREWRITEAOF")
    there.wait_for_background_save()
    make_everything(chance, redis, "behind", VALUES // 4)
    for words in (["MULTI"], ["SELECT", 3], ["SET", "there", "3"], ["SELECT", 0],
                  ["PEXPIREAT", "behind:make_string:0", FAR_MS], ["EXEC"]):
        redis.call(*words)
    # What it reads itself. Consumers who have nothing are not in every log; 7.0 does not make one
    # again for what was deleted meanwhile.
    there.stop()
    redis = there.start().connect()
    wanted = {key: look_at(redis, key, has_idle=False) for key in redis.call("KEYS", "*")}
    there.stop()
    return there, wanted


@test
def a_log_of_redis_is_loaded():
    need_redis()
    chance = chance_for("log")
    for preamble in ("yes", "no"):
        there, wanted = log_of_redis(chance, preamble)
        with there, Server(roxdb(), {"appendonly": "yes"}, directory=there.directory) as here:
            for start in ("imported", "loaded again"):
                expect_everything(here, wanted, "%s, preamble %s" % (start, preamble), False)
                expect(here.call("PEXPIRETIME", "behind:make_string:0"), FAR_MS)
                rox = here.connect()
                rox.call("SELECT", 3)
                expect(rox.call("GET", "there"), b"3")
                here.stop()
                here.start()


@test
def a_log_of_one_file_is_loaded():
    """As it was before 7.0: what is now two files, one behind the other."""
    need_redis()
    chance = chance_for("one-file")
    for preamble in ("yes", "no"):
        there, wanted = log_of_redis(chance, preamble)
        log = os.path.join(there.directory, "appendonlydir")
        with there, Server(roxdb(), {"appendonly": "yes"}, start=False) as here:
            with open(os.path.join(here.directory, "appendonly.aof"), "wb") as joined:
                for part in sorted(os.listdir(log)):  # base before incr
                    if "manifest" not in part:
                        with open(os.path.join(log, part), "rb") as file:
                            joined.write(file.read())
            here.start()
            expect_everything(here, wanted, "preamble " + preamble, False)
            expect(here.info()["last_recovery_result"], "imported")


def request(*words):
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in (str(one).encode() for one in words))


@test
def scripts_in_a_log_of_old_run_again():
    """Before 5.0 scripts were logged as they were sent, also those that failed in the end."""
    writes = "redis.call('SET', KEYS[1], ARGV[1], 'EX', 1000)"
    sha = hashlib.sha1(writes.encode()).hexdigest()
    with Server(roxdb(), {"appendonly": "yes"}, start=False) as here:
        with open(os.path.join(here.directory, "appendonly.aof"), "wb") as log:
            log.write(request("SCRIPT", "LOAD", writes) + request("EVALSHA", sha, 1, "a", "1") +
                      request("EVAL", "redis.call('SET', KEYS[1], 2) error('after all')", 1, "b") +
                      request("SCRIPT", "FLUSH") + request("SET", "c", "3"))
        here.start()
        expect(here.call("MGET", "a", "b", "c"), [b"1", b"2", b"3"])
        expect_that(990 <= here.call("TTL", "a") <= 1000, "a lives for a while")
        expect_that("script in the append only file failed" in here.log(), here.log())


@test
def libraries_travel_in_files():
    need_redis()
    code = "#!lua name=travels\nserver.register_function{function_name='f', " \
           "callback=function(keys, args) return args[1] end, flags={'no-writes'}}"
    code = code.replace("server.", "redis.")
    with Server(redis_server(), STRICT) as there, Server(roxdb(), start=False) as here:
        redis = there.connect()
        expect(redis.call("FUNCTION", "LOAD", code), b"travels")
        expect(redis.call("SAVE"), b"OK")
        shutil.copy(os.path.join(there.directory, "dump.rdb"), here.directory)
        rox = here.start().connect()
        expect(rox.call("FCALL", "f", 0, "x"), b"x")
        expect(rox.call("FUNCTION", "RESTORE", redis.call("FUNCTION", "DUMP"), "REPLACE"), b"OK")
        expect(redis.call("FUNCTION", "RESTORE", rox.call("FUNCTION", "DUMP"), "REPLACE"), b"OK")
        expect(redis.call("FCALL", "f", 0, "y"), b"y")


@test
def what_was_restored_outlives_a_restart():
    need_redis()
    chance = chance_for("restart")
    with Server(redis_server(), STRICT) as there, Server(roxdb(), {"appendonly": "yes"}) as here:
        redis, rox = there.connect(), here.connect()
        wanted = {}
        for maker in makers(redis):
            for key in make_keys(chance, redis, maker, 10):
                ttl = chance.choice([0, 10 ** 9])
                expect(rox.call("RESTORE", key, ttl, redis.call("DUMP", key)), b"OK", key)
                wanted[key] = look_at(rox, key), rox.call("PEXPIRETIME", key)
        here.stop()
        here.start()
        rox = here.connect()
        for key, value in wanted.items():
            expect((look_at(rox, key), rox.call("PEXPIRETIME", key)), value, key)


@test
def refusals_are_worded_alike():
    need_redis()
    with Server(redis_server(), STRICT) as there, Server(roxdb()) as here:
        redis, rox = there.connect(), here.connect()
        redis.call("SET", "k", "v")
        payload = redis.call("DUMP", "k")
        bad = bytearray(payload)
        bad[-1] ^= 1
        late = payload[:-10] + b"\x4f" + payload[-9:]
        requests = [["DUMP", "none"], ["DUMP"], ["RESTORE", "k", "0"],
                    ["RESTORE", "r", "0", payload], ["RESTORE", "r", "0", payload]]
        for words in (["-1"], ["x"], ["0"], ["0", "REPLACE"], ["0", "WHAT"], ["0", "FREQ"],
                      ["0", "FREQ", "x"], ["0", "FREQ", "256"], ["0", "FREQ", "5", "REPLACE"],
                      ["0", "IDLETIME", "-1"], ["0", "IDLETIME", "5", "FREQ", "5"],
                      ["1", "ABSTTL", "REPLACE"], ["1", "ABSTTL"],
                      ["99999999999999", "ABSTTL", "REPLACE"]):
            for blob in (payload, bytes(bad), late, b"", payload[-10:]):
                requests.append(["RESTORE", "r", words[0], blob] + words[1:])
                requests.append(["PEXPIRETIME", "r"])
        for words in requests:
            expect(rox.call(*words), redis.call(*words), shorten(repr(words)))


if __name__ == "__main__":
    sys.exit(run())
