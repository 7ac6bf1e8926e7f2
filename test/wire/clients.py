#!/usr/bin/env python3
"""What users hold in their hands: redis-cli, redis-benchmark, and bare sockets.

Every test starts what it needs. ROX_SERVER=/usr/bin/redis-server tries the tests themselves; those
of what only RoxDB promises are skipped then.
"""
import fcntl
import os
import pty
import re
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

from _checks import Skip, expect, expect_that, run, test
from _resp import Error, encode
from _server import (PATIENCE_S, Connection, Server, free_port, is_redis,
                     own_address, redis_server, roxdb)

# Under the sanitizers a tenth of the work shows as much.
IS_DEBUG = "/debug/" in roxdb()

_shared = None


def shared():
    """A server for tests that leave no trace but keys; emptied before each."""
    global _shared
    if _shared is None or not _shared.is_running():
        _shared = Server()
    _shared.call("FLUSHALL")
    return _shared


def only_roxdb():
    if is_redis(roxdb()):
        raise Skip("not a promise of redis-server")


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(name + " is not installed")
    return path


def redis_cli(server, *words, stdin=None, seconds=PATIENCE_S):
    """Runs redis-cli; returns what it prints, errors too. It must end with 0."""
    done = subprocess.run(
        [tool("redis-cli"), "-p", str(server.port), *words], timeout=seconds,
        **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.stdout.decode("latin-1")
    expect(done.returncode, 0, output)
    return output


# ---- redis-cli ----

@test
def redis_cli_runs_commands_from_a_pipe():
    output = redis_cli(shared(), stdin=b'SET "a key" value\nGET "a key"\nINCR n\nNOSUCH\n')
    expect(output.split("\n")[:3], ["OK", "value", "1"])
    expect_that("ERR unknown command 'NOSUCH'" in output, output)


@test
def redis_cli_takes_the_last_argument_from_stdin():
    server = shared()
    expect(redis_cli(server, "-x", "SET", "k", stdin=b"\x00\xff\r\nlast"), "OK\n")
    expect(server.call("GET", "k"), b"\x00\xff\r\nlast")


@test
def redis_cli_speaks_resp3():
    output = redis_cli(shared(), "-3", "--no-raw", "CONFIG", "GET", "hz")
    expect(output.strip(), '1# "hz" => "10"')


@test
def redis_cli_scans():
    server = shared()
    with server.connect() as connection:
        connection.pipeline([["SET", "key:%d" % number, "v"] for number in range(1000)])
    names = redis_cli(server, "--scan").split()
    expect(sorted(names), sorted("key:%d" % number for number in range(1000)))
    expect(len(redis_cli(server, "--scan", "--pattern", "key:99*").split()), 11)


# How redis-cli --bigkeys counts a value of each type.
UNITS = {"string": "bytes", "list": "items", "set": "members", "hash": "fields", "zset": "members",
         "stream": "entries"}


def fill_with_all_types(server):
    """Values of all types with 1 to 300 elements, or 10 to 3000 bytes: packed ones and large ones;
    the names tell the type and the number."""
    commands = []
    for count in (1, 3, 40, 300, 100, 2):
        texts = ["element:%d" % number for number in range(count)]
        commands += [["SET", "string:%d" % count, "v" * 10 * count],
                     ["RPUSH", "list:%d" % count, *texts],
                     ["SADD", "set:%d" % count, *texts],
                     ["HSET", "hash:%d" % count,
                      *(word for text in texts for word in (text, "value"))],
                     ["ZADD", "zset:%d" % count,
                      *(word for text in texts for word in (len(text), text))]]
        commands += [["XADD", "stream:%d" % count, "*", "field", text] for text in texts]
    commands += [["SADD", "set:integers", *range(200)], ["PFADD", "string:hll", "a", "b"],
                 ["GEOADD", "zset:places", 13.361389, 38.115556, "Palermo"],
                 ["SETBIT", "string:bits", 999, 1]]
    with server.connect() as connection:
        for command, reply in zip(commands, connection.pipeline(commands)):
            expect_that(not isinstance(reply, Error), "%s: %s" % (command[:2], reply))
        return connection.call("DBSIZE")


@test
def redis_cli_finds_the_biggest_key_of_every_type():
    server = shared()
    keys = fill_with_all_types(server)
    output = redis_cli(server, "--bigkeys")
    expect_that("Sampled %d keys in the keyspace!" % keys in output, output)
    for kind, unit in UNITS.items():
        size = 3000 if kind == "string" else 300
        expect_that(re.search("Biggest +%s found '\"%s:300\"' has %d %s" % (kind, kind, size, unit),
                              output), "%s: %s" % (kind, output))
        expect_that(re.search(r"\d+ %ss with \d+ %s \([\d.]+%% of keys, avg size [\d.]+\)" % (
            kind, unit), output), "%s: %s" % (kind, output))


@test
def redis_cli_finds_what_takes_the_most_memory_of_every_type():
    server = shared()
    keys = fill_with_all_types(server)
    output = redis_cli(server, "--memkeys")
    expect_that("Sampled %d keys in the keyspace!" % keys in output, output)
    for kind in UNITS:
        found = re.search("Biggest +%s found '\"%s:300\"' has (\\d+) bytes" % (kind, kind), output)
        expect_that(found, "%s: %s" % (kind, output))
        expect(int(found.group(1)), server.call("MEMORY", "USAGE", kind + ":300"), kind)


@test
def redis_cli_measures_latency():
    output = redis_cli(shared(), "--latency", seconds=30)  # without a terminal: one second
    expect_that(re.fullmatch(r"[\d.]+ [\d.]+ [\d.]+ \d+\s*", output), output)


@test
def redis_cli_shows_statistics_as_they_come():
    process = subprocess.Popen(
        [tool("redis-cli"), "-p", str(shared().port), "--stat", "-i", "0.05"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        lines = [process.stdout.readline().decode() for _ in range(6)]
    finally:
        process.kill()
        process.communicate()
    expect_that("keys" in lines[1] and "mem" in lines[1], lines)
    for line in lines[2:]:
        expect_that(re.match(r"\d+ +[\d.]+[BKMG]? +\d+ +\d+ +\d+ \(\+\d+\) +\d+", line), line)


@test
def redis_cli_loads_in_bulk():
    server = shared()
    count = 100_000 if IS_DEBUG else 1_000_000
    with tempfile.TemporaryFile() as commands:
        for start in range(0, count, 10000):
            commands.write(b"".join(encode([b"SET", b"key:%d" % number, b"value:%d" % number])
                                    for number in range(start, start + 10000)))
        commands.seek(0)
        done = subprocess.run([tool("redis-cli"), "-p", str(server.port), "--pipe"], stdin=commands,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    output = done.stdout.decode()
    expect_that("errors: 0, replies: %d" % count in output, output)
    expect(server.call("DBSIZE"), count)
    expect(server.call("GET", "key:%d" % (count - 1)), b"value:%d" % (count - 1))


@test
def redis_cli_helps_and_hints_at_the_prompt():
    server = shared()
    screen, terminal = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    process = subprocess.Popen(
        [tool("redis-cli"), "-p", str(server.port)], stdin=terminal, stdout=terminal,
        stderr=terminal, start_new_session=True,
        env=dict(os.environ, TERM="xterm", HOME=server.directory))
    os.close(terminal)
    shown = b""

    def until(pattern):
        nonlocal shown
        while not re.search(pattern, re.sub(rb"\x1b\[[\d;]*[A-Za-z]", b"", shown)):
            ready, _, _ = select.select([screen], [], [], 20)
            expect_that(ready, "nothing of %r in %r" % (pattern, shown))
            shown += os.read(screen, 65536)
        shown = b""
    try:
        until(rb"\d+> ")
        os.write(screen, b"help getrange\r")
        until(rb"GETRANGE key start end(?s:.*)> ")
        os.write(screen, b"append ")
        until(rb"key value")  # the hint, drawn grey behind the cursor
        os.write(screen, b"k v\r")
        until(rb"\(integer\) 1")
    finally:
        process.kill()
        process.wait()
        os.close(screen)


@test
def every_command_has_its_documentation():
    with shared().connect() as connection:
        docs = connection.call("COMMAND", "DOCS")
        names = connection.call("COMMAND", "LIST")
    docs = dict(zip(docs[::2], docs[1::2]))
    expect(sorted(docs), sorted(name for name in names if b"|" not in name))
    for name, fields in docs.items():
        fields = dict(zip(fields[::2], fields[1::2]))
        for field in (b"summary", b"since", b"group"):
            expect_that(fields.get(field), "%s has no %s" % (name, field))


def redis_benchmark(server, *words):
    """Runs redis-benchmark; returns the lines that it prints. It must end with 0, and in peace."""
    done = subprocess.run(
        [tool("redis-benchmark"), "-p", str(server.port), *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    output = done.stdout.decode()
    expect(done.returncode, 0, output)
    for word in ("ERR", "Error", "error", "WARN"):
        expect_that(word not in output, output)
    return re.split(r"[\r\n]+", output)


def rates(lines):
    """The tests that have told their result, in order."""
    found = (re.fullmatch(r"(\S.*): ([\d.]+) requests per second, p50=[\d.]+ msec *", line)
             for line in lines)
    return [one.group(1) for one in found if one and float(one.group(2)) > 0]


@test
def redis_benchmark_runs():
    server = shared()
    clients_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100
    for words in (["-P", "1", "-n", "3000"], ["-P", "64", "-n", "20000"],
                  ["-c", str(min(1000, clients_max)), "-n", "3000"]):
        lines = redis_benchmark(server, "-q", "-r", "1000", "-t", "ping,set,get,incr,mset", *words)
        expect(len(rates(lines)), 6, lines)


@test
def redis_benchmark_runs_all_of_its_tests():
    """Those that it runs against redis-server, too, and leaves the same behind."""
    if redis_server() is None:
        raise Skip("redis-server is not installed")
    said = []
    for program in (roxdb(), redis_server()):
        with Server(program) as server:
            lines = redis_benchmark(server, "--csv", "-n", "1000")
            expect_that(lines[0].startswith('"test","rps","avg_latency_ms"'), lines)
            names = [line.split('",')[0].strip('"') for line in lines[1:] if line]
            expect_that("LRANGE_600 (first 600 elements)" in names and "ZPOPMIN" in names, names)
            for words in ([], ["-P", "16"]):
                expect(rates(redis_benchmark(server, "-q", "-n", "2000", *words)), names)
            kept = sorted(server.call("KEYS", "*"))
            said.append([names, [(key, server.call("TYPE", key)) for key in kept],
                         server.call("LLEN", "mylist"), server.call("HLEN", "myhash")])
    expect(said[0], said[1])


# ---- bytes ----

@test
def inline_commands_take_quotes_and_a_bare_line_feed():
    with shared().connect() as connection:
        connection.send(b"SET k \"a b\\x41\\n\"\nGET k\r\n\nECHO 'it\\'s'\nPING\n")
        expect(connection.read_raw_replies(4),
               [b"+OK\r\n", b"$5\r\na bA\n\r\n", b"$4\r\nit's\r\n", b"+PONG\r\n"])


@test
def a_request_may_arrive_byte_by_byte():
    with shared().connect() as connection:
        for byte in encode(["SET", "k", "a\r\nb"]) + b"GET k\r\n" + encode(["GET", "k"]):
            connection.send(bytes([byte]))
        expect(connection.read_raw_replies(3), [b"+OK\r\n"] + [b"$4\r\na\r\nb\r\n"] * 2)


@test
def http_is_not_served():
    server = shared()
    for start in (b"POST / HTTP/1.1\r\n", b"Host: localhost\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"):
        with server.connect() as connection:
            connection.send(start + b"\r\nSET stolen 1\r\n")
            connection.read_until_closed()
        expect(server.call("EXISTS", "stolen"), 0)


@test
def what_is_only_announced_takes_no_memory():
    server = shared()
    too_many = b"*%d\r\n" % (2 ** 31 if is_redis(roxdb()) else 2 ** 20 + 1)
    for announced, answer in (
            (too_many, b"-ERR Protocol error: invalid multibulk length"),
            (b"*1\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length"),
            (b"*1\r\n+OK\r\n", b"-ERR Protocol error: expected '$', got '+'")):
        with server.connect() as connection:
            connection.send(announced)
            expect(connection.read_until_closed().rstrip(), answer)
    if is_redis(roxdb()):
        return  # reserves an announced bulk at once
    before = int(server.info()["used_memory"])
    held = [server.connect() for _ in range(50)]
    for connection in held:
        connection.send(b"*1048576\r\n$3\r\nSET\r\n$536870912\r\nabc")
    allowance = 50 * (200 << 10)
    # The first loop turns may not have read all of them yet: ask until nothing moves.
    for _ in range(5):
        grown = int(server.info()["used_memory"]) - before
        expect_that(grown < allowance, "%d bytes for what 50 clients announced" % grown)
        time.sleep(0.02)
    for connection in held:
        connection.close()


@test
def strangers_are_kept_short():
    server = Server(options={"requirepass": "secret"})
    with server:
        for start, answer in (
                (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length"),
                (b"*2\r\n$4\r\nECHO\r\n$16385\r\n",
                 b"-ERR Protocol error: unauthenticated bulk length")):
            with Connection(("127.0.0.1", server.port)) as connection:
                connection.send(start)
                expect(connection.read_until_closed().rstrip(), answer)
        # Answers that are never read: the connection goes before they fill the memory.
        with Connection(("127.0.0.1", server.port)) as connection:
            # Much less, and the kernel drops what it has no room for and takes minutes to settle.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            try:
                for _ in range(20000):
                    connection.send(b"GET k\r\n" * 100)
                raise AssertionError("2,000,000 unread errors were stored")
            except OSError:
                pass


@test
def without_a_password_only_this_machine_is_served():
    address = own_address()
    with Server(options={"bind": ["127.0.0.1", address], "protected-mode": "yes"}) as server:
        with Connection((address, server.port)) as stranger:
            expect_that(stranger.read_until_closed().startswith(b"-DENIED "), "no -DENIED")
        with server.connect() as connection:  # and nobody else has noticed
            expect(connection.call("SET", "k", "v"), b"OK")
            expect(connection.call("CONFIG", "SET", "requirepass", "secret"), b"OK")
            with Connection((address, server.port)) as stranger:
                expect(stranger.call("GET", "k"), b"NOAUTH Authentication required.")
                expect(stranger.call("AUTH", "secret"), b"OK")
                expect(stranger.call("GET", "k"), b"v")
            expect(connection.call("CONFIG", "SET", "requirepass", ""), b"OK")
            expect(connection.call("CONFIG", "SET", "protected-mode", "no"), b"OK")
            with Connection((address, server.port)) as stranger:
                expect(stranger.call("GET", "k"), b"v")


@test
def strangers_must_say_who_they_are_in_time():
    only_roxdb()
    with Server(options={"requirepass": "secret", "auth-timeout": 1}) as server:
        with Connection(("127.0.0.1", server.port)) as silent, \
                Connection(("127.0.0.1", server.port)) as known:
            expect(known.call("AUTH", "secret"), b"OK")
            silent.read_until_closed()
            expect(known.call("PING"), b"PONG")


@test
def a_password_is_asked_for():
    with Server(options={"requirepass": "secret"}) as server:
        with Connection(("127.0.0.1", server.port)) as connection:
            expect(connection.call("GET", "k"), b"NOAUTH Authentication required.")
            expect(connection.call("AUTH", "wrong"),
                   b"WRONGPASS invalid username-password pair or user is disabled.")
            expect(connection.call("AUTH", "default", "secret"), b"OK")
            expect(connection.call("SET", "k", "v"), b"OK")
            expect(connection.call("CONFIG", "SET", "requirepass", "other"), b"OK")
            expect(connection.call("GET", "k"), b"v")
        with Connection(("127.0.0.1", server.port)) as connection:
            expect(connection.call("HELLO", 3, "AUTH", "default", "other")[b"proto"], 3)
        expect_that("other" not in redis_cli(server, "-a", "other", "--no-auth-warning", "CLIENT",
                                             "LIST"), "the password shows in CLIENT LIST")


@test
def a_slow_reader_gets_all_of_what_it_asked_for():
    server = shared()
    value = bytes(range(256)) * (4 << 12)  # 4 MiB, far more than a socket holds
    with server.connect() as slow, server.connect() as other:
        slow.call("SET", "big", value)
        wanted = b"".join(b"$%d\r\n%b\r\n:%d\r\n" % (len(value), value, number)
                          for number in range(1, 9))
        slow.send_commands([["GET", "big"], ["INCR", "n"]] * 8)
        position = 0
        while position < len(wanted):
            piece = slow.socket.recv(100_000)
            expect_that(piece and wanted.startswith(piece, position),
                        "wrong bytes at %d" % position)
            position += len(piece)
            if position < 2 << 20:
                expect(other.call("PING"), b"PONG")
        # The value that is being sent may be replaced meanwhile.
        slow.send_commands([["GET", "big"]] * 4)
        other.call("SET", "big", "small")
        for raw in slow.read_raw_replies(4):
            expect_that(raw in (b"$%d\r\n%b\r\n" % (len(value), value), b"$5\r\nsmall\r\n"),
                        "a mixture of old and new")


@test
def readers_that_never_read_are_dropped_at_their_limit():
    with Server(options={"client-output-buffer-limit": ["normal", "1mb", "0", "0"]}) as server:
        server.call("SET", "big", b"x" * 300_000)
        with server.connect() as connection:
            connection.send_commands([["GET", "big"]] * 200)
            data = connection.read_until_closed()
            expect_that(len(data) < 200 * 300_000, "everything was delivered")
        expect(server.call("PING"), b"PONG")
        expect(server.info()["client_output_buffer_limit_disconnections"], "1") \
            if not is_redis(roxdb()) else None


@test
def a_client_that_stops_sending_gets_its_answers():
    server = shared()
    with server.connect() as connection:
        connection.send_commands([["INCR", "n"]] * 100 + [["GET", "n"]])
        connection.socket.shutdown(socket.SHUT_WR)
        expect(connection.read_until_closed(),
               b"".join(b":%d\r\n" % number for number in range(1, 101)) + b"$3\r\n100\r\n")
    with server.connect() as connection:
        connection.send(encode(["SET", "half", "value"])[:-3])
        connection.socket.shutdown(socket.SHUT_WR)
        expect(connection.read_until_closed(), b"")
    expect(server.call("EXISTS", "half"), 0)


@test
def clients_may_be_killed_in_the_middle_of_a_pipeline():
    server = shared()
    with server.connect() as killer:
        for _ in range(10):
            victim = server.connect()
            victim_id = victim.call("CLIENT", "ID")
            sender = threading.Thread(target=send_and_forget,
                                      args=(victim, encode(["INCR", "n"]) * 50000))
            sender.start()
            while killer.call("CLIENT", "KILL", "ID", victim_id) == 0:
                raise AssertionError("no such client")
            victim.read_until_closed()
            sender.join()
            victim.close()
        expect(killer.call("PING"), b"PONG")
    with server.connect() as suicidal:
        own = suicidal.call("CLIENT", "ID")
        suicidal.send_commands([["SET", "k", "1"], ["CLIENT", "KILL", "ID", own, "SKIPME", "no"],
                                ["SET", "k", "2"]])
        expect(suicidal.read_until_closed(), b"+OK\r\n:1\r\n")
    expect(server.call("GET", "k"), b"1")


def send_and_forget(connection, data):
    try:
        connection.send(data)
    except OSError:
        pass


@test
def too_many_clients_are_told_so():
    with Server(options={"maxclients": 10}) as server:
        held = []
        for _ in range(10):
            held.append(server.connect())
            expect(held[-1].call("PING"), b"PONG")
        with Connection(("127.0.0.1", server.port)) as refused:
            expect(refused.read_until_closed(), b"-ERR max number of clients reached\r\n")
        held.pop().close()
        held[0].call("PING")  # a turn of the loop, in which the server sees who has left
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with Connection(("127.0.0.1", server.port)) as late:
                late.send(b"PING\r\n")
                if late.read_until_closed_or(b"+PONG\r\n"):
                    break
            expect_that(time.monotonic() < deadline, "the freed place is not given away")
        for connection in held:
            connection.close()


@test
def no_more_clients_are_promised_than_there_are_descriptors():
    only_roxdb()
    with Server(options={"maxclients": 40}) as server:
        answer = server.call("CONFIG", "SET", "maxclients", 4_000_000_000)
        expect_that(b"The operating system is not able to handle the specified number of clients, "
                    b"try with " in answer, answer)
        expect(server.call("CONFIG", "GET", "maxclients")[1], b"40")
        expect(server.call("CONFIG", "SET", "maxclients", 50), b"OK")
        soft, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        expect_that(soft == resource.RLIM_INFINITY or soft >= 50 + 32, soft)


# What each of many sees of the others when all have come while the server stood still.
@test
def who_is_here_is_served_before_all_who_come_are_let_in():
    seen = []
    for limit in (1, 1000):
        with Server(options={"max-new-connections-per-cycle": str(limit)}) as server:
            server.signal(signal.SIGSTOP)
            crowd = [server.connect() for _ in range(60)]
            for one in crowd:
                one.send(encode(["INFO", "clients"]))
            server.signal(signal.SIGCONT)
            counts = [int(re.search(rb"connected_clients:(\d+)", one.read())[1]) for one in crowd]
            seen.append(min(counts))
            expect(max(counts), 60)
            for one in crowd:
                one.close()
    expect(seen[1], 60)
    expect_that(seen[0] < 10, "the first one finds %d others" % seen[0])


@test
def idle_clients_are_closed_after_the_timeout():
    with Server(options={"timeout": 1}) as server:
        with server.connect() as idle:
            expect(idle.call("PING"), b"PONG")
            expect(idle.read_until_closed(), b"")


# ---- the process ----

@test
def a_unix_socket_and_several_addresses_are_served():
    directory = tempfile.mkdtemp(prefix="rox-s-")
    path = os.path.join(directory, "s")
    try:
        with Server(options={"bind": ["127.0.0.1", "127.0.0.2", "-::1"], "unixsocket": path,
                             "unixsocketperm": "700"}) as server:
            with server.connect(path=path) as connection:
                expect(connection.call("SET", "k", "v"), b"OK")
                expect_that(b"addr=%s:0 " % path.encode() in connection.call("CLIENT", "LIST"),
                            "the address in CLIENT LIST")
            expect(stat.S_IMODE(os.stat(path).st_mode), 0o700)
            with Connection(("127.0.0.2", server.port)) as connection:
                expect(connection.call("GET", "k"), b"v")
    finally:
        shutil.rmtree(directory)


@test
def configuration_comes_from_stdin():
    with Server(arguments=["-"], start=False) as server:
        server.port = free_port()
        server.log_start = 0
        with open(server.log_path, "wb") as log:
            server.process = subprocess.Popen(
                server.command_line(), stdin=subprocess.PIPE, stdout=log,
                stderr=subprocess.STDOUT, cwd=server.directory)
        server.process.stdin.write(b"hz 17\n# a comment\nmaxmemory 100mb\n")
        server.process.stdin.close()
        expect_that(server.wait_ready(), server.log())
        expect(server.call("CONFIG", "GET", "hz"), [b"hz", b"17"])
        expect(server.call("CONFIG", "GET", "maxmemory"), [b"maxmemory", b"104857600"])


@test
def settings_of_others_are_taken():
    only_roxdb()
    with Server(options={"proto-max-bulk-len": "1gb", "client-default-resp": "3",
                         "cluster-ping-interval": "0", "cluster-message-gossip-perc": "7",
                         "cluster-link-sendbuf-limit": 2 ** 64 - 1, "cluster-blacklist-ttl": "0",
                         "lua-enable-insecure-api": "no",
                         "shutdown-on-sigterm": "safe failover"}) as server:
        expect_that("proto-max-bulk-len has been reduced to 536870912" in server.log(), "a warning")
        with server.connect() as connection:
            name = b"proto-max-bulk-len"
            expect(connection.call("CONFIG", "GET", name), {name: b"536870912"})
            connection.call("HELLO", 2)
            expect(connection.call("CONFIG", "GET", name), [name, b"536870912"])
            expect(connection.call("RESET"), b"RESET")
            expect(connection.call("CONFIG", "GET", name), {name: b"536870912"})


def refused_start(server):
    """Exit code and output of a server that should not start."""
    server.launch()
    code = server.wait()
    return code, server.log()


@test
def wrong_configuration_is_named_and_refused():
    directory = tempfile.mkdtemp(prefix="rox-conf-")
    try:
        for line, reason in (("nosuchthing 1", "Bad directive or wrong number of arguments"),
                             ("maxmemry 100mb", "" if is_redis(roxdb()) else
                              "Did you mean 'maxmemory'?"),
                             ("hz many", "argument couldn't be parsed into an integer"),
                             ("appendfsync sometimes", "argument(s) must be one of the following"),
                             ('dir "unfinished', "Unbalanced quotes in configuration line")):
            path = os.path.join(directory, "server.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write("# first\nhz 10\n%s\n" % line)
            with Server(arguments=[path], start=False) as server:
                code, output = refused_start(server)
                expect(code, 1, output)
                expect_that("FATAL CONFIG FILE ERROR" in output and line in output and
                            "line 3" in output and reason in output, output)
        with Server(options={"nosuchthing": "1"}, start=False) as server:
            code, output = refused_start(server)
            expect(code, 1, output)
            expect_that("nosuchthing" in output, output)
    finally:
        shutil.rmtree(directory)


@test
def configuration_is_written_back():
    directory = tempfile.mkdtemp(prefix="rox-conf-")
    path = os.path.join(directory, "server.conf")
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write("# keep this comment\nhz 10\n")
        with Server(arguments=[path], directory=directory) as server:
            expect(server.call("CONFIG", "SET", "hz", "33", "slowlog-max-len", "7"), b"OK")
            expect(server.call("CONFIG", "REWRITE"), b"OK")
        with open(path, encoding="ascii") as file:
            lines = file.read().split("\n")
        expect(lines[:2], ["# keep this comment", "hz 33"])
        expect_that("slowlog-max-len 7" in lines, lines)
        with Server(arguments=[path], directory=directory) as server:
            expect(server.call("CONFIG", "GET", "slowlog-max-len"), [b"slowlog-max-len", b"7"])
    finally:
        shutil.rmtree(directory)


@test
def the_configuration_that_debian_ships_is_read():
    path = "/etc/redis/redis.conf"
    if not os.access(path, os.R_OK):
        raise Skip("cannot read " + path)
    with Server(arguments=[path], options={"daemonize": "no", "logfile": "", "pidfile": "",
                                           "save": ["3600", "1"]}) as server:
        expect(server.call("SET", "k", "v"), b"OK")
        expect(server.call("CONFIG", "GET", "appendfsync"), [b"appendfsync", b"everysec"])
        expect(server.stop(), 0, "exit code")
        server.start()
        expect(server.call("GET", "k"), b"v")


@test
def a_daemon_leaves_its_pid_and_goes_to_the_background():
    with Server(start=False) as server:
        pidfile = os.path.join(server.directory, "pid")
        logfile = os.path.join(server.directory, "daemon.log")
        server.options.update({"daemonize": "yes", "pidfile": pidfile, "logfile": logfile})
        server.launch()
        expect(server.wait(), 0, "exit code of the one that was started")
        deadline = time.monotonic() + PATIENCE_S
        while not (os.path.exists(pidfile) and os.path.getsize(pidfile)):
            expect_that(time.monotonic() < deadline, "no pidfile")
            time.sleep(0.01)
        with open(pidfile, encoding="ascii") as file:
            pid = int(file.read())
        try:
            while True:
                try:
                    with server.connect() as connection:
                        expect(connection.call("PING"), b"PONG")
                    break
                except ConnectionError:
                    expect_that(time.monotonic() < deadline, "no answer")
                    time.sleep(0.01)
            expect(int(server.info()["process_id"]), pid)
        finally:
            os.kill(pid, signal.SIGTERM)
        while os.path.exists("/proc/%d" % pid):
            expect_that(time.monotonic() < deadline, "still there after SIGTERM")
            time.sleep(0.01)
        expect_that(not os.path.exists(pidfile), "the pidfile outlives its process")
        with open(logfile, encoding="utf-8", errors="replace") as file:
            expect_that("Ready to accept" in file.read(), "log")


@test
def the_pid_file_is_that_of_the_server_that_listens():
    only_roxdb()
    directory = tempfile.mkdtemp(prefix="rox-pid-")
    pidfile, path = os.path.join(directory, "pid"), os.path.join(directory, "s")
    try:
        with Server(options={"pidfile": pidfile, "unixsocket": path,
                             "busy-reply-threshold": "50"}) as server:
            with Server(options={"pidfile": pidfile, "port": server.port},
                        start=False) as second:
                code, output = refused_start(second)
                expect(code, 1, output)
            with open(pidfile, encoding="ascii") as file:
                expect(int(file.read()), server.pid)
            with server.connect() as busy, server.connect() as other:
                busy.send(encode(["EVAL", "while true do end", "0"]))
                deadline = time.monotonic() + PATIENCE_S
                while not isinstance(other.call("PING"), Error):
                    expect_that(time.monotonic() < deadline, "others are told")
                other.send(encode(["SHUTDOWN", "NOSAVE"]))
                expect(server.wait(), 0)
            # It could not wait for the script, and has left nothing behind all the same.
            expect(os.listdir(directory), [])
    finally:
        shutil.rmtree(directory)


@test
def a_directory_has_one_owner():
    only_roxdb()
    with Server() as first:
        with Server(directory=first.directory, start=False) as second:
            second.log_path += ".second"
            code, output = refused_start(second)
            expect(code, 13, output)
            expect_that(str(first.pid) in output, output)
        expect(first.call("PING"), b"PONG")


@test
def every_orderly_end_keeps_the_data():
    ends = {"SHUTDOWN": ["SHUTDOWN"], "SHUTDOWN SAVE": ["SHUTDOWN", "SAVE"],
            "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
    for options in ({"appendonly": "yes", "appendfsync": "everysec"}, {"save": ["3600", "1"]}):
        with Server(options=options) as server:
            for number, (name, end) in enumerate(ends.items()):
                expect(server.call("SET", "k", number), b"OK")
                if isinstance(end, list):
                    with server.connect() as connection:
                        connection.send_commands([end])
                        expect(connection.read_until_closed(), b"", name)
                else:
                    server.signal(end)
                expect(server.wait(), 0, "exit code after %s, %s" % (name, options))
                server.start()
                expect(server.call("GET", "k"), b"%d" % number, name)


def replies_while_loading(server, commands):
    """Sends the commands as soon as the server listens; their replies, which are those of a server
    that loads, or of one that has been too quick for us."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with server.connect() as connection:
                return connection.pipeline(commands)
        except OSError:
            expect_that(server.is_running(), server.log())
            time.sleep(0.002)
    raise AssertionError("nobody listens:\n" + server.log())


@test
def clients_wait_while_data_is_loaded_and_a_signal_ends_it():
    """The file grows until its loading lasts long enough to be seen and interrupted."""
    keys = 20_000 if IS_DEBUG else 300_000
    with Server(options={"enable-debug-command": "yes"}, start=False) as server:
        path = os.path.join(server.directory, "dump.rdb")
        pidfile = server.options["pidfile"] = os.path.join(server.directory, "pid")
        server.start()
        while True:
            server.call("DEBUG", "POPULATE", keys, "key", 64)
            expect(server.call("SAVE"), b"OK")
            server.kill()
            with open(path, "rb") as file:
                saved = file.read()
            server.launch()
            ping, get, write, info = replies_while_loading(server, [
                ["PING"], ["GET", "key:1"], ["SET", "k", "v"], ["INFO", "persistence"]])
            server.signal(signal.SIGTERM)
            expect(server.wait(), 0, "exit code of SIGTERM")
            expect_that(not os.path.exists(pidfile), "the pidfile outlives its process")
            fields = dict(line.split(":", 1) for line in info.decode().split("\r\n") if ":" in line)
            if fields["loading"] == "1" and "Ready to accept connections" not in server.log():
                break
            if keys > 20_000_000:
                raise Skip("this machine loads faster than it can be watched")
            keys *= 4
            server.start()
        loading = b"LOADING Redis is loading the dataset in memory"
        expect([ping, get, write], [loading, loading, loading])
        expect(fields["loading_total_bytes"], str(len(saved)))
        expect_that(0 <= int(fields["loading_loaded_bytes"]) <= len(saved), info)
        expect_that(0 <= float(fields["loading_loaded_perc"]) <= 100, info)
        with open(path, "rb") as file:
            expect_that(file.read() == saved, "the interrupted load has changed the file")
        server.start()
        expect(server.call("DBSIZE"), keys)
        expect(server.info()["loading"], "0")


@test
def shutdown_nosave_saves_nothing_and_errors_keep_the_server_up():
    with Server(options={"save": ["3600", "1"]}) as server:
        server.call("SET", "k", "v")
        expect(server.call("SHUTDOWN", "SAVE", "NOSAVE"), b"ERR syntax error")
        expect(server.call("SHUTDOWN", "ABORT"), b"ERR No shutdown in progress.")
        with server.connect() as connection:
            connection.send_commands([["SHUTDOWN", "NOSAVE"]])
            connection.read_until_closed()
        expect(server.wait(), 0, "exit code")
        server.start()
        expect(server.call("DBSIZE"), 0)


@test
def a_full_disk_refuses_writes_until_there_is_room():
    if os.getuid() != 0 or shutil.which("unshare") is None:
        raise Skip("needs root, for a small file system")
    with Server(options={"appendonly": "yes", "appendfsync": "everysec",
                         "enable-debug-command": "yes"}, start=False) as server:
        # A file system that only this process sees is gone when the process is.
        data = os.path.join(server.directory, "data")
        os.mkdir(data)
        server.options["dir"] = data
        server.prefix = ["unshare", "--mount", "sh", "-c",
                         "mount -t tmpfs -o size=8m none '%s' && exec \"$@\"" % data, "sh"]
        if subprocess.run(server.prefix + ["true"], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("cannot mount a file system here")
        server.start()
        inside = "/proc/%d/root%s/" % (server.pid, data)
        with open(inside + "ballast", "wb") as ballast:
            ballast.write(bytes(4 << 20))
        with server.connect() as writer, server.connect() as other:
            stored = fill_until_refused(writer)
            reply = other.call("SET", "refused", "1")
            expect_that(reply.startswith(b"MISCONF Errors writing to the AOF file"), reply)
            expect(other.call("STRLEN", "key:0"), 50_000)
            expect(other.call("EXISTS", "refused"), 0, "a refused write has an effect")
            expect_that(other.call("PING").startswith(b"MISCONF"), "PING answers PONG")
            expect(other.info()["aof_last_write_status"], "err")
            os.unlink(inside + "ballast")
            deadline = time.monotonic() + PATIENCE_S
            while isinstance(other.call("SET", "healed", "yes"), Error):
                expect_that(time.monotonic() < deadline, "writes stay refused")
                time.sleep(0.05)
            expect(other.info()["aof_last_write_status"], "ok")
            if not is_redis(roxdb()):  # what stands in its log is what it has promised
                names = other.call("KEYS", "*")
                expect(other.call("DEBUG", "LOADAOF"), b"OK")
                expect(sorted(other.call("KEYS", "*")), sorted(names))
                expect_that(len(names) in (stored + 1, stored + 2), "%d keys, %d acknowledged" % (
                    len(names), stored + 1))


def fill_until_refused(connection):
    """Writes until an error comes, or no reply at all; returns how many were acknowledged."""
    stored = 0
    while True:
        connection.send_commands([["SET", "key:%d" % stored, bytes(50_000)]])
        ready, _, _ = select.select([connection.socket], [], [], 2)
        # The write that found the disk full is executed; what it waits for is not on the disk.
        if not ready or isinstance(connection.read(), Error):
            return stored
        stored += 1
        expect_that(stored < 10000, "a disk of 8 MiB has no end")


@test
def a_given_snapshot_is_restored_and_the_old_files_kept():
    only_roxdb()
    for options in ({"appendonly": "yes"}, {"save": ["3600", "1"]}):
        with Server(options=options) as server:
            server.call("MSET", "a", "1", "b", "2")
            expect(server.call("SAVE"), b"OK")
            saved = os.path.join(server.directory, "saved.snapshot")
            shutil.copy(os.path.join(server.directory, "dump.rdb"), saved)
            server.call("MSET", "a", "3", "c", "4")
            expect(server.stop(), 0)
            before = sum(len(names) for _, _, names in os.walk(server.directory))
            server.arguments = ["--restore", saved]
            server.start()
            expect(sorted(server.call("KEYS", "*")), [b"a", b"b"], options)
            expect(server.call("GET", "a"), b"1")
            after = sum(len(names) for _, _, names in os.walk(server.directory))
            expect_that(after >= before, "files have gone")
            server.call("SET", "d", "5")
            expect(server.stop(), 0)
            server.arguments = []
            server.start()
            expect(sorted(server.call("KEYS", "*")), [b"a", b"b", b"d"], "after another start")


@test
def a_missing_or_wrong_snapshot_is_not_restored():
    only_roxdb()
    with Server() as server:
        server.call("SET", "k", "v")
        server.call("SAVE")
        expect(server.stop(), 0)
        server.arguments = ["--restore", os.path.join(server.directory, "nosuchfile")]
        code, output = refused_start(server)
        expect_that(code != 0 and "nosuchfile" in output, output)
        wrong = os.path.join(server.directory, "wrong")
        with open(wrong, "wb") as file:
            file.write(b"this is no snapshot" * 100)
        server.arguments = ["--restore", wrong]
        code, output = refused_start(server)
        expect(code, 10, output)
        server.arguments = []
        server.start()
        expect(server.call("GET", "k"), b"v")


if __name__ == "__main__":
    sys.exit(run())
