#!/usr/bin/env python3
"""roxdb-tool on files that a server wrote and somebody damaged.

What the tool says must name the damage; what it writes must start a server with every key that the
damage did not touch; what it reads must stay as it was.
"""
import os
import re
import shutil
import struct
import subprocess
import sys

from _checks import expect, expect_that, run, test
from _server import PATIENCE_S, Server, is_redis, roxdb

WELL, USAGE, INCOMPLETE, SNAPSHOT, LOG, UNREADABLE, LOCKED = 0, 1, 2, 10, 11, 12, 13

HEADER_BYTES = 64
RECORD_HEADER_BYTES = 32
COMMANDS = 1


def roxdb_tool(*words):
    """Runs the tool; returns its exit code and what it prints."""
    program = os.path.abspath(os.environ.get("ROX_TOOL", "build/release/roxdb-tool"))
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    return done.returncode, done.stdout.decode(errors="replace")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def flip(path, offset, bit=1):
    data = bytearray(read(path))
    data[offset] ^= bit
    write(path, data)


def number_in(text, name):
    return int(re.search(name + r"=(\d+)", text).group(1))


def log_directory(server):
    return os.path.join(server.directory, "appendonlydir")


def log_file(server, ending):
    """The last file of the log whose name ends so."""
    names = sorted(name for name in os.listdir(log_directory(server)) if name.endswith(ending))
    return os.path.join(log_directory(server), names[-1])


def records(data):
    """Offsets of the records with commands in an increment, and the end of the last one."""
    offsets, at, end = [], HEADER_BYTES, HEADER_BYTES
    while at < len(data):
        length, kind = struct.unpack_from("<IB", data, at)
        if kind == COMMANDS:
            offsets.append(at)
            end = at + RECORD_HEADER_BYTES + length
        at += RECORD_HEADER_BYTES + length
    return offsets + [end]


def log_server(keys=20):
    """A server that has ended, whose log holds `keys` keys, a record each, no base, and nothing
    behind the last key."""
    server = Server(options={"appendonly": "yes", "appendfsync": "no"})
    for i in range(keys):
        expect(server.call("SET", "key:%d" % i, "value %d" % i), b"OK")
    expect(server.stop(), 0)
    path = log_file(server, ".incr.rox")
    data = read(path)
    write(path, data[:records(data)[-1]])
    return server


def keys_after_start(server):
    server.start()
    keys = {key.decode() for key in server.call("KEYS", "*")}
    for key in keys:  # what is there is right
        if key.startswith("key:"):
            expect(server.call("GET", key).decode(), "value " + key[4:])
    expect(server.stop(), 0)
    return keys


def key_names(*numbers):
    return {"key:%d" % number for number in numbers}


@test
def help_and_wrong_use():
    code, text = roxdb_tool("--help")
    expect(code, WELL)
    for word in ("verify", "salvage", "repair", "Exit codes"):
        expect_that(word in text, text)
    for words in ((), ("verify",), ("salvage", "a"), ("repair",), ("mend", "a")):
        code, text = roxdb_tool(*words)
        expect(code, USAGE, words)
        expect_that("Usage" in text, text)


@test
def whole_files_are_called_whole():
    with Server(options={"appendonly": "yes"}) as server:
        server.call("MSET", "a", "1", "b", "2")
        expect(server.call("SAVE"), b"OK")
        server.call("BGREWRITEAOF")
        server.wait_for_background_save()
        server.call("SET", "c", "3")
        expect(server.stop(), 0)
        snapshot = os.path.join(server.directory, "dump.rdb")
        increment, manifest = log_file(server, ".incr.rox"), log_file(server, ".manifest.rox")
        code, text = roxdb_tool("verify", snapshot, increment, manifest)
        expect(code, WELL, text)
        expect_that("a whole snapshot: keys=2" in text, text)
        expect_that(increment + ": a whole increment: units=1 " in text, text)
        expect_that(manifest + ": a whole log" in text, text)
        code, text = roxdb_tool("repair", server.directory)
        expect(code, WELL, text)
        expect(keys_after_start(server), {"a", "b", "c"})


@test
def what_is_not_there_cannot_be_read():
    for words in (("verify", "nosuchfile"), ("verify", "nosuch.incr.rox"),
                  ("verify", "nosuch.manifest.rox"), ("salvage", "nosuchfile", "new"),
                  ("salvage", "nosuch.incr.rox", "new"), ("repair", "nosuchdirectory")):
        code, text = roxdb_tool(*words)
        expect(code, UNREADABLE, "%s: %s" % (words, text))
        expect_that("No such file" in text and not os.path.exists("new"), text)


@test
def a_snapshot_is_salvaged_around_each_damage():
    """Values that do not compress fill many blocks; every damaged block is lost and no other."""
    keys = 400
    with Server() as server:
        # Enough values that do not compress for half a dozen blocks of 1 MiB.
        values = [os.urandom(16 << 10) for _ in range(keys)]
        for i, value in enumerate(values):
            server.call("SET", "key:%d" % i, value)
        expect(server.call("SAVE"), b"OK")
        expect(server.stop(), 0)
        path = os.path.join(server.directory, "dump.rdb")
        whole = read(path)
        copy = os.path.join(server.directory, "copy.rdb")
        for name, offsets, cut in (("the header", [50], 0), ("a magic", [2], 0),
                                   ("the first block", [HEADER_BYTES + 100], 0),
                                   ("two blocks", [len(whole) // 3, 2 * len(whole) // 3], 0),
                                   ("the trailer", [len(whole) - 20], 0), ("the end", [], 50000)):
            write(path, whole[:len(whole) - cut])
            for offset in offsets:
                flip(path, offset)
            damaged = read(path)
            code, text = roxdb_tool("verify", path)
            expect(code, SNAPSHOT, name)
            code, said = refused_start(server)
            expect(code, SNAPSHOT, name)
            code, text = roxdb_tool("salvage", path, copy)
            expect(read(path), damaged, "the input of salvage")
            expect_that("roxdb-tool salvage %s NEW" % path in said, said)
            expect(code, INCOMPLETE, name + ": " + text)
            expect_that("lost: offset=" in text, text)
            expect(roxdb_tool("salvage", path, copy)[0], USAGE, "a file that exists")
            expect(roxdb_tool("verify", copy)[0], WELL)
            os.replace(copy, path)
            server.start()
            kept = [key.decode() for key in server.call("KEYS", "*")]
            expect(number_in(text.splitlines()[-1], "keys"), len(kept))
            expect_that(len(kept) >= keys - 64 * (len(offsets) + (cut > 0)) - 64, (name, len(kept)))
            expect(len(kept) < keys, name in ("the first block", "two blocks", "the end"), name)
            for key in kept:
                expect_that(server.call("GET", key) == values[int(key[4:])], "a wrong value")
            expect(server.stop(), 0)


def refused_start(server):
    """Exit code and output of a server that should not start."""
    server.launch()
    code = server.wait()
    return code, server.log()


@test
def an_increment_is_salvaged_around_each_damage():
    with log_server() as server:
        path = log_file(server, ".incr.rox")
        whole = read(path)
        at = records(whole)
        expect(len(at), 21, "records")
        copy = os.path.join(server.directory, "copy")
        every = set(range(20))
        for name, offsets, lost in (
                ("the header", [50], set()),
                ("the magic", [1], set()),
                ("the first record", [at[0] + 40], {0}),
                ("a length", [at[5]], {5}),
                ("a sequence", [at[5] + 8], {5}),
                ("three places", [at[3] + 50, at[4] + 50, at[17] + 35], {3, 4, 17}),
                ("the last record", [at[19] + 40], {19})):
            write(path, whole)
            for offset in offsets:
                flip(path, offset)
            damaged = read(path)
            code, text = roxdb_tool("verify", path)
            expect(code, INCOMPLETE if lost == {19} else LOG, "%s: %s" % (name, text))
            code, text = roxdb_tool("salvage", path, copy)
            expect(code, INCOMPLETE, "%s: %s" % (name, text))
            expect(read(path), damaged, "the input of salvage")
            expect(number_in(text.splitlines()[-1], "units"), 20 - len(lost), text)
            first = re.search(r"lost: offset=(\d+)", text)
            expect_that(int(first.group(1)) <= offsets[0], text)
            code, text = roxdb_tool("verify", copy, log_file(server, ".manifest.rox"))
            expect_that(copy + ": a whole increment: units=%d " % (20 - len(lost)) in text, text)
            os.replace(copy, path)
            expect(roxdb_tool("verify", log_file(server, ".manifest.rox"))[0], WELL, name)
            expect(keys_after_start(server), key_names(*(every - lost)), name)


@test
def a_refused_log_names_commands_that_work():
    with log_server() as server:
        path = log_file(server, ".incr.rox")
        flip(path, records(read(path))[7] + 40)
        server.launch()
        expect(server.wait(), LOG)
        said = re.findall(r"`(roxdb-[^`]*)`", server.log())
        expect(said, ["roxdb-tool verify " + path, "roxdb-tool salvage %s NEW" % path,
                      "roxdb-server --salvage"], server.log())
        code, text = roxdb_tool(*said[0].split()[1:])
        expect(code, LOG)
        expect_that("units good before=7 behind=12" in text, text)
        copy = os.path.join(server.directory, "NEW")
        expect(roxdb_tool(*said[1].replace("NEW", copy).split()[1:])[0], INCOMPLETE)
        os.unlink(copy)
        server.arguments = ["--salvage"]
        server.start()
        expect(server.call("DBSIZE"), 19)


@test
def values_of_several_records_are_salvaged_whole_or_not_at_all():
    """A unit above 16 MiB is a chain of records: damage in one of them takes all of it."""
    with Server(options={"appendonly": "yes", "appendfsync": "no"}) as server:
        big = bytes(17 << 20)
        server.call("SET", "before", "1")
        server.call("SET", "big", big)
        server.call("SET", "between", "2")
        server.call("SET", "other", big)
        server.call("SET", "behind", "3")
        expect(server.stop(), 0)
        path = log_file(server, ".incr.rox")
        at = records(read(path))
        expect(len(at), 8, "records")
        flip(path, at[2] + 100)  # the second half of the first chain
        copy = os.path.join(server.directory, "copy")
        code, text = roxdb_tool("salvage", path, copy)
        expect(code, INCOMPLETE, text)
        expect_that(0 < number_in(text, "bytes") <= at[3] - at[1], text)
        os.replace(copy, path)
        server.start()
        expect(sorted(server.call("KEYS", "*")), [b"before", b"behind", b"between", b"other"])
        expect(server.call("STRLEN", "other"), len(big))


@test
def a_torn_tail_is_cut_and_kept():
    with log_server() as server:
        path, manifest = log_file(server, ".incr.rox"), log_file(server, ".manifest.rox")
        whole = read(path)
        at = records(whole)
        for place in (server.directory, log_directory(server), manifest):
            torn = whole[:-5]
            write(path, torn + bytes(100000))  # room behind it is no loss
            code, text = roxdb_tool("verify", manifest)
            expect(code, INCOMPLETE, text)
            expect_that("a torn tail" in text and "offset=%d" % at[19] in text, text)
            expect(number_in(text, "bytes"), len(torn) - at[19], text)
            code, text = roxdb_tool("salvage", path, path + ".copy")
            expect(code, INCOMPLETE, text)
            expect(number_in(text, "bytes"), len(torn) - at[19], text)
            os.unlink(path + ".copy")
            code, text = roxdb_tool("repair", place)
            expect(code, WELL, text)
            expect(read(path), whole[:at[19]], "what is left")
            kept = "%s.cut-%d-%d" % (path, at[19], len(torn))
            expect(read(kept), torn[at[19]:], "what was kept")
            expect(roxdb_tool("verify", manifest)[0], WELL)
            expect(keys_after_start(server), key_names(*range(19)), place)
            write(path, whole)
            os.unlink(kept)


@test
def room_that_was_made_ahead_is_no_loss():
    """Under `always` zeros lie ahead of the log; a killed server leaves them behind its last unit."""
    with Server(options={"appendonly": "yes", "appendfsync": "always"}) as server:
        for i in range(20):
            expect(server.call("SET", "key:%d" % i, "value %d" % i), b"OK")
        path, manifest = log_file(server, ".incr.rox"), log_file(server, ".manifest.rox")
        server.wait_until(lambda _: os.path.getsize(path) > 4 << 20, "room")
        server.kill()
        whole = read(path)
        content = len(whole.rstrip(b"\0"))
        expect_that(content < 1 << 20, content)
        code, text = roxdb_tool("verify", path, manifest)
        expect(code, WELL, text)
        expect_that("room for more" in text and "a torn tail" not in text, text)
        expect_that(abs(number_in(text, "bytes") - content) < 8, text)  # a record may end with zeros
        copy = os.path.join(server.directory, "copy")
        code, text = roxdb_tool("salvage", path, copy)
        expect(code, WELL, text)
        expect_that("lost" not in text and os.path.getsize(copy) <= content + 8, text)
        code, text = roxdb_tool("repair", server.directory)
        expect(code, WELL, text)
        expect_that("cut" not in text, text)
        expect_that(os.path.getsize(path) <= content + 8, "the room is gone")
        write(path, whole)
        server.start()
        expect_that("Unexpected end of file" not in server.log(), server.log())
        info = server.info("persistence")
        expect((info["last_recovery_result"], info["last_recovery_dropped_bytes"]), ("clean", "0"))
        expect(server.call("DBSIZE"), 20)


@test
def damage_is_not_repaired_and_a_server_is_not_disturbed():
    with log_server() as server:
        path = log_file(server, ".incr.rox")
        whole = read(path)
        flip(path, records(whole)[5] + 40)
        damaged = read(path)
        names = sorted(os.listdir(log_directory(server)))
        code, text = roxdb_tool("repair", server.directory)
        expect(code, LOG, text)
        expect_that("nothing was changed" in text, text)
        expect((read(path), sorted(os.listdir(log_directory(server)))), (damaged, names))
        write(path, whole)
        server.start()
        code, text = roxdb_tool("repair", server.directory)
        expect(code, LOCKED, text)
        expect_that("pid=%d" % server.pid in text, text)
        expect(server.stop(), 0)


@test
def a_manifest_answers_for_all_that_it_names():
    with Server(options={"appendonly": "yes"}) as server:
        server.call("MSET", "a", "1", "b", "2")
        server.call("BGREWRITEAOF")
        server.wait_for_background_save()
        server.call("SET", "c", "3")
        expect(server.stop(), 0)
        manifest, base = log_file(server, ".manifest.rox"), log_file(server, ".base.rox")
        increment = log_file(server, ".incr.rox")
        flip(base, HEADER_BYTES + 70)
        code, text = roxdb_tool("verify", manifest)
        expect(code, SNAPSHOT, text)
        expect_that(base in text and increment + ": a whole increment" in text, text)
        flip(base, HEADER_BYTES + 70)
        aside = os.path.join(server.directory, "aside")
        for path in (base, increment):
            shutil.move(path, aside)
            for command in ("verify", "repair"):
                code, text = roxdb_tool(command, manifest)
                expect(code, LOG, text)
                expect_that(path + ": missing" in text, text)
            shutil.move(aside, path)
        flip(manifest, 30)
        code, text = roxdb_tool("verify", manifest)
        expect(code, LOG, text)
        flip(manifest, 30)
        expect(roxdb_tool("salvage", manifest, aside)[0], USAGE)
        expect(roxdb_tool("verify", manifest)[0], WELL)


if __name__ == "__main__":
    if is_redis(roxdb()):
        print("0 passed, 0 failed")
        sys.exit(0)
    sys.exit(run())
