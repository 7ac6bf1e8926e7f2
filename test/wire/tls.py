#!/usr/bin/env python3
"""TLS: who is let in, what is refused, and that everything works through it as without.

ROX_SERVER=/usr/bin/redis-server tries the tests themselves; those of what only RoxDB promises are
skipped then.
"""
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

from _certificates import Authority, openssl
from _checks import Skip, expect, expect_that, run, test
from _resp import encode
from _server import PATIENCE_S, Connection, Server, free_port, is_redis, own_address, roxdb

IS_DEBUG = "/debug/" in roxdb()
BIG = 1 << 20

_directory = tempfile.mkdtemp(prefix="rox-tls-")


def file(name):
    return os.path.join(_directory, name)


def make_certificates():
    authority = Authority(_directory, "ca")
    for name in ("server", "renewed"):
        authority.issue(name, "localhost", ["subjectAltName=IP:127.0.0.1,DNS:localhost"])
    authority.issue("stale", "localhost", ["subjectAltName=IP:127.0.0.1"], days=-1)
    authority.issue("locked", "localhost", ["subjectAltName=IP:127.0.0.1"], passphrase="open it")
    authority.issue("client", "alice",
                    ["subjectAltName=URI:spiffe://test/bob,DNS:x,URI:spiffe://test/carol"])
    authority.issue("expired", "alice", days=-1)
    authority.issue("forged", "alice:evil")
    authority.replace_in("forged", b"alice:evil", b"alice\0evil")
    Authority(_directory, "stranger").issue("foreign", "alice")


def only_roxdb():
    if is_redis(roxdb()):
        raise Skip("not a promise of redis-server")


def start(options=None, **more):
    """A server with TLS on a port of its own, beside the port without."""
    tls_port = free_port()
    defaults = {"tls-port": tls_port, "tls-cert-file": file("server.crt"),
                "tls-key-file": file("server.key"), "tls-ca-cert-file": file("ca.crt")}
    server = Server(options=dict(defaults, **(options or {})), **more)
    server.tls_port = tls_port
    return server


_shared = None


def shared():
    """A server for tests that leave no trace but keys; emptied before each."""
    global _shared
    if _shared is None or not _shared.is_running():
        _shared = start()
    _shared.call("FLUSHALL")
    return _shared


def context(certificate="client", authority="ca", **settings):
    made = ssl.create_default_context(cafile=file(authority + ".crt"))
    if certificate:
        made.load_cert_chain(file(certificate + ".crt"), file(certificate + ".key"))
    for name, value in settings.items():
        setattr(made, name, value)
    return made


class TlsConnection(Connection):
    def __init__(self, server, tls=None, session=None, port=None):
        super().__init__(("127.0.0.1", port or server.tls_port))
        try:
            self.socket = (tls or context()).wrap_socket(
                self.socket, server_hostname="localhost", session=session)
        except OSError:
            self.socket.close()
            raise

    def serial(self):
        return self.socket.getpeercert()["serialNumber"]


def is_served(server, tls):
    """Whether a client gets a PONG. A refusal may come with the handshake or right behind it."""
    try:
        with TlsConnection(server, tls) as connection:
            return connection.call("PING") == b"PONG"
    except (OSError, ConnectionError):
        return False


def raw(server):
    """A connection to the port of TLS that speaks none."""
    return Connection(("127.0.0.1", server.tls_port))


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(name + " is not installed")
    return path


# ---- the same as without ----

@test
def commands_are_answered():
    with TlsConnection(shared()) as connection:
        expect(connection.call("SET", "k", "v"), b"OK")
        expect(connection.call("GET", "k"), b"v")
        expect(connection.call("HELLO", 3)[b"proto"], 3)
        expect(connection.call("CONFIG", "GET", "port").keys(), {b"port"})
        connection.send(b"PING inline\r\n")
        expect(connection.read(), b"inline")


@test
def pipelines_are_answered_in_order():
    with TlsConnection(shared()) as connection:
        count = 2000 if IS_DEBUG else 20000
        replies = connection.pipeline([["ECHO", "%d:%s" % (number, "x" * (number % 500))]
                                       for number in range(count)])
        expect(replies == [b"%d:%s" % (number, b"x" * (number % 500)) for number in range(count)],
               True)


@test
def values_of_all_sizes_come_back_as_they_were():
    chance = random.Random(4)
    with TlsConnection(shared()) as connection:
        # Around the size of a record, of a read, and above all buffers.
        sizes = [0, 1, 100, 16383, 16384, 16385, 65535, 65536, 65537, BIG, 5 * BIG + 7]
        for size in sizes:
            value = chance.randbytes(size)
            expect(connection.call("SET", "k", value), b"OK")
            expect_that(connection.call("GET", "k") == value, "a value of %d bytes" % size)


@test
def many_values_of_a_megabyte_go_through_one_pipeline():
    value = os.urandom(BIG)
    with TlsConnection(shared()) as connection:
        expect(connection.pipeline([["SET", "k%d" % number, value] for number in range(8)]),
               [b"OK"] * 8)
        replies = connection.pipeline([["MGET", *("k%d" % number for number in range(8))]] * 3)
        expect_that(all(reply == [value] * 8 for reply in replies), "24 MiB come back")


@test
def a_request_may_arrive_byte_by_byte():
    with TlsConnection(shared()) as connection:
        for byte in encode(["SET", "key", "value"]) + encode(["GET", "key"]):
            connection.send(bytes([byte]))
        expect([connection.read(), connection.read()], [b"OK", b"value"])


@test
def a_slow_reader_gets_all_of_what_it_asked_for():
    server = shared()
    value = os.urandom(BIG)
    count = 40
    with TlsConnection(server) as connection, server.connect() as other:
        connection.call("SET", "k", value)
        connection.send_commands([["GET", "k"]] * count)
        # The server's side is full long before; others go on meanwhile.
        server.wait_until(lambda info: int(info["client_recent_max_output_buffer"]) > 10 * BIG,
                          "output waits")
        for _ in range(100):
            expect(other.call("PING"), b"PONG")
        expect_that(all(reply.endswith(value + b"\r\n")
                        for reply in connection.read_raw_replies(count)), "all values come whole")
        expect(connection.call("PING"), b"PONG")


@test
def a_client_that_stops_sending_gets_its_answers():
    only_roxdb()
    server = shared()
    # The end of the stream alone, and before it the word of TLS for it.
    for says_so in (False, True):
        with TlsConnection(server) as connection:
            connection.call("SET", "k", "v" * 1000)
            connection.send_commands([["GET", "k"]] * 1000)
            if says_so:
                connection.socket.setblocking(False)
                try:
                    connection.socket.unwrap()
                except (ssl.SSLWantReadError, ssl.SSLError, OSError):
                    pass  # the server's goodbye comes behind the answers
                continue
            with socket.socket(fileno=os.dup(connection.socket.fileno())) as bare:
                bare.shutdown(socket.SHUT_WR)
            answers = connection.read_until_closed()
            expect(len(answers), 1000 * len(b"$1000\r\n" + b"v" * 1000 + b"\r\n"))
    expect(server.call("PING"), b"PONG")


# ---- who is let in ----

@test
def certificates_of_clients_are_looked_at_as_configured():
    nobody, known, foreign, expired = (context(name) for name in
                                       (None, "client", "foreign", "expired"))
    with start() as server:
        # What comes first is what holds without a word in the configuration.
        for mode, wanted in ((None, [False, True, False, False]),
                             ("optional", [True, True, False, False]),
                             ("no", [True, True, True, True]),
                             ("yes", [False, True, False, False])):
            if mode:
                expect(server.call("CONFIG", "SET", "tls-auth-clients", mode), b"OK")
            expect([is_served(server, tls) for tls in (nobody, known, foreign, expired)], wanted,
                   "tls-auth-clients %s" % mode)


@test
def a_name_with_a_nul_is_nobodys_name():
    only_roxdb()
    names = openssl("x509", "-in", file("forged.crt"), "-noout", "-subject").decode()
    expect_that("evil" in names, names)
    server = shared()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        expect(is_served(server, context("forged", maximum_version=version)), False)


@test
def only_two_versions_are_spoken():
    server = shared()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with TlsConnection(server, context(minimum_version=version,
                                           maximum_version=version)) as connection:
            expect(connection.call("PING"), b"PONG")
            expect(connection.socket.compression(), None)
    warnings.simplefilter("ignore", DeprecationWarning)  # we know
    old = context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")  # else our own side would refuse
    expect(is_served(server, old), False)


@test
def old_versions_cannot_be_configured():
    only_roxdb()
    with start() as server:
        for words in ("TLSv1.1", "TLSv1.2 TLSv1", "SSLv3"):
            answer = server.call("CONFIG", "SET", "tls-protocols", words)
            expect_that(b"only TLSv1.2 and TLSv1.3" in answer, answer)
        expect(server.call("CONFIG", "SET", "tls-protocols", "tlsv1.2"), b"OK")
        newest = context(minimum_version=ssl.TLSVersion.TLSv1_3)
        expect(is_served(server, newest), False)
        expect(is_served(server, context()), True)
        expect(server.call("CONFIG", "SET", "tls-protocols", ""), b"OK")
        expect(is_served(server, newest), True)


@test
def ciphers_are_those_configured():
    with start({"tls-ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305",
                "tls-ciphersuites": "TLS_AES_128_GCM_SHA256"}) as server:
        for version, name in ((ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
                              (ssl.TLSVersion.TLSv1_3, "TLS_AES_128_GCM_SHA256")):
            with TlsConnection(server, context(maximum_version=version)) as connection:
                expect(connection.socket.cipher()[0], name)


@test
def a_client_cannot_renegotiate():
    done = subprocess.run(
        [tool("openssl"), "s_client", "-connect", "127.0.0.1:%d" % shared().tls_port, "-tls1_2",
         "-cert", file("client.crt"), "-key", file("client.key"), "-CAfile", file("ca.crt")],
        input=b"R\nPING\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    output = done.stdout.decode("latin-1")
    expect_that("RENEGOTIATING" in output and "no renegotiation" in output, output[-600:])
    expect(shared().call("PING"), b"PONG")


@test
def sessions_are_resumed_unless_forbidden():
    only_roxdb()
    for caching, wanted in (("yes", True), ("no", False)):
        with start({"tls-session-caching": caching}) as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                tls = context(maximum_version=version)
                with TlsConnection(server, tls) as connection:
                    connection.call("PING")  # tickets of TLS 1.3 come behind the handshake
                    session = connection.socket.session
                with TlsConnection(server, tls, session) as connection:
                    expect(connection.call("PING"), b"PONG")
                    expect(connection.socket.session_reused, wanted, str(version))


@test
def a_client_is_the_user_whom_its_certificate_names():
    only_roxdb()
    with start({"tls-auth-clients-user": "CN", "requirepass": "secret"}) as server:
        with server.connect() as admin:
            admin.call("AUTH", "secret")
            admin.call("ACL", "SETUSER", "alice", "on", "+@all", "~*")
            admin.call("ACL", "SETUSER", "spiffe://test/bob", "on", "+@all", "~*")
            for field, user in (("CN", b"alice"), ("URI", b"spiffe://test/bob")):
                expect(admin.call("CONFIG", "SET", "tls-auth-clients-user", field), b"OK")
                with TlsConnection(server) as connection:
                    expect(connection.call("ACL", "WHOAMI"), user)
            # Of several names the first one that somebody has who is on.
            admin.call("ACL", "SETUSER", "spiffe://test/carol", "on", "+@all", "~*")
            admin.call("ACL", "SETUSER", "spiffe://test/bob", "off")
            with TlsConnection(server) as connection:
                expect(connection.call("ACL", "WHOAMI"), b"spiffe://test/carol")
            # Who is no user, or has none, must say a password as everybody else.
            admin.call("ACL", "SETUSER", "alice", "off")
            admin.call("CONFIG", "SET", "tls-auth-clients-user", "CN")
            for mode in ("CN", "off"):
                admin.call("CONFIG", "SET", "tls-auth-clients-user", mode)
                with TlsConnection(server) as connection:
                    expect_that(connection.call("PING").startswith(b"NOAUTH"), mode)


# ---- what is no TLS ----

@test
def plain_bytes_are_not_served():
    server = shared()
    for text in (b"PING\r\n", encode(["PING"]), encode(["SET", "k", "v" * 100000]),
                 b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        with raw(server) as connection:
            connection.send(text)
            expect_that(b"PONG" not in connection.read_until_closed(), text[:20])
    expect(server.call("EXISTS", "k"), 0)


def client_hello():
    """The first bytes that a client sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


@test
def handshakes_of_garbage_are_refused():
    chance = random.Random(5)
    server = shared()
    hello = client_hello()
    attempts = [chance.randbytes(chance.randrange(1, 2000)) for _ in range(30)]
    attempts += [b"\x16\x03\x01" + chance.randbytes(chance.randrange(2, 2000)) for _ in range(30)]
    attempts += [b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x16\x03\x01\x00\x00" * 100]
    for _ in range(100 if IS_DEBUG else 300):  # almost right
        damaged = bytearray(hello)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        attempts.append(bytes(damaged))
    for attempt in attempts:
        with raw(server) as connection:
            try:
                connection.send(attempt)
                with socket.socket(fileno=os.dup(connection.socket.fileno())) as bare:
                    bare.shutdown(socket.SHUT_WR)
            except OSError:
                continue  # refused before it was all sent
            connection.read_until_closed()
    expect(is_served(server, context()), True)


@test
def a_handshake_may_be_cut_off_anywhere():
    server = shared()
    hello = client_hello()
    for cut in range(0, len(hello), 7):
        with raw(server) as connection:
            connection.send(hello[:cut])
    server.wait_until(lambda info: info["connected_clients"] == "1", "they are gone")
    expect(is_served(server, context()), True)


@test
def a_handshake_must_be_done_in_time():
    only_roxdb()
    hello = client_hello()
    with start({"tls-handshake-timeout": 1}) as server:
        with raw(server) as silent, raw(server) as slow, TlsConnection(server) as served:
            slow.send(hello[:50])
            expect(server.info()["connected_clients"], "4")
            expect([silent.read_until_closed(), slow.read_until_closed()], [b"", b""])
            expect(served.call("PING"), b"PONG")


@test
def many_handshakes_at_once_hold_up_nobody():
    server = shared()
    count = 100 if IS_DEBUG else 300
    done = []

    def shake_hands():
        for _ in range(count // 20):
            with TlsConnection(server) as connection:
                done.append(connection.call("PING"))
    with server.connect() as other:
        threads = [threading.Thread(target=shake_hands) for _ in range(20)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            expect(other.call("PING"), b"PONG")
        for thread in threads:
            thread.join()
    expect(done, [b"PONG"] * count)


@test
def hellos_that_come_all_at_once_are_answered_in_turns():
    server = shared()
    hello = client_hello()
    waiting = [raw(server) for _ in range(60)]
    for connection in waiting:
        connection.send(hello)
    for connection in waiting:
        connection._fill()
        expect(connection.buffer[0], 0x16)  # a record of the handshake
        connection.close()
    expect(is_served(server, context()), True)


# ---- clients that go ----

@test
def clients_may_be_killed_with_data_pending():
    server = shared()
    value = os.urandom(BIG)
    with server.connect() as admin:
        admin.call("SET", "k", value)
        for number in range(20 if IS_DEBUG else 60):
            with TlsConnection(server) as connection:
                me = connection.call("CLIENT", "ID")
                # Half of a big request, requests behind it, answers that are not read, and itself.
                requests = [
                    encode(["SET", "half", value])[:BIG // 2],
                    encode(["PING"]) * 20000,
                    encode(["GET", "k"]) * 20,
                    encode(["CLIENT", "KILL", "ID", me, "SKIPME", "no"]) + encode(["GET", "k"]) * 9,
                ][number % 4]
                try:
                    connection.socket.settimeout(0.05)
                    connection.send(requests)
                except OSError:
                    pass  # its side is full, as it should be
                if number % 4 != 3:
                    expect(admin.call("CLIENT", "KILL", "ID", me), 1)
                connection.socket.settimeout(PATIENCE_S)
                connection.read_until_closed()
        expect(admin.call("PING"), b"PONG")
    expect(is_served(server, context()), True)


@test
def clients_may_vanish_at_any_time():
    server = shared()
    server.call("SET", "k", os.urandom(BIG))
    for number in range(20):
        connection = TlsConnection(server)
        connection.send_commands([["GET", "k"]] * (number % 5) + [["PING"]])
        if number % 2:  # a reset instead of an end
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         b"\x01\0\0\0\0\0\0\0")
        connection.close()
    server.wait_until(lambda info: info["connected_clients"] == "1", "they are gone")


@test
def paused_clients_lose_nothing():
    server = shared()
    with server.connect() as admin, TlsConnection(server) as connection:
        admin.call("CLIENT", "PAUSE", 60000, "WRITE")
        value = os.urandom(BIG)
        connection.send_commands([["SET", "k", value], ["GET", "k"], ["APPEND", "k", "!"]])
        server.wait_until(lambda info: int(info["client_recent_max_input_buffer"]) > BIG,
                          "all of it waits")
        admin.call("CLIENT", "UNPAUSE")
        expect_that([connection.read() for _ in range(3)] == [b"OK", value, BIG + 1], "in order")


# Their bytes come through the session of OpenSSL, which must not be entered twice.
@test
def clients_are_told_that_a_script_takes_long():
    only_roxdb()
    endless = encode(["EVAL", "while true do end", "0"])
    with start({"busy-reply-threshold": "50"}) as server, server.connect() as plain:
        plain.call("SET", "k", os.urandom(BIG))
        for number in range(6):
            busy = TlsConnection(server) if number % 2 else server.connect()
            before, reader = TlsConnection(server), TlsConnection(server)
            reader.send_commands([["GET", "k"]] * 20)  # what it has not read yet waits
            busy.send(endless + encode(["PING"]))
            busy_text = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or " \
                        b"SHUTDOWN NOSAVE."
            deadline = time.monotonic() + PATIENCE_S
            while before.call("GET", "k") != busy_text:
                expect_that(time.monotonic() < deadline, "others are told")
            with TlsConnection(server) as late:  # a handshake in the middle of the script
                expect(late.call("PING"), busy_text)
                late.send(encode(["SET", "k", os.urandom(BIG)])[:BIG // 2])
            for _ in range(20):
                expect(len(reader.read()), BIG)
            if number == 5:
                busy.close()  # it leaves while its own script runs
            expect(before.call("SCRIPT", "KILL"), b"OK")
            if number != 5:
                expect_that(busy.read().startswith(b"ERR Script killed by user"), "it says why")
                expect(busy.read(), b"PONG")
            expect(before.call("PING"), b"PONG")
            for one in (busy, before, reader):
                one.close()
        server.wait_until(lambda info: info["connected_clients"] == "2", "all have left")


# It runs while the rest of what its client has sent waits, still encrypted.
@test
def a_large_script_makes_nobody_deaf():
    only_roxdb()
    chance = random.Random(5)
    busy_text = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or " \
                b"SHUTDOWN NOSAVE."
    with start({"busy-reply-threshold": "50"}) as server:
        for number in range(4):
            other = TlsConnection(server)
            busy = TlsConnection(server) if number % 2 else server.connect()
            value = chance.randbytes(60_000)
            busy.send(encode(["EVAL", "while true do end", "0", "x" * 200_000]) +
                      encode(["SET", "k", value]) + encode(["GET", "k"]))
            deadline = time.monotonic() + PATIENCE_S
            while other.call("GET", "none") != busy_text:
                expect_that(time.monotonic() < deadline, "others are told")
            expect(other.call("SET", "k", chance.randbytes(100_000)), busy_text)
            with TlsConnection(server) as late:
                expect(late.call("PING"), busy_text)
            expect(other.call("SCRIPT", "KILL"), b"OK")
            expect_that(busy.read().startswith(b"ERR Script killed by user"), "it says why")
            expect(busy.read(), b"OK")
            expect(busy.read() == value, True)
            other.close()
            busy.close()


@test
def quit_ends_with_a_goodbye():
    with TlsConnection(shared()) as connection:
        connection.socket.suppress_ragged_eofs = False  # an end without goodbye is an error
        expect(connection.call("QUIT"), b"OK")
        expect(connection.socket.recv(1), b"")


@test
def too_many_clients_are_not_served():
    with start({"maxclients": 3}) as server:
        with TlsConnection(server) as one, TlsConnection(server) as two, server.connect() as three:
            expect([client.call("PING") for client in (one, two, three)], [b"PONG"] * 3)
            expect(is_served(server, context()), False)
            expect(int(three.info("stats")["rejected_connections"]), 1)


@test
def without_a_password_only_this_machine_is_served():
    address = own_address()
    with start({"bind": ["127.0.0.1", address], "protected-mode": "yes"}) as server:
        for password, wanted in (("", b"-DENIED "), ("secret", b"-NOAUTH ")):
            expect(server.call("CONFIG", "SET", "requirepass", password), b"OK")
            with socket.create_connection((address, server.tls_port), PATIENCE_S) as stranger:
                with context().wrap_socket(stranger, server_hostname="localhost") as tls:
                    tls.sendall(b"GET k\r\n")
                    expect(tls.recv(8), wanted)
        expect(is_served(server, context()), False)  # by now even we must say a password


# ---- what is configured ----

def serial_of(server):
    with TlsConnection(server) as connection:
        return connection.serial()


@test
def certificates_are_loaded_again_without_a_restart():
    with start() as server, TlsConnection(server) as old:
        first = old.serial()
        pair = ["tls-cert-file", file("renewed.crt"), "tls-key-file", file("renewed.key")]
        expect(server.call("CONFIG", "SET", *pair), b"OK")
        expect_that(serial_of(server) != first, "new connections see the new one")
        expect(old.call("PING"), b"PONG")
        expect(server.call("CONFIG", "SET", "tls-cert-file", file("server.crt"), "tls-key-file",
                           file("server.key")), b"OK")
        expect(serial_of(server), first)


@test
def what_cannot_be_used_is_refused_and_the_old_one_stays():
    with start() as server:
        first = serial_of(server)
        for pair in (["tls-cert-file", file("renewed.crt")],  # not the key's
                     ["tls-cert-file", file("missing.crt")],
                     ["tls-key-file", file("ca.crt")],
                     ["tls-ca-cert-file", file("missing.crt")],
                     ["tls-key-file", file("locked.key")],  # nobody is asked for the passphrase
                     ["tls-ciphers", "NONSENSE"]):
            answer = server.call("CONFIG", "SET", *pair)
            expect_that(b"Unable to update TLS configuration" in answer, (pair, answer))
            expect(server.call("CONFIG", "GET", pair[0])[1] != pair[1].encode(), True)
            expect(serial_of(server), first)


@test
def an_expired_certificate_replaces_none():
    only_roxdb()
    with start() as server:
        first = serial_of(server)
        answer = server.call("CONFIG", "SET", "tls-cert-file", file("stale.crt"), "tls-key-file",
                             file("stale.key"))
        expect_that(b"has expired" in answer, answer)
        expect(serial_of(server), first)


@test
def changed_files_are_noticed():
    only_roxdb()
    copies = [file("current.crt"), file("current.key")]

    def install(name):
        for copy, end in zip(copies, (".crt", ".key")):
            shutil.copy(file(name + end), copy + ".new")
            os.replace(copy + ".new", copy)
    install("server")
    with start({"tls-cert-file": copies[0], "tls-key-file": copies[1],
                "tls-auto-reload-interval": 1}) as server:
        first = serial_of(server)
        install("renewed")
        server.wait_until(lambda info: "TLS certificates reloaded" in server.log(), "a reload")
        expect_that(serial_of(server) != first, "new connections see the new one")
        with open(copies[0], "w", encoding="utf-8") as damaged:
            damaged.write("no certificate")
        server.wait_until(lambda info: "TLS certificates not reloaded" in server.log(), "a refusal")
        expect(is_served(server, context()), True)
        install("server")
        server.wait_until(lambda info: info["tls_server_cert_serial"] == first, "the first again")


@test
def a_key_may_be_locked():
    with start({"tls-cert-file": file("locked.crt"), "tls-key-file": file("locked.key"),
                "tls-key-file-pass": "open it"}) as server:
        expect(is_served(server, context()), True)


@test
def ports_open_and_close_while_the_server_runs():
    with start() as server:
        ports = [server.tls_port, free_port()]
        with TlsConnection(server) as old:
            expect(server.call("CONFIG", "SET", "tls-port", ports[1]), b"OK")
            server.tls_port = ports[1]
            expect(is_served(server, context()), True)
            expect(server.call("CONFIG", "SET", "tls-port", 0), b"OK")
            expect(is_served(server, context()), False)
            expect(old.call("CONFIG", "SET", "tls-port", ports[0]), b"OK")
            server.tls_port = ports[0]
            expect(is_served(server, context()), True)


@test
def a_server_without_tls_gets_it_while_it_runs():
    only_roxdb()
    with Server() as server:
        server.tls_port = free_port()
        answer = server.call("CONFIG", "SET", "tls-port", server.tls_port)
        expect_that(b"No tls-cert-file configured!" in answer, answer)
        expect(server.call("CONFIG", "GET", "tls-port"), [b"tls-port", b"0"])
        expect(server.call("CONFIG", "SET", "tls-cert-file", file("server.crt"), "tls-key-file",
                           file("server.key"), "tls-ca-cert-file", file("ca.crt"), "tls-port",
                           server.tls_port), b"OK")
        expect(is_served(server, context()), True)


@test
def it_may_be_the_only_way_in_and_on_several_addresses():
    server = start({"port": 0, "bind": ["127.0.0.1", "127.0.0.2"]}, start=False)
    try:
        server.launch()
        deadline = time.monotonic() + PATIENCE_S
        while not is_served(server, context()) and time.monotonic() < deadline:
            time.sleep(0.01)
        with TlsConnection(server) as connection:
            expect(connection.info("server")["tcp_port"], str(server.tls_port))
            expect_that(b"laddr=127.0.0.1:%d " % server.tls_port in
                        connection.call("CLIENT", "LIST"), "the port of TLS")
        with socket.create_connection(("127.0.0.2", server.tls_port)) as second:
            with context().wrap_socket(second, server_hostname="localhost") as tls:
                tls.sendall(b"PING\r\n")
                expect(tls.recv(100), b"+PONG\r\n")
    finally:
        server.close()


@test
def wrong_configuration_is_named_at_the_start():
    only_roxdb()
    for options, words in (({"tls-cert-file": ""}, "No tls-cert-file configured!"),
                           ({"tls-key-file": file("missing.key")}, "missing.key: "),
                           ({"tls-ca-cert-file": ""}, "Either tls-ca-cert-file or tls-ca-cert-dir"),
                           ({"tls-key-file": file("client.key")}, "key values mismatch"),
                           ({"tls-protocols": "TLSv1.1"}, "only TLSv1.2 and TLSv1.3")):
        server = start(options, start=False)
        try:
            server.launch()
            expect(server.wait(), 1)
            expect_that(words in server.log(), server.log())
        finally:
            server.close()


@test
def it_is_shown_in_client_list_and_info():
    only_roxdb()
    server = shared()
    with TlsConnection(server) as connection:
        connection.call("CLIENT", "SETNAME", "me")
        line = [line for line in connection.call("CLIENT", "LIST").decode().split("\n")
                if "name=me" in line][0]
        fields = dict(field.split("=", 1) for field in line.split())
        expect(fields["laddr"], "127.0.0.1:%d" % server.tls_port)
        expect(fields["addr"], "127.0.0.1:%d" % connection.socket.getsockname()[1])
        expect_that(int(fields["tot-net-in"]) > 0 and int(fields["tot-mem"]) > 0, line)
        info = connection.info("tls")
        expect(info["tls_server_cert_serial"], connection.serial())
        expect_that(0 < int(info["tls_server_cert_expires_in_seconds"]) <= 30 * 86400, str(info))
        expect(re.fullmatch("[0-9A-F]+", info["tls_ca_cert_serial"]) is not None, True)


# ---- tools ----

def tls_words():
    return ["--tls", "--cert", file("client.crt"), "--key", file("client.key"), "--cacert",
            file("ca.crt")]


@test
def redis_cli_speaks_it():
    server = shared()
    done = subprocess.run([tool("redis-cli"), "-p", str(server.tls_port), *tls_words()],
                          input=b"SET k v\nGET k\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    expect(done.stdout, b"OK\nv\n")
    expect(done.returncode, 0)


@test
def redis_benchmark_speaks_it():
    server = shared()
    done = subprocess.run(
        [tool("redis-benchmark"), "-p", str(server.tls_port), *tls_words(), "-t", "set,get", "-n",
         "1000" if IS_DEBUG else "20000", "-P", "16", "-d", "1000", "--csv"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE_S)
    expect(done.returncode, 0)
    expect(len(done.stdout.splitlines()), 3)


@test
def python_redis_speaks_it():
    try:
        import redis
    except ImportError:
        raise Skip("python3-redis is not installed")
    server = shared()
    client = redis.Redis(host="127.0.0.1", port=server.tls_port, ssl=True,
                         ssl_ca_certs=file("ca.crt"),
                         ssl_certfile=file("client.crt"), ssl_keyfile=file("client.key"))
    client.set("k", b"x" * BIG)
    expect(client.get("k") == b"x" * BIG, True)
    with client.pipeline(transaction=False) as pipeline:
        for number in range(1000):
            pipeline.set("k%d" % number, number)
        expect(pipeline.execute(), [True] * 1000)
    client.close()


if __name__ == "__main__":
    make_certificates()
    try:
        sys.exit(run())
    finally:
        if _shared is not None:
            _shared.close()
        shutil.rmtree(_directory, ignore_errors=True)
