#!/usr/bin/env python3
"""RoxDB and redis-server 7.0.15 are asked the same; their answers must be the same bytes.

Tens of thousands of generated commands (see _generate.py) go to both, in pipelines of random
length, half of them over RESP2, half over RESP3. Now and then the whole keyspace of both is read
and compared. Differences we want are listed in differences.md and nowhere else.

    ROX_SEED=n     another sequence; the one of a run is printed
    ROX_SCALE=x    so many times the commands
"""
import os
import random
import sys

from _checks import Skip, expect, expect_that, run, shorten, test
from _differences import Differences, show, show_command
from _generate import (BITMAP, CONNECTION, GENERIC, GEO, HASH, HYPERLOGLOG, KEYS, LEX, LIST,
                       OTHER_TYPES, SERVER, SET, SORT, SORTED_SET, STREAM, STRING, TRANSACTION,
                       Generator)
from _resp import encode
from _server import Connection, Server, is_redis, redis_server, roxdb

SEED = int(os.environ.get("ROX_SEED", "20240607"))
SCALE = float(os.environ.get("ROX_SCALE", "1"))
MISMATCHES_SHOWN = 12
DATABASES = 16

# Small limits bring the edges within reach. No slow log, for what is slow differs.
OPTIONS = {"proto-max-bulk-len": "1mb", "slowlog-log-slower-than": "-1", "appendonly": "no",
           "stream-node-max-entries": "5", "stream-node-max-bytes": "0"}

# What is asked of each key when all are compared; those of another type answer WRONGTYPE.
QUESTIONS = [words.split() for words in (
    b"TYPE <key>", b"OBJECT ENCODING <key>", b"PTTL <key>", b"GET <key>", b"LRANGE <key> 0 -1",
    b"HGETALL <key>",
    b"XRANGE <key> - +", b"SMEMBERS <key>", b"ZRANGE <key> 0 -1 WITHSCORES")]


class Pair:
    """Both servers, and to each a connection per protocol version."""

    def __init__(self):
        if redis_server() is None:
            raise Skip("redis-server is not installed")
        self.servers = [Server(redis_server(), OPTIONS), Server(roxdb(), OPTIONS)]
        self.connections = {version: [server.connect(version) for server in self.servers]
                            for version in (2, 3)}
        self.inspectors = [server.connect() for server in self.servers]
        self.differences = Differences()
        self.knows_other_types = all(
            reply is not None for reply in self.servers[1].call(
                "COMMAND", "INFO", "RPUSH", "SADD", "HSET", "ZADD", "XADD"))

    def ask(self, commands, version=2):
        """Sends a pipeline to both; returns the pairs of raw replies."""
        replies = []
        try:
            for connection in self.connections[version]:
                connection.send_commands(commands)
            for connection in self.connections[version]:
                replies.append(connection.read_raw_replies(len(commands)))
        except OSError as error:
            self.fail(commands, ("redis", "roxdb")[len(replies)], error)
        return list(zip(*replies))

    def fail(self, commands, who, error):
        """A connection is gone, perhaps with its server: the next test gets new ones."""
        global _pair
        _pair = None
        ends = [server.log()[-6000:] + "(exit code %s)" % server.process.poll()
                for server in self.servers if not server.is_running()]
        for server in self.servers:
            server.close()
        raise AssertionError("%s: %s, after some of\n    %s\n%s" % (
            who, error, "\n    ".join(shorten(repr(words)) for words in commands),
            "\n".join(ends))) from None

    def reset(self):
        for version in (2, 3):
            self.ask([["CONFIG", "SET", "maxmemory", "0"], ["FLUSHALL"], ["SELECT", "0"]], version)

    def compare_keyspaces(self):
        """All keys of all databases: type, encoding, value, time to live."""
        differences = []
        for db in range(DATABASES):
            names = [sorted(inspector.pipeline([["SELECT", db], ["KEYS", "*"]])[1])
                     for inspector in self.inspectors]
            if names[0] != names[1]:
                differences.append("db %d: keys of Redis %r, of RoxDB %r" % (db, *names))
                continue
            questions = [[name if word == b"<key>" else word for word in words]
                         for name in names[0] for words in QUESTIONS]
            for inspector in self.inspectors:
                inspector.send_commands(questions)
            replies = zip(*(inspector.read_raw_replies(len(questions))
                            for inspector in self.inspectors))
            for words, (redis, ours) in zip(questions, replies):
                if not self.differences.agree(words, redis, ours):
                    differences.append(describe(db, words, redis, ours))
        return differences


def describe(where, words, redis, ours):
    return "%s: %s\n      redis %s\n      roxdb %s" % (
        where, shorten(show_command(words)), shorten(show(redis)), shorten(show(ours)))


_pair = None


def pair():
    global _pair
    if _pair is None:
        _pair = Pair()
    _pair.reset()
    return _pair


def compare(templates, count, name, never=()):
    """Generates `count` commands, sends them in pipelines, fails with the first mismatches."""
    both = pair()
    seed = "%d-%s" % (SEED, name)
    print("  %s: seed %s" % (name, seed))
    generator = Generator(random.Random(seed), templates, never)
    if both.knows_other_types:
        generator.templates += Generator(generator.random, OTHER_TYPES).templates
    mismatches, sent, until_look = [], 0, 500
    count = int(count * SCALE)
    while sent < count and len(mismatches) < MISMATCHES_SHOWN:
        version = generator.random.choice((2, 3))
        commands = [generator.command() for _ in range(generator.random.randrange(1, 40))]
        before = len(mismatches)
        for words, (redis, ours) in zip(commands, both.ask(commands, version)):
            if not both.differences.agree(words, redis, ours):
                mismatches.append(describe("command %d, RESP%d" % (sent, version), words, redis,
                                           ours))
            sent += 1
        if sent >= until_look:
            until_look = sent + 500
            mismatches += both.compare_keyspaces()
        if len(mismatches) > before:
            both.reset()  # what follows would only be the same mistake again
    mismatches += both.compare_keyspaces()
    expect_that(not mismatches, "%d of %d commands:\n    %s" % (
        len(mismatches), sent, "\n    ".join(mismatches[:MISMATCHES_SHOWN])))


@test
def strings_answer_alike():
    compare(STRING, 30000, "strings")


@test
def lists_answer_alike():
    compare(LIST, 40000, "lists")


@test
def sets_answer_alike():
    compare(SET, 40000, "sets")


# Redis 8 has left the C library's reader of numbers, to which these are numbers too.
NO_NUMBERS = (b"0x10", b" 1", b"\x00")


@test
def sorted_sets_answer_alike():
    compare(SORTED_SET, 40000, "sorted sets", NO_NUMBERS)


@test
def ranges_of_bytes_answer_alike():
    compare(LEX, 20000, "lex", NO_NUMBERS)


@test
def places_answer_alike():
    compare(GEO, 30000, "places", NO_NUMBERS)


@test
def streams_answer_alike():
    compare(STREAM, 40000, "streams")


@test
def bitmaps_answer_alike():
    compare(BITMAP, 30000, "bitmaps")


@test
def hyperloglogs_have_the_same_bytes():
    compare(HYPERLOGLOG, 30000, "hyperloglogs")


@test
def sorting_answers_alike():
    compare(SORT, 30000, "sort")


@test
def keys_of_all_databases_answer_alike():
    compare(GENERIC + STRING, 30000, "generic")


@test
def hashes_answer_alike():
    compare(HASH + "SET <hash-key> <value>", 30000, "hashes")


@test
def connections_answer_alike():
    compare(CONNECTION, 10000, "connection")


@test
def the_server_answers_alike():
    compare(SERVER, 10000, "server")


@test
def everything_mixed_answers_alike():
    compare(STRING + GENERIC + CONNECTION + SERVER, 20000, "mixed")


@test
def differences_are_still_there():
    if is_redis(roxdb()):
        raise Skip("both are redis-server")
    both = pair()
    gone = []
    for difference in both.differences.all:
        if difference.attempts:
            redis, ours = both.ask(difference.attempts)[-1]
            words = difference.attempts[-1]
            if redis == ours or not difference.allows(redis, ours):
                gone.append(describe(difference.title, words, redis, ours))
    expect_that(not gone, "no longer as written:\n    " + "\n    ".join(gone))


# ---- what COMMAND tells ----

def common_commands(both):
    listed = [set(inspector.call("COMMAND", "LIST")) for inspector in both.inspectors]
    return sorted(name for name in listed[0] & listed[1] if b"|" not in name)


@test
def command_info_is_the_same_for_commands_of_both():
    both = pair()
    fields = ["name", "arity", "flags", "first key", "last key", "step", "ACL categories", "tips",
              "key specifications"]
    mismatches = []

    def check(name, redis, ours):
        if redis is None or ours is None:
            return mismatches.append("%s: %r, %r" % (name, redis, ours))
        for field, wanted, actual in zip(fields, redis, ours):
            unordered = field in ("flags", "ACL categories", "tips")
            both_sides = [sorted(side) if unordered else side for side in (wanted, actual)]
            raws = [encode([repr(side)]) for side in both_sides]
            words = [b"COMMAND-INFO", name, field.encode()]
            if not both.differences.agree(words, *raws):
                mismatches.append("%s, %s: redis %r, roxdb %r" % (name.decode(), field,
                                                                  *both_sides))
        subcommands = [{entry[0]: entry for entry in side[9]} for side in (redis, ours)]
        for sub in sorted(set(subcommands[0]) & set(subcommands[1])):
            check(sub, subcommands[0][sub], subcommands[1][sub])

    for name in common_commands(both):
        check(name, *(inspector.call("COMMAND", "INFO", name)[0] for inspector in both.inspectors))
    expect_that(not mismatches, "\n    ".join([""] + mismatches[:40]))


@test
def too_few_arguments_are_refused_alike():
    both = pair()
    mismatches = []

    def check(words, redis, ours):
        for sub in {entry[0] for entry in redis[9]} & {entry[0] for entry in ours[9]}:
            check(sub.split(b"|"), *(next(entry for entry in side[9] if entry[0] == sub)
                                     for side in (redis, ours)))
        wanted = abs(redis[1])
        for count in range(len(words), wanted):
            request = words + [b"1"] * (count - len(words))
            [(left, right)] = both.ask([request])
            if not both.differences.agree(request, left, right):
                mismatches.append(describe("arity", request, left, right))

    for name in common_commands(both):
        check([name], *(inspector.call("COMMAND", "INFO", name)[0]
                        for inspector in both.inspectors))
    expect_that(not mismatches, "\n    ".join([""] + mismatches[:40]))


# ---- sequences ----

@test
def reply_modes_and_reset_answer_alike():
    both = pair()
    for version in (2, 3):
        with_replies = [
            [["CLIENT", "REPLY", "SKIP"], ["SET", "a", "1"], ["GET", "a"]], 1,
            [["CLIENT", "REPLY", "OFF"], ["SET", "a", "2"], ["GET", "a"], ["NOSUCH"],
             ["CLIENT", "REPLY", "ON"], ["GET", "a"]], 2,
            [["CLIENT", "SETNAME", "me"], ["SELECT", "3"], ["RESET"], ["CLIENT", "GETNAME"],
             ["GET", "a"], ["CLIENT", "REPLY", "OFF"], ["RESET"], ["PING"]], 7]
        for commands, replies in zip(with_replies[::2], with_replies[1::2]):
            for connection in both.connections[version]:
                connection.send_commands(commands)
            raws = [connection.read_raw_replies(replies)
                    for connection in both.connections[version]]
            expect(raws[1], raws[0], "RESP%d" % version)
        for connection in both.connections[version]:
            connection.call("HELLO", version)


@test
def authentication_answers_alike():
    both = pair()
    # With a password and without; few wrong ones, for those who guess are made to wait.
    requests = [["AUTH", "x"], ["AUTH", "default", "x"], ["AUTH", "nobody", "x"], ["AUTH"],
                ["AUTH", "a", "b", "c"], ["HELLO", "2", "AUTH", "default", "x"],
                ["HELLO", "2", "AUTH", "default"], ["HELLO", "2", "SETNAME", "with blank"],
                ["GET", "a"], ["PING"], ["NOSUCH", "a"], ["SELECT"], ["HELLO"], ["HELLO", "9"],
                ["AUTH", "secret"], ["PING"], ["QUIT"]]
    mismatches = []
    for password in ("", "secret"):
        both.ask([["CONFIG", "SET", "requirepass", password]])
        connections = [server.connect() for server in both.servers]
        for request in requests:
            redis, ours = (exchange(connection, request) for connection in connections)
            words = [word.encode() for word in request]
            if not both.differences.agree(words, redis, ours):
                mismatches.append(describe("requirepass '%s'" % password, words, redis, ours))
        for connection in connections:
            expect(connection.read_until_closed(), b"", "after QUIT")
        both.ask([["CONFIG", "SET", "requirepass", ""]])
    expect_that(not mismatches, "\n    ".join([""] + mismatches))


@test
def transactions_answer_alike():
    """Two clients that queue, watch and get in each other's way; transactions of one connection."""
    both = pair()
    seed = "%d-transactions" % SEED
    print("  seed %s" % seed)
    generator = Generator(random.Random(seed), TRANSACTION)
    chance = generator.random
    clients = [[server.connect(version) for server in both.servers] for version in (2, 3)]
    mismatches, queueing = [], [False, False]
    for number in range(int(30000 * SCALE)):
        who = chance.randrange(2)
        if queueing[who]:
            words = (chance.choice([[b"EXEC"], [b"EXEC"], [b"EXEC"], [b"DISCARD"], [b"MULTI"],
                                    [b"WATCH", b"k1"], [b"NOSUCH"], [b"GET"], [b"EXEC", b"now"]])
                     if chance.random() < 0.2 else generator.command())
        else:
            words = (chance.choice([[b"MULTI"], [b"MULTI"], [b"UNWATCH"], [b"EXEC"], [b"DISCARD"],
                                    [b"WATCH", chance.choice(KEYS)],
                                    [b"WATCH", chance.choice(KEYS), chance.choice(KEYS)]])
                     if chance.random() < 0.6 else generator.command())
            if words[0].upper().startswith(b"BL"):
                continue  # would wait
        redis, ours = (exchange(connection, words) for connection in clients[who])
        if words[0].upper() == b"EXEC":  # in it the difference about times to wait may be hidden
            redis = redis.replace(b"-ERR timeout is negative", b"-ERR timeout is out of range")
            ours = ours.replace(b"-ERR timeout is negative", b"-ERR timeout is out of range")
        if not both.differences.agree(words, redis, ours):
            mismatches.append(describe("command %d, RESP%d" % (number, 2 + who), words, redis, ours))
            if len(mismatches) >= MISMATCHES_SHOWN:
                break
        name = words[0].upper()
        if name == b"MULTI" and redis.startswith(b"+"):
            queueing[who] = True
        elif name in (b"EXEC", b"DISCARD"):
            queueing[who] = False
    for connection in sum(clients, []):
        exchange(connection, [b"DISCARD"])
        connection.close()
    mismatches += both.compare_keyspaces()
    expect_that(not mismatches, "\n    ".join([""] + mismatches))


def exchange(connection, request):
    connection.send_commands([request])
    return connection.read_raw()


# ---- raw bytes ----

PROTOCOL = [
    b"", b"\r\n", b"\n", b"PING\r\n", b"PING\n", b"ping\n\n\nPING x\n", b"*0\r\n*0\r\n+x\r\n",
    b"*1\r\n$4\r\nPING\r\n", b"*1\r\n$4\r\nPING\n\n", b"*-1\r\n", b"*-5\r\nPING\r\n", b"*\r\n",
    b"*a\r\n", b"*1\r\n:4\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$a\r\n", b"*1\r\n$ 4\r\nPING\r\n",
    b"*1048577\r\n", b"*2147483648\r\n", b"*99999999999999999999\r\n", b"*1\r\n$1048577\r\n",
    b"*1\r\n$536870913\r\n", b"*1\r\n$99999999999999999999\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000,
    b"x" * 70000, b"PING " + b"y" * 60000 + b"\r\n", b'ECHO "a\\x41\\n\\"b"\r\n',
    b"ECHO 'it\\'s'\r\n",
    b'ECHO "unfinished\r\n', b"ECHO 'unfinished\r\n", b'ECHO "a"b\r\n', b"ECHO 'a'b\r\n",
    b'ECHO ""\r\n', b"  PING  \r\n", b"\tPING\r\n", b"PING\x00\r\n", b"ECHO \xff\xfe\r\n",
    b"SET k 1\r\nINCR k\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nGET k\r\n", b"QUIT\r\nPING\r\n",
    b"*1\r\n$4\r\nQUIT\r\nPING\r\n", b"QUIT now\r\n", b"POST / HTTP/1.1\r\nHost: a\r\n\r\nPING\r\n",
    b"GET k\r\nHost: localhost\r\nPING\r\n", b"host: x\r\n", b"*1\r\n$4\r\nPOST\r\nPING\r\n",
    b"*2\r\n$3\r\nGET\r\n$5\r\nHost:\r\nPING\r\n",
    b"SELECT 3\r\nSET a b\r\nRESET\r\nGET a\r\n", b"$4\r\nPING\r\n", b"+PING\r\n", b":1\r\n",
]


def answer_to(server, data):
    """Everything a fresh connection gets for these bytes and an end of sending."""
    with Connection(("127.0.0.1", server.port)) as connection:
        try:
            connection.send(data)
            connection.socket.shutdown(1)
        except OSError:
            pass  # the server has closed already; what it said is still there
        return connection.read_until_closed()


def compare_raw(both, inputs):
    mismatches = []
    for data in inputs:
        redis, ours = (answer_to(server, data) for server in both.servers)
        if not both.differences.agree([b"RAW", data[:200]], redis, ours):
            mismatches.append(describe("raw bytes", [data[:200]], redis, ours))
    expect_that(not mismatches, "%d of %d inputs:\n    %s" % (
        len(mismatches), len(inputs), "\n    ".join(mismatches[:MISMATCHES_SHOWN])))


@test
def malformed_requests_are_answered_alike():
    compare_raw(pair(), PROTOCOL)


@test
def damaged_requests_are_answered_alike():
    chance = random.Random("%d-raw" % SEED)
    inputs = []
    for _ in range(int(600 * SCALE)):
        commands = [chance.choice([["PING"], ["SET", "k", "v"], ["GET", "k"], ["ECHO", "a\r\nb"],
                                   ["INCR", "n"], ["DEL", "k", "n"], ["SELECT", "1"]])
                    for _ in range(chance.randrange(1, 4))]
        data = bytearray(b"".join(encode(command) for command in commands))
        for _ in range(chance.choice([1, 1, 2])):
            place = chance.randrange(len(data))
            kind = chance.randrange(3)
            if kind == 0:
                data[place] = chance.choice(b"\r\n$*-0123456789 \x01a\"'")
            elif kind == 1:
                del data[place]
            else:
                data[place:place] = chance.choice([b"\r\n", b"$", b"-", b"9", b"\x01", b" "])
            if not data:
                break
        inputs.append(bytes(data))
    compare_raw(pair(), inputs)


if __name__ == "__main__":
    sys.exit(run())
