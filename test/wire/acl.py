"""Users and their rights, beside redis-server.

Random rules are given to both servers, and random requests are tried by ACL DRYRUN and for real:
both must refuse the same, with the same words. What a server says of a user makes the same user on
the other one, by ACL LIST and through files. Where RoxDB is stricter on purpose, the requests are
left out: PFCOUNT, which keeps the count in its key, takes the right to write it; DRYRUN looks at
the patterns of SORT; and numbers of keys that make no sense are refused as keys.

    python3 test/wire/acl.py [WORD...]       ROX_SEED=n tries others
"""
import os
import random
import sys

from _checks import Skip, expect, expect_that, run, test
from _resp import Error
from _server import Server, is_redis, redis_server, roxdb

SEED = int(os.environ.get("ROX_SEED", "20261121"))

CATEGORIES = ("keyspace read write set sortedset list hash string bitmap hyperloglog geo stream "
              "pubsub admin fast slow blocking dangerous connection transaction").split()
# Of a request: K is a key, C a channel, V anything, D a database.
REQUESTS = """
GET K|SET K V|SET K V GET|SET K V EX 100|GETSET K V|GETDEL K|GETEX K|APPEND K V|STRLEN K|MGET K K|
MSET K V K V|INCR K|SETRANGE K 1 V|GETRANGE K 0 1|SETBIT K 1 1|BITCOUNT K|BITOP AND K K K|
BITFIELD K GET u8 0|BITFIELD K SET u8 0 1|DEL K K|EXISTS K K|EXPIRE K 100|TTL K|PERSIST K|TYPE K|
RENAME K K|COPY K K|MOVE K 1|TOUCH K|OBJECT ENCODING K|LPUSH K V|RPOP K|LLEN K|LRANGE K 0 1|
LMOVE K K LEFT LEFT|RPOPLPUSH K K|LINSERT K BEFORE V V|LSET K 0 V|LREM K 0 V|LTRIM K 0 1|
LMPOP 2 K K LEFT|SADD K V|SREM K V|SMEMBERS K|SISMEMBER K V|SCARD K|SMOVE K K V|
SUNIONSTORE K K K|SDIFFSTORE K K|SINTER K K|SINTERCARD 2 K K|SPOP K|SRANDMEMBER K|HSET K V V|
HGET K V|HDEL K V|HGETALL K|HLEN K|HEXISTS K V|HINCRBY K V 1|HSTRLEN K V|ZADD K 1 V|ZREM K V|
ZSCORE K V|ZCARD K|ZRANGE K 0 1|ZINCRBY K 1 V|ZUNIONSTORE K 2 K K|ZUNION 2 K K|ZRANGESTORE K K 0 1|
ZMPOP 1 K MIN|ZPOPMIN K|ZREMRANGEBYRANK K 0 1|GEOADD K 1 1 V|GEOPOS K V|
GEORADIUS K 1 1 1 m|GEORADIUS K 1 1 1 m STORE K|GEOSEARCHSTORE K K FROMLONLAT 1 1 BYRADIUS 1 m|
PFADD K V|PFMERGE K K|XADD K * V V|XLEN K|XRANGE K - +|XDEL K 1-1|XREAD STREAMS K K 0 0|
XGROUP CREATE K V 0 MKSTREAM|XACK K V 1-1|XTRIM K MAXLEN 1|XINFO STREAM K|SORT K|SORT K STORE K|
SORT_RO K|DUMP K|PUBLISH C V|SPUBLISH C V|PING|ECHO V|SELECT D|DBSIZE|RANDOMKEY|KEYS V|SCAN 0|
CONFIG GET maxmemory|CONFIG SET maxmemory 0|CONFIG RESETSTAT|CLIENT ID|CLIENT LIST|CLIENT GETNAME|
ACL WHOAMI|ACL USERS|ACL CAT|INFO server|COMMAND COUNT|TIME|SLOWLOG LEN|MEMORY USAGE K|
LASTSAVE|FLUSHDB|SWAPDB 0 1|WATCH K|UNWATCH|DEBUG SLEEP 0|EVAL V 2 K K|LOLWUT
""".replace("\n", "").split("|")
KEYS = ["a1", "a2", "b1", "b2", "c1", "x"]
CHANNELS = ["n1", "n2", "m1", "x"]
PATTERNS = ["a*", "b*", "c*", "a1", "?1", "*1", "[ab]*", "x", "nothing"]


def words(line, chance):
    choices = {"K": KEYS, "C": CHANNELS, "V": ["v", "w", "1"], "D": ["0", "1", "2"]}
    return [chance.choice(choices[word]) if word in choices else word for word in line.split()]


def random_selector(chance):
    names = sorted({line.split()[0].lower() for line in REQUESTS} - {"client", "acl"})
    rules = []
    for _ in range(chance.randrange(1, 7)):
        kind = chance.randrange(10)
        sign = chance.choice("++-")
        if kind < 3:
            rules.append(sign + "@" + chance.choice(CATEGORIES))
        elif kind < 5:
            rules.append(sign + chance.choice(names))
        elif kind == 5:
            rules.append(sign + chance.choice(["config|get", "config|set", "config|resetstat"]))
        elif kind == 6:
            rules.append("+select|" + chance.choice("012"))
        elif kind == 7:
            rules.append(chance.choice(["+@all", "+@all", "-@all"]))
        else:
            rules.append("&" + chance.choice(["n*", "m1", "?2"]))
    for _ in range(chance.randrange(4)):
        rules.append(chance.choice(["~", "~", "%R~", "%W~", "%RW~"]) + chance.choice(PATTERNS))
    if chance.randrange(6) == 0:
        rules.append(chance.choice(["allkeys", "allchannels"]))
    return rules


def random_rules(chance):
    rules = random_selector(chance)
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        rules.append("(" + " ".join(random_selector(chance)) + ")")
    return rules


def both():
    if redis_server() is None:
        raise Skip("no redis-server to compare with")
    # Nothing of a test is asked for the directory of another server's file.
    options = {"enable-debug-command": "yes"}
    return Server(roxdb(), options), Server(redis_server(), options)


def in_words_of_8(reply, user="u"):
    """What redis-server 7.0 says of a refusal, as 8.0 says it."""
    if not isinstance(reply, bytes):
        return reply
    text = bytes(reply)
    for said, says in ((b"this user has no permissions to access one of the keys used as arguments",
                        b"No permissions to access a key"),
                       (b"this user has no permissions to access one of the channels used as "
                        b"arguments", b"No permissions to access a channel"),
                       (b"this user has no", b"User %s has no" % user.encode()),
                       (b"This user has no", b"User %s has no" % user.encode())):
        text = text.replace(said, says)
    return type(reply)(text)


def same(one, other, what):
    expect(one, other, "%s (ROX_SEED=%d)" % (what, SEED))


@test
def both_servers_decide_alike():
    chance = random.Random(SEED)
    ours, theirs = both()
    with ours, theirs:
        one, other = ours.connect(), theirs.connect()
        refused = 0
        for number in range(250):
            rules = random_rules(chance)
            made = [side.call("ACL", "SETUSER", "u", "reset", "on", "nopass", *rules)
                    for side in (one, other)]
            same(made[0], made[1], "ACL SETUSER %s" % rules)
            requests = [words(chance.choice(REQUESTS), chance) for _ in range(60)]
            tried = [side.pipeline([["ACL", "DRYRUN", "u"] + request for request in requests])
                     for side in (one, other)]
            for request, mine, his in zip(requests, *tried):
                same(mine, in_words_of_8(his), "%s with %s" % (request, rules))
                refused += mine != b"OK"
        expect_that(2000 < refused < 14000, "some requests of 15000 pass, not %d" % refused)


@test
def both_servers_refuse_alike():
    chance = random.Random(SEED + 1)
    ours, theirs = both()
    with ours, theirs:
        one, other = ours.connect(), theirs.connect()
        for number in range(60):
            rules = random_rules(chance)
            for side in (one, other):
                side.call("ACL", "SETUSER", "u", "reset", "on", "nopass", *rules)
            clients = [server.connect() for server in (ours, theirs)]
            for client in clients:
                expect(client.call("AUTH", "u", "x"), b"OK")
            requests = [words(chance.choice(REQUESTS), chance) for _ in range(80)]
            for request in requests:
                replies = [client.call(*request) for client in clients]
                denials = [reply if isinstance(reply, Error) and reply.startswith(b"NOPERM")
                           else None for reply in replies]
                # redis-server asks for the setting before it asks for rights.
                if request[0] != "DEBUG":
                    same(denials[0], in_words_of_8(denials[1]), "%s with %s" % (request, rules))
            logs = []
            for side, client in zip((one, other), clients):
                entries = side.call("ACL", "LOG", "1000")
                fields = [dict(zip(entry[::2], entry[1::2])) for entry in entries]
                logs.append([[entry[name] for name in (b"count", b"reason", b"context", b"object",
                                                       b"username")]
                             for entry in fields if entry[b"object"] != b"debug"])
                side.call("ACL", "LOG", "RESET")
                client.close()
            same(logs[0], logs[1], "ACL LOG with %s" % rules)


@test
def what_one_server_says_of_a_user_the_other_understands():
    chance = random.Random(SEED + 2)
    ours, theirs = both()
    with ours, theirs:
        sides = [ours.connect(), theirs.connect()]
        for number in range(120):
            rules = random_rules(chance) + chance.choice([[], [">p"], ["nopass"], ["on", ">q"]])
            for side in sides:
                side.call("ACL", "SETUSER", "u", "reset", *rules)
            lines = []
            for side in sides:
                line = [line for line in side.call("ACL", "LIST") if line.startswith(b"user u ")]
                lines.append(line[0].decode().split(" ")[2:])
            for side, line in zip(sides, reversed(lines)):
                side.call("ACL", "DELUSER", "v")
                expect(side.call("ACL", "SETUSER", "v", *line), b"OK", " ".join(line))
            shown = [dict(zip(reply[::2], reply[1::2]))
                     for reply in (side.call("ACL", "GETUSER", "u") for side in sides)]
            for field in (b"flags", b"passwords", b"keys", b"channels"):
                same(shown[0][field], shown[1][field], "%s of %s" % (field, rules))
            for _ in range(40):
                request = words(chance.choice(REQUESTS), chance)
                said = [in_words_of_8(side.call("ACL", "DRYRUN", user, *request))
                        .replace(b"User v has", b"User u has")
                        for side in sides for user in ("u", "v")]
                same(said, said[:1] * 4, "%s with %s, said as %s" % (request, rules, lines))


@test
def rules_are_refused_with_the_same_words():
    ours, theirs = both()
    with ours, theirs:
        sides = [ours.connect(), theirs.connect()]
        for rule in ("foo % %~ %~a %RWR~x ( (( ((+get)) (on) (>p) + - +@ +nosuch +@nosuch "
                     "+config|nosuch -select|0 +get|a|b +select| +config|get|x <p #aa !aa").split():
            replies = [side.call("ACL", "SETUSER", "u", rule) for side in sides]
            same(replies[0], replies[1], rule)
        for request in (["ACL", "GETUSER", "nosuch"], ["ACL", "DELUSER", "default"],
                        ["ACL", "DELUSER", "nosuch"], ["ACL", "CAT", "nosuch"],
                        ["ACL", "CAT", "a", "b"], ["ACL", "GENPASS", "0"], ["ACL", "GENPASS", "x"],
                        ["ACL", "GENPASS", "4097"], ["ACL", "LOG", "x"], ["ACL", "LOG", "1", "2"],
                        ["ACL", "LOAD"], ["ACL", "SAVE"], ["ACL", "NOSUCH"], ["ACL"],
                        ["ACL", "DRYRUN", "nosuch", "get"], ["ACL", "DRYRUN", "default", "nosuch"],
                        ["ACL", "DRYRUN", "default", "get"], ["ACL", "SETUSER", "a b"],
                        ["ACL", "CAT"], ["AUTH", "nosuch", "x"], ["AUTH", "x"], ["ACL", "WHOAMI"]):
            replies = [side.call(*request) for side in sides]
            same(replies[0], replies[1], " ".join(request))
        for digits, bits in ((64, None), (1, 1), (1, 4), (2, 5), (1024, 4096)):
            for side in sides:
                password = side.call("ACL", "GENPASS", *([] if bits is None else [bits]))
                expect(len(password), digits)


# Words that mean something to some command, and names that look like them.
WEIRD = """
STORE STOREDIST GET BY LIMIT KEYS STREAMS GROUP COUNT BLOCK NOACK WEIGHTS AGGREGATE SUM DB REPLACE
LEFT RIGHT BEFORE AFTER MIN MAX WITHSCORES WITHVALUES FIELDS NX XX GT LT CH INCR KEEPTTL EX PX ASC
DESC ALPHA IDX LEN LCS STRINGS MATCH NOSORT REV BYSCORE BYLEX FROMMEMBER BYRADIUS ASC ANY AND OR NOT
XOR SET OVERFLOW SAT INCRBY TYPE FNX FXX PERSIST MKSTREAM MAXLEN MINID ENCODING USAGE CREATE
CREATECONSUMER DESTROY SETID DELCONSUMER FORCE JUSTID LASTID CLAIM IDLE RETRYCOUNT # * > $ + -
0 0 1 1 2 2 3 10 -1 1-1 0-1 u8 m km 1.5 inf nosort f g c s* a* s1 s2 s3 s4 s5 s6 s7 a1 a2 a3 a4 a5
a6 a7 s1 a1 a2 a3 a4 a5 a6 a7 a1 a2 a3 a4 a5 a6 a7 s1
""".split()
MARK = "the-secret"


def fill(admin, prefix, value):
    admin.pipeline([["DEL"] + [prefix + digit for digit in "1234567"],
                    ["SET", prefix + "1", value], ["RPUSH", prefix + "2", value, value + "2"],
                    ["SADD", prefix + "3", value, value + "3"], ["HSET", prefix + "4", "f", value],
                    ["ZADD", prefix + "5", "1", value], ["XADD", prefix + "6", "1-1", "f", value],
                    ["XGROUP", "CREATE", prefix + "6", "g", "0"],
                    ["GEOADD", prefix + "7", "1", "1", value]])


@test
def no_request_reaches_keys_it_has_no_right_to():
    chance = random.Random(SEED + 4)
    with Server(roxdb()) as server:
        admin, user = server.connect(), server.connect()
        admin.call("ACL", "SETUSER", "u", "on", "nopass", "+@all", "-@connection", "-@pubsub",
                   "-@scripting", "-@transaction", "-@admin", "-@blocking", "-flushall", "-flushdb",
                   "-swapdb", "-move", "~a*", "~STORE", "~STREAMS", "~GROUP", "~KEYS")
        expect(user.call("AUTH", "u", "x"), b"OK")
        fill(admin, "s", MARK)
        before = admin.pipeline([["DUMP", "s" + digit] for digit in "1234567"])
        commands = []
        for info in admin.call("COMMAND"):
            for one in [info] + (info[9] if len(info) > 9 else []):
                if one[8]:
                    commands.append((one[0].decode().split("|"), one[1]))
        expect_that(len(commands) > 150, "commands with keys: %d" % len(commands))
        passed = 0
        for number in range(200):
            fill(admin, "a", "open")
            batch = []
            for _ in range(500):
                name, arity = chance.choice(commands)
                count = max(abs(arity) - len(name), 0)
                if arity < 0:
                    count += chance.choice([0, 0, 1, 2, 3, 4, 6])
                arguments = [chance.choice(WEIRD) for _ in range(count)]
                if count > 0 and chance.randrange(3):
                    arguments[0] = chance.choice(WEIRD[-16:])  # mostly a key of one's own
                batch.append(name + arguments)
            user.send_commands(batch)
            for request, raw in zip(batch, user.read_raw_replies(len(batch))):
                expect_that(MARK.encode() not in raw, "%s tells %r (ROX_SEED=%d)" % (request, raw, SEED))
                passed += not raw.startswith(b"-")
            after = admin.pipeline([["DUMP", "s" + digit] for digit in "1234567"])
            if after != before:
                raise AssertionError("one of these changed what it may not: %s (ROX_SEED=%d)" % (
                    [one for one in batch if any(word.startswith("s") for word in one)], SEED))
        expect_that(passed > 1000, "requests that did something: %d" % passed)


def with_file(program, text):
    server = Server(program, start=False)
    server.options["aclfile"] = os.path.join(server.directory, "users.acl")
    with open(server.options["aclfile"], "w") as file:
        file.write(text)
    return server


USERS = ("user default on nopass ~* &* +@all\n"
         "user alice on >secret ~a* %R~b* &n* +@read -@dangerous (~c* +set)\n")


@test
def a_file_goes_from_one_server_to_the_other_and_back():
    if redis_server() is None:
        raise Skip("no redis-server to compare with")
    chance = random.Random(SEED + 3)
    texts, requests = [USERS], [words(line, chance) for line in REQUESTS if "BY" not in line]
    decisions = []
    for program in (roxdb(), redis_server(), roxdb()):
        with with_file(program, texts[-1]) as server:
            server.start()
            admin = server.connect()
            expect(admin.call("AUTH", "alice", "wrong").split()[0], b"WRONGPASS")
            tried = admin.pipeline([["ACL", "DRYRUN", "alice"] + one for one in requests])
            decisions.append([in_words_of_8(reply, "alice") for reply in tried])
            expect(admin.call("ACL", "SAVE"), b"OK")
            with open(server.options["aclfile"]) as file:
                texts.append(file.read())
            users = admin.call("ACL", "LIST")
            expect(admin.call("ACL", "LOAD"), b"OK")
            expect(admin.call("ACL", "LIST"), users)
    expect(decisions[0], decisions[1], "ROX_SEED=%d" % SEED)
    expect(decisions[0], decisions[2], "ROX_SEED=%d" % SEED)


@test
def a_file_is_loaded_as_a_whole_or_not_at_all():
    with with_file(roxdb(), USERS) as server:
        server.start()
        admin, alice = server.connect(), server.connect()
        expect(alice.call("AUTH", "alice", "secret"), b"OK")
        before = admin.call("ACL", "LIST")
        with open(server.options["aclfile"], "w") as file:
            file.write("user default on nopass +@all ~*\nuser alice on +nosuch\nuser\n")
        reply = admin.call("ACL", "LOAD")
        for part in (b"users.acl:2: Error in applying operation '+nosuch'", b"users.acl:3 should",
                     b"no change to the previously active ACL rules"):
            expect_that(part in reply, "%r in %r" % (part, reply))
        expect(admin.call("ACL", "LIST"), before)
        expect(alice.call("GET", "a1"), None)
        with open(server.options["aclfile"], "w") as file:
            file.write("user bob off\n")
        expect(admin.call("ACL", "LOAD"), b"OK")
        expect(alice.read_until_closed(), b"")
        expect(admin.call("ACL", "USERS"), [b"bob", b"default"])


@test
def a_server_does_not_start_with_users_it_does_not_understand():
    for text in ("user alice on +nosuch\n", "user alice on (~a\n", "usr alice\n"):
        with with_file(roxdb(), text) as server:
            server.launch()
            expect_that(server.wait() != 0, "started with %r" % text)
            expect_that("users.acl:1" in server.log(), server.log())
    if is_redis(roxdb()):
        return
    with with_file(roxdb(), USERS) as server:
        server.options["user"] = ["bob", "on"]
        server.launch()
        expect_that(server.wait() != 0 and "not both" in server.log(), server.log())


@test
def users_of_the_configuration_are_rewritten_and_read_again():
    with Server(roxdb(), start=False) as server:
        path = os.path.join(server.directory, "some.conf")
        with open(path, "w") as file:
            file.write("# ours\nuser alice on >secret ~a* +get (~b* +set)\nuser bob off\n")
        server.arguments = [path]
        server.start()
        admin = server.connect()
        expect(admin.call("ACL", "USERS"), [b"alice", b"bob", b"default"])
        expect(admin.call("ACL", "DELUSER", "bob"), 1)
        expect(admin.call("ACL", "SETUSER", "carol", "on", "~c\"*", "+@read"), b"OK")
        users = admin.call("ACL", "LIST")
        expect(admin.call("CONFIG", "REWRITE"), b"OK")
        with open(path) as file:
            text = file.read()
        expect_that("# ours" in text and "secret" not in text and "bob" not in text, text)
        admin.close()
        server.stop()
        server.start()
        with server.connect() as admin:
            expect(admin.call("ACL", "LIST"), users)
            expect(admin.call("AUTH", "alice", "secret"), b"OK")


@test
def secrets_are_not_shown():
    with Server(roxdb(), {"slowlog-log-slower-than": "0"}) as server:
        with server.connect() as admin:
            admin.call("ACL", "SETUSER", "alice", "on", ">hidden-word", "+@all", "~*")
            admin.call("AUTH", "alice", "hidden-wrong")
            admin.call("AUTH", "alice", "hidden-word")
            admin.call("HELLO", "2", "AUTH", "alice", "hidden-word")
            admin.call("CONFIG", "SET", "requirepass", "hidden-pass")
            for request in (["AUTH", "alice", "hidden-try"],
                            ["CONFIG", "SET", "requirepass", "hidden-try"]):
                expect(admin.call("ACL", "DRYRUN", "alice", *request), b"OK")
            admin.call("ACL", "GETUSER", "hidden-name")
            admin.call("ACL", "DELUSER", "hidden-name")
            for request in (["SLOWLOG", "GET", "100"], ["ACL", "LOG"], ["ACL", "LIST"],
                            ["ACL", "GETUSER", "alice"], ["CLIENT", "LIST"], ["INFO", "everything"]):
                reply = repr(admin.call(*request))
                expect_that("hidden" not in reply, "%s shows a password: %s" % (request, reply))
        log = server.log()
        with open("/proc/%d/cmdline" % server.pid, errors="replace") as file:
            title = file.read()
        expect_that("roxdb" in title, title)
        expect_that("hidden" not in log and "hidden" not in title, log + title)


if __name__ == "__main__":
    print("ROX_SEED=%d" % SEED)
    sys.exit(run())
