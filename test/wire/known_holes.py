#!/usr/bin/env python3
"""The known holes of servers of this kind, tried on a whole server.

The table in section 8 of the reliability contract names them. Most have their test where the code
is (test/scripting/sandbox_test.cc, test/persist, test/wire/tls.py, test/wire/clients.py ...); here
are those that only a process with sockets, files and memory of its own can show.

    python3 test/wire/known_holes.py [WORD...]
"""
import os
import resource
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

from _checks import Skip, expect, expect_that, run, test
from _resp import Error, encode
from _server import PATIENCE_S, Connection, Server, is_redis, roxdb

IS_DEBUG = "/debug/" in roxdb()
LAST = 2 ** 63 - 1
FIRST = -2 ** 63


def is_refused(reply, what):
    expect_that(isinstance(reply, Error), "%s is refused, not answered %.100r" % (what, reply))


def resident_bytes(server):
    with open("/proc/%d/statm" % server.pid) as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


# ---- numbers ----

# CVE-2022-35977, CVE-2021-41099, CVE-2021-32761, CVE-2021-21309
@test
def an_offset_at_the_end_of_the_numbers_is_refused_or_costs_nothing():
    with Server() as server, server.connect() as connection:
        connection.pipeline([["SET", "s", "value"], ["RPUSH", "l", "2", "1"]])
        before = resident_bytes(server)
        for request in (["SETRANGE", "s", LAST, "x"], ["SETRANGE", "s", FIRST, "x"],
                        ["SETRANGE", "new", 2 ** 32, "x"], ["SETBIT", "s", LAST, 1],
                        ["SETBIT", "new", 2 ** 32, 1], ["GETBIT", "s", LAST],
                        ["BITFIELD", "s", "SET", "u8", "#%d" % LAST, 1],
                        ["BITFIELD", "new", "SET", "u8", LAST, 1],
                        ["BITFIELD", "s", "GET", "u63", "#%d" % (LAST // 63)]):
            is_refused(connection.call(*request), request)
        for request, reply in ((["GETRANGE", "s", FIRST, LAST], b"value"),
                               (["GETRANGE", "s", LAST, LAST], b""),
                               (["LRANGE", "l", FIRST, LAST], [b"2", b"1"]),
                               (["LTRIM", "l", FIRST, LAST], b"OK"),
                               (["SORT", "l", "LIMIT", LAST, LAST], []),
                               (["SORT", "l", "LIMIT", 1, LAST], [b"2"]),
                               (["SORT", "l", "LIMIT", FIRST, FIRST], [b"1", b"2"]),
                               (["BITCOUNT", "s", FIRST, LAST], 21),
                               (["EXISTS", "new"], 0)):
            expect(connection.call(*request), reply, repr(request))
        grown = resident_bytes(server) - before
        expect_that(grown < 32 << 20, "%d bytes were taken for nothing" % grown)


# CVE-2023-22458, CVE-2023-25155
@test
def a_random_count_that_has_no_opposite_is_refused():
    with Server() as server, server.connect() as connection:
        connection.pipeline([["SADD", "s", "a", "b"], ["HSET", "h", "a", "1"],
                             ["ZADD", "z", "1", "a"]])
        for command, key, more in (("SRANDMEMBER", "s", []), ("HRANDFIELD", "h", ["WITHVALUES"]),
                                   ("ZRANDMEMBER", "z", ["WITHSCORES"])):
            for count in (FIRST, FIRST + 1, -2 ** 62):
                is_refused(connection.call(command, key, count), command)
                if more:
                    is_refused(connection.call(command, key, count, *more), command)
            expect(len(connection.call(command, key, LAST)), 1 if key != "s" else 2, command)
        expect(connection.call("PING"), b"PONG")


# CVE-2022-31144, CVE-2022-35951
@test
def deleted_records_can_be_claimed_by_any_number():
    with Server() as server, server.connect() as connection:
        connection.call("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        ids = connection.pipeline([["XADD", "s", "*", "f", "v"]] * 500)
        connection.call("XREADGROUP", "GROUP", "g", "one", "STREAMS", "s", ">")
        connection.call("XDEL", "s", *ids)
        is_refused(connection.call("XAUTOCLAIM", "s", "g", "two", 0, 0, "COUNT", LAST), "COUNT")
        is_refused(connection.call("XAUTOCLAIM", "s", "g", "two", 0, 0, "COUNT", FIRST), "COUNT")
        expect(connection.call("XAUTOCLAIM", "s", "g", "two", 0, 0, "COUNT", 10 ** 9),
               [b"0-0", [], ids])
        expect(connection.call("XPENDING", "s", "g"), [0, None, None, None])
        expect(connection.call("XCLAIM", "s", "g", "two", 0, *ids), [])


# CVE-2021-32627, CVE-2021-32628, CVE-2021-32687, CVE-2021-29478
@test
def settings_of_small_encodings_may_be_absurd():
    options = {name: str(2 ** 31 - 1) for name in (
        "hash-max-listpack-entries", "hash-max-listpack-value", "set-max-intset-entries",
        "set-max-listpack-entries", "set-max-listpack-value", "zset-max-listpack-entries",
        "zset-max-listpack-value", "list-max-listpack-size", "stream-node-max-entries")}
    big = b"x" * ((1 if IS_DEBUG else 8) << 20)
    members = [str(i) for i in range(2000 if IS_DEBUG else 20000)]
    with Server(options=dict(options, **{"enable-debug-command": "yes"})) as server:
        with server.connect() as connection:
            for number in range(3):
                name = b"%d" % number
                for request in (["HSET", "h", name, big], ["RPUSH", "l", big + name],
                                ["SADD", "s", big + name], ["ZADD", "z", number, big + name],
                                ["XADD", "x", "*", name, big]):
                    is_error = isinstance(connection.call(*request), Error)
                    expect(is_error, False, str(request[0]))
            connection.call("SADD", "i", *members)
            connection.call("SADD", "i", LAST, FIRST)
            for key in ("h", "l", "s", "z", "x", "i"):
                expect(connection.call("COPY", key, key + "2"), 1, key)
            expect(connection.call("SCARD", "i2"), len(members) + 2)
            expect(connection.call("SREM", "i2", *members), len(members))
            expect(connection.call("SMISMEMBER", "i2", LAST, FIRST, "0"), [1, 1, 0])
            expect(connection.call("HGET", "h2", "2") == big, True)
            expect(connection.call("LINDEX", "l2", -1) == big + b"2", True)
            expect(connection.call("ZSCORE", "z2", big + b"1"), b"1")
            digests = connection.call("DEBUG", "DIGEST-VALUE", "h", "l", "s", "z", "x")
            expect(connection.call("DEBUG", "RELOAD"), b"OK")
            expect(connection.call("DEBUG", "DIGEST-VALUE", "h2", "l2", "s2", "z2", "x2"), digests)


# ---- rights ----

# CVE-2023-41053, and options that name a key or a database twice
@test
def no_option_gets_past_the_rights():
    with Server() as server, server.connect() as admin, server.connect() as user:
        admin.pipeline([["HSET", "r", "f", "v"], ["GEOADD", "g", "1", "1", "m"],
                        ["RPUSH", "list", "1"], ["SET", "own", "mine"], ["SET", "other_1", "x"]])
        admin.call("ACL", "SETUSER", "u", "on", "nopass", "+@all", "%R~r", "%R~g", "~own*",
                   "~list", "db=0")
        expect(user.call("AUTH", "u", "x"), b"OK")
        for request in (["HGETEX", "r", "EX", "1", "FIELDS", "1", "f"],
                        ["HGETEX", "r", "PERSIST", "FIELDS", "1", "f"],
                        ["GETEX", "r", "EX", "1"],
                        ["GEORADIUS", "g", "1", "1", "1", "m", "STORE", "own", "STORE", "other_1"],
                        ["GEORADIUS", "g", "1", "1", "1", "m", "STORE", "other_1", "STORE", "own"],
                        ["GEORADIUS", "g", "1", "1", "1", "m", "STOREDIST", "own", "STORE",
                         "other_1"],
                        ["GEORADIUSBYMEMBER", "g", "m", "1", "m", "STORE", "own", "STORE",
                         "other_1"],
                        ["SORT", "list", "STORE", "own", "STORE", "other_1"],
                        ["COPY", "own", "own2", "DB", "0", "DB", "1"],
                        ["COPY", "own", "own2", "DB", "1", "DB", "0"],
                        ["MOVE", "own", "1"], ["SWAPDB", "0", "1"], ["FLUSHALL"]):
            reply = user.call(*request)
            expect_that(isinstance(reply, Error) and reply.startswith(b"NOPERM"),
                        "%s: %r" % (request, reply))
        for request in (["SORT", "list", "BY", "other_*"], ["SORT", "list", "GET", "other_*"],
                        ["SORT_RO", "list", "BY", "nosort", "GET", "#", "GET", "other_*"]):
            reply = user.call(*request)
            expect_that(isinstance(reply, Error) and b"insufficient ACL permissions" in reply,
                        "%s: %r" % (request, reply))
        expect(admin.call("HPTTL", "r", "FIELDS", "1", "f"), [-1])
        expect(admin.call("MGET", "own", "other_1"), [b"mine", b"x"])
        expect(admin.call("DBSIZE"), 5)


# ---- time ----

# CVE-2022-36021, CVE-2024-31228
@test
def hostile_patterns_cost_no_time():
    patterns = ["a*" * 400 + "b", "*" * 60000 + "b", "[" * 60000, "a*?" * 300 + "[^a]b",
                "*[" + "b" * 30000 + "]c"]
    with Server() as server, server.connect() as connection, server.connect() as listener:
        connection.call("SET", "a" * 2000, "1")
        connection.call("SADD", "s", *["a" * n for n in range(1000, 1020)])
        for pattern in patterns:
            listener.call("PSUBSCRIBE", pattern)
        longest_s = 0
        for pattern in patterns:
            for request in (["KEYS", pattern], ["SCAN", "0", "MATCH", pattern, "COUNT", "1000"],
                            ["SSCAN", "s", "0", "MATCH", pattern], ["CONFIG", "GET", pattern],
                            ["PUBLISH", "a" * 2000, "m"], ["PUBSUB", "CHANNELS", pattern],
                            ["ACL", "SETUSER", "u", "on", "nopass", "+get", "resetkeys",
                             "~" + pattern],
                            ["ACL", "DRYRUN", "u", "GET", "a" * 2000],
                            ["COMMAND", "LIST", "FILTERBY", "PATTERN", pattern]):
                began = time.monotonic()
                connection.call(*request)
                longest_s = max(longest_s, time.monotonic() - began)
        expect_that(longest_s < (5 if IS_DEBUG else 0.5), "%.3f s for one request" % longest_s)


# CVE-2024-51741, CVE-2024-31227
@test
def rules_that_only_open_are_refused_at_once():
    with Server() as server, server.connect() as connection:
        for rule in ("%", "%~", "(", "(" * 50000, "(%~x)", "(+get", "%%R~x", "~" + "x" * 100000):
            began = time.monotonic()
            is_refused(connection.call("ACL", "SETUSER", "u", rule), rule[:20])
            expect_that(time.monotonic() - began < 2, "an answer at once")
        expect(connection.call("ACL", "GETUSER", "u"), None)


# ---- connections ----

def busy_descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


# CVE-2025-48367: connections that die before they are accepted, and descriptors that run out
@test
def accepting_goes_on_when_it_has_failed():
    with Server() as server, server.connect() as connection:
        for _ in range(300):
            one = socket.create_connection(("127.0.0.1", server.port))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()  # a reset
        expect(server.call("PING"), b"PONG")
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        room = busy_descriptors(server) + 8
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (room, hard))
        crowd = [Connection(("127.0.0.1", server.port)) for _ in range(40)]
        refused = 0
        for one in crowd:
            try:
                refused += one.call("PING") != b"PONG"
            except (ConnectionError, OSError):
                refused += 1
        expect_that(refused >= 30, "%d of 40 are told that there is no room" % refused)
        expect(connection.call("PING"), b"PONG")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for one in crowd:
            one.close()
        server.wait_until(lambda info: info["connected_clients"] == "2", "the crowd has left")
        if not is_redis(roxdb()):
            expect_that("Accepting client connection" in server.log(), "the log says so")


# CVE-2023-41056, CVE-2025-49112: buffers of replies that grow and shrink by turns
@test
def small_and_large_replies_may_alternate():
    sizes = [0, 1, 100, 16000, 16384, 16385, 40000, 1 << 20, 3, 70000, 5]
    with Server() as server, server.connect(3) as connection:
        for size in sizes:
            connection.call("SET", "s%d" % size, b"x" * size)
        connection.call("HSET", "h", *[word for i in range(500) for word in ("f%d" % i, "v" * i)])
        connection.call("CONFIG", "SET", "hash-max-listpack-entries", "1")
        for repeat in range(5):
            requests = []
            for size in sizes[repeat:] + sizes[:repeat]:
                requests += [["GET", "s%d" % size], ["HRANDFIELD", "h", size % 700, "WITHVALUES"],
                             ["SCAN", "0", "COUNT", "1"], ["LRANGE", "none", "0", "-1"]]
            replies = connection.pipeline(requests)
            for request, reply in zip(requests, replies):
                if request[0] == "GET":
                    expect(len(reply), int(request[1][1:]), request[1])
                elif request[0] == "HRANDFIELD":
                    expect(len(reply), min(500, request[2]))
        expect(connection.call("PING"), b"PONG")


# CVE-2026-23479, CVE-2026-56684, CVE-2026-81934
@test
def who_waits_may_be_killed_or_evicted_by_what_serves_it():
    value = b"x" * (24 << 20)  # more than the kernel keeps for somebody who does not read
    with Server(options={"maxmemory-clients": "0"}) as server, server.connect() as admin:
        admin.call("CLIENT", "NO-EVICT", "ON")
        for number in range(12):
            waiting = server.connect()
            me = waiting.call("CLIENT", "ID")
            waiting.send(encode(["BLPOP", "q", "r", "0"]) + encode(["PING"]) * 100)
            server.wait_until(lambda info: info["blocked_clients"] == "1", "one waits")
            kill = ["CLIENT", "KILL", "ID", me]
            if number % 3 == 0:
                admin.pipeline([["RPUSH", "q", value], kill])
            elif number % 3 == 1:
                admin.pipeline([["MULTI"], ["RPUSH", "q", "x"], kill, ["EXEC"]])
            else:  # told more than it reads: evicted in the turn that serves it
                admin.call("CONFIG", "SET", "maxmemory-clients", "3mb")
                admin.call("RPUSH", "q", value)
                admin.call("CONFIG", "SET", "maxmemory-clients", "0")
            waiting.read_until_closed()
            waiting.close()
            admin.call("DEL", "q")
            expect(server.info()["blocked_clients"], "0")
        if not is_redis(roxdb()):
            expect_that(int(admin.info()["evicted_clients"]) > 0, "some were evicted")
        # A pipeline of many, of whom each serves or kills the next.
        crowd = [server.connect() for _ in range(50)]
        ids = [one.call("CLIENT", "ID") for one in crowd]
        for one in crowd:
            one.send(encode(["BLMOVE", "a", "a", "LEFT", "RIGHT", "0"]))
        server.wait_until(lambda info: info["blocked_clients"] == "50", "all wait")
        admin.pipeline([["MULTI"], ["RPUSH", "a", "x"]] +
                       [["CLIENT", "KILL", "ID", one] for one in ids[::2]] + [["EXEC"]])
        for one in crowd[1::2]:
            expect(one.read(), b"x")
        for one in crowd[::2]:
            one.read_until_closed()


@test
def who_takes_too_much_is_closed_and_nobody_else():
    with Server(options={"maxmemory-clients": "5mb"}) as server, server.connect() as good:
        good.call("SET", "k", b"x" * (1 << 20))
        sender, reader = server.connect(), server.connect()
        reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            sender.send(b"*2\r\n$3\r\nGET\r\n$%d\r\n" % (64 << 20) + b"x" * (32 << 20))
        except OSError:
            pass  # closed while it still sends
        sender.read_until_closed()
        reader.send(encode(["GET", "k"]) * 30)
        server.wait_until(lambda info: info["evicted_clients"] == "2", "both are closed")
        expect(good.call("STRLEN", "k"), 1 << 20)
        expect_that("Evicting client: id=" in server.log(), "the log says who")


# ---- the process and its files ----

# CVE-2023-45145
@test
def a_unix_socket_is_never_open_to_others():
    directory = tempfile.mkdtemp(prefix="rox-h-")
    path = os.path.join(directory, "s")
    try:
        for permissions, mode in ((None, 0o700), ("750", 0o750)):
            options = {"unixsocket": path}
            if permissions is not None:
                options["unixsocketperm"] = permissions
            with Server(options=options, prefix=["sh", "-c", 'umask 0; exec "$@"', "sh"]):
                found = stat.S_IMODE(os.stat(path).st_mode)
                expect_that(found & ~mode == 0, "%o is wider than %o" % (found, mode))
    finally:
        shutil.rmtree(directory)


# Hash flooding: who knows the hash of one process knows nothing of the next one's.
@test
def keys_stand_in_another_order_after_each_start():
    with Server() as server:
        server.call("MSET", *[word for i in range(200) for word in ("k%d" % i, "v")])
        server.call("SAVE")
        orders = set()
        for _ in range(3):
            orders.add(tuple(server.call("SCAN", "0", "COUNT", "100000")[1]))
            server.kill()
            server.start()
            expect(server.call("DBSIZE"), 200)
        expect(len(orders), 3)


# Attacks that make the server write a file of their choice, or load one.
@test
def the_configuration_writes_no_file_of_others_choice():
    with Server() as server, server.connect() as connection:
        for name, value in (("dir", "/tmp"), ("dbfilename", "authorized_keys"),
                            ("appendfilename", "cron"), ("appenddirname", "/etc/cron.d"),
                            ("logfile", "/tmp/x"), ("unixsocket", "/tmp/x"),
                            ("pidfile", "/tmp/x"), ("aclfile", "/tmp/x")):
            before = connection.call("CONFIG", "GET", name)
            is_refused(connection.call("CONFIG", "SET", name, value), name)
            expect(connection.call("CONFIG", "GET", name), before)
        for request in (["MODULE", "LOAD", "/tmp/x.so"], ["DEBUG", "SLEEP", "0"],
                        ["CONFIG", "SET", "enable-debug-command", "yes"],
                        ["CONFIG", "SET", "enable-protected-configs", "yes"]):
            is_refused(connection.call(*request), request)
    with Server(options={"enable-protected-configs": "yes"}) as server:
        for name in ("../escaped", "a/b", ""):
            is_refused(server.call("CONFIG", "SET", "dbfilename", name), name)


# CVE-2025-27151
@test
def tools_survive_paths_of_any_length():
    tool = os.path.join(os.path.dirname(roxdb()), "roxdb-tool")
    if not os.path.exists(tool):
        raise Skip("no roxdb-tool beside the server")
    for path in ("x" * 5000, "/".join(["directory"] * 5000), "/" + "y" * 100000):
        for command in ("verify", "repair"):
            done = subprocess.run([tool, command, path], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=PATIENCE_S)
            expect_that(0 < done.returncode < 100,
                        "%s of a path of %d bytes ends with %d: %s" % (
                            command, len(path), done.returncode, done.stdout[-300:]))


sys.exit(run())
