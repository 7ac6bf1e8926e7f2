"""Writers that know at any moment which states of the database are legal after a crash.

Every writer owns some keys and sends an endless, fixed row of units (commands that change
something) over one connection. It counts the units it has sent and those that were acknowledged.
After a crash its keys must look as they did after n units, for one n between a bound below (what
must not be lost) and one above (what was sent at all). That finds holes, repetitions and half done
units within a writer.

    sent      0 1 2 3 4 5 6 7 8 9 | not sent
    replies   0 1 2 3 4 5         |              legal after kill -9 with a log: n = 6 .. 10

Across writers the shared keys order:<round> tell: every eighth unit appends "writer.unit;", so they
hold the order in which the server has executed. Each writer's entries in it must be exactly
those among its first n units. A prefix of the execution order (reliability D1) passes; any other
set of units does not.
"""
import random
import re
import threading
import time

from _resp import Error, encode, parse

WAIT_SECONDS_MAX = 2.0


def unit(writer, number, order_key):
    """The unit with this number: (database, words)."""
    name = b"w%d:" % writer
    value = b"%d" % number
    kind = number % 8
    if kind == 0:
        return 0, [b"APPEND", order_key, b"%d.%d;" % (writer, number)]
    if kind == 1:
        return 0, [b"INCR", name + b"count"]
    if kind == 2:
        return 0, [b"MSET", name + b"a", value, name + b"b", value, name + b"c", value]
    if kind == 3:
        return 1, [b"SET", name + b"timed", value, b"PX", b"100000000000"]
    if kind == 4:
        return 1, [b"SET", name + b"tmp", value * (1 + number % 40)]
    if kind == 5:
        return 0, [b"APPEND", name + b"text", value] if number % 512 != 5 else [
            b"SET", name + b"text", b""]
    if kind == 6:
        return 0, [b"EXPIRE", name + b"b", b"100000000"]
    return 1, [b"DEL", name + b"tmp"]


def apply(state, database, words):
    """What a unit does to a writer's keys: {(database, key): (value, has an expiry)}."""
    name, key = words[0], (database, words[1])
    value, expires = state.get(key, (b"", False))
    if name == b"MSET":
        for position in range(1, len(words), 2):
            state[(database, words[position])] = (words[position + 1], False)
    elif name == b"SET":
        state[key] = (words[2], b"PX" in words)
    elif name == b"INCR":
        state[key] = (b"%d" % (int(value or 0) + 1), expires)
    elif name == b"APPEND" and not words[1].startswith(b"order:"):
        state[key] = (value + words[2], expires)
    elif name == b"EXPIRE" and key in state:
        state[key] = (value, True)
    elif name == b"DEL":
        state.pop(key, None)


class Writer:
    def __init__(self, index, depth, first_database=0):
        self.index = index
        self.first_database = first_database
        self.depth = depth  # units that may be under way
        self.known = 0      # the state below is that after so many units
        self.state = {}
        self.acked = self.sent = 0
        self.starts = []    # units at the beginning of each round
        self.history = []   # (time, units acknowledged by then)
        self.errors = []
        self.thread = None

    def start(self, server, order_key, chance):
        """Writes until the connection breaks or stop() is called."""
        self.stopping = False
        self.order_key = order_key
        self.starts.append(self.sent)
        self.history = [(0, self.sent)]
        self.thread = threading.Thread(target=self.write, args=(server.connect(), chance),
                                       daemon=True)
        self.thread.start()

    def write(self, connection, chance):
        try:
            with connection:
                connection.call("SELECT", self.first_database)
                while not self.stopping:
                    count = chance.randrange(1, self.depth + 1)
                    units = [unit(self.index, number, self.order_key)
                             for number in range(self.sent, self.sent + count)]
                    self.sent += count
                    connection.send(b"".join(self.pipeline(units)))
                    for database, words in units:
                        self.read_reply(connection, database, words)
        except OSError:
            pass  # the server was killed

    def pipeline(self, units):
        for database, words in units:
            if database:
                home = self.first_database
                yield (encode([b"SELECT", home + database]) + encode(words) +
                       encode([b"SELECT", home]))
            else:
                yield encode(words)

    def read_reply(self, connection, database, words):
        if database:
            connection.read_raw()
        reply = parse(connection.read_raw())
        if isinstance(reply, Error):
            self.errors.append("%r: %r" % (words, reply))
            self.stopping = True
            return
        self.acked += 1
        now = time.monotonic()
        if now > self.history[-1][0] + 0.02:
            self.history.append((now, self.acked))
        if database:
            connection.read_raw()

    def stop(self):
        self.stopping = True
        self.thread.join()

    def acked_at(self, moment):
        """How many were acknowledged at that time, or a few less."""
        return max(acked for when, acked in self.history if when <= moment)

    def legal(self, stored, low, high):
        """The numbers of units, among low..high, after which the own keys look as stored.

        Two at most: what a unit appends to the shared key is not seen in the own ones.
        """
        prefix = b"w%d:" % self.index
        mine = {key: value for key, value in stored.items() if key[1].startswith(prefix)}
        count, state = (self.known, dict(self.state)) if self.known <= low else (0, {})
        found, shown = [], ""
        while True:
            if count >= low and state == mine:
                found.append(count)
            if count == low:
                shown = show(state)
            if count >= high:
                break
            apply(state, *unit(self.index, count, b"order:"))
            count += 1
        if not found:
            raise AssertionError(
                "writer %d: no number of units from %d (acknowledged) to %d (sent) explains\n"
                "  %s\nafter %d it was\n  %s" % (self.index, low, high, show(mine), low, shown))
        return found

    def explains(self, listed, count):
        """Whether the own entries in the shared keys are those of the first `count` units.

        The keys of older rounds are gone, so they may begin late, but not after the last two
        rounds have.
        """
        last = (count - 1) // 8 * 8
        needed = -(-min(self.starts[-2:]) // 8) * 8
        if not listed:
            return last < needed
        return listed[0] <= needed and listed == list(range(listed[0], last + 1, 8))

    def go_on_from(self, count):
        if count < self.known:
            self.known, self.state = 0, {}
        while self.known < count:
            apply(self.state, *unit(self.index, self.known, b"order:"))
            self.known += 1
        self.acked = self.sent = count


def show(state):
    return ", ".join("%d/%s=%s%s" % (key[0], key[1].decode(), value[:40].decode(),
                                     " (expires)" if expires else "")
                     for key, (value, expires) in sorted(state.items()))


class Crowd:
    """Some writers, and the check of what a restarted server holds.

    Two databases from `first_database` on are theirs alone, the filler keys excepted.
    """

    def __init__(self, chance, depths, first_database=0):
        self.chance = chance
        self.first_database = first_database
        self.writers = [Writer(index, depth, first_database)
                        for index, depth in enumerate(depths)]
        self.round = 0
        self.fillers = 0

    def fill(self, connection, count):
        """Keys nobody writes again, so that saves and loads take their time."""
        connection.call("SELECT", self.first_database)
        value = bytes(random.Random(count).choices(range(256), k=100))
        for start in range(0, count, 1000):
            words = [b"MSET"]
            for number in range(start, start + 1000):
                words += [b"filler:%d" % number, value]
            connection.call(*words)
        self.fillers = count

    def start(self, server):
        self.round += 1
        with server.connect() as connection:
            connection.call("SELECT", self.first_database)
            old = [b"order:%06d" % number for number in range(self.round - 20, self.round - 1)]
            connection.call("DEL", *old)
        for writer in self.writers:
            writer.start(server, b"order:%06d" % self.round,
                         random.Random(self.chance.getrandbits(64)))

    def join(self):
        for writer in self.writers:
            writer.thread.join()

    def stop(self):
        for writer in self.writers:
            writer.stop()

    def acked(self):
        return [writer.acked for writer in self.writers]

    def sent(self):
        return [writer.sent for writer in self.writers]

    def errors(self):
        return [error for writer in self.writers for error in writer.errors]

    def check_killed(self, server, killed_at, may_wait):
        """check() after a kill -9 of a server with a log.

        `may_wait`: with everysec, what is executed while a sync is under way may wait in memory for
        its end, two seconds at most (reliability E7). Returns whether that had to be granted.
        """
        low, high = self.acked(), self.sent()
        granted = [writer.acked_at(killed_at - WAIT_SECONDS_MAX) for writer in self.writers]
        try:
            self.check(server, low, high)
            return False
        except AssertionError:
            if not may_wait:
                raise
        self.check(server, granted, high)
        return True

    def check(self, server, low, high):
        """Fails unless the server holds a legal state; the writers then go on from it."""
        with server.connect() as connection:
            stored, orders = self.read(connection)
        entries = b"".join(orders[name] for name in sorted(orders))
        if entries and not re.fullmatch(rb"(\d+\.\d+;)+", entries):
            raise AssertionError("torn entries: ...%r" % entries[-100:])
        for writer, least, most in zip(self.writers, low, high):
            legal = writer.legal(stored, least, most)
            listed = [int(number) for number in
                      re.findall(rb"\b%d\.(\d+);" % writer.index, entries)]
            explained = [count for count in legal if writer.explains(listed, count)]
            if not explained:
                raise AssertionError(
                    "writer %d: its own keys show %s units, the common order ends with %s" % (
                        writer.index, legal, listed[-5:]))
            writer.go_on_from(explained[0])

    def read(self, connection):
        stored, orders = {}, {}
        for database in (0, 1):
            connection.call("SELECT", self.first_database + database)
            names = [b"w%d:%s" % (writer.index, name) for writer in self.writers
                     for name in (b"count", b"a", b"b", b"c", b"timed", b"tmp", b"text")]
            names += [b"order:%06d" % number for number in range(self.round + 1)]
            values = connection.pipeline([["GET", name] for name in names])
            expiries = connection.pipeline([["PTTL", name] for name in names])
            present = 0
            for name, value, ttl in zip(names, values, expiries):
                if value is None:
                    continue
                present += 1
                if name.startswith(b"order:"):
                    orders[name] = value
                else:
                    stored[(database, name)] = (value, ttl >= 0)
            expected = present + (self.fillers if database == 0 else 0)
            actual = connection.call("DBSIZE")
            if actual != expected:
                raise AssertionError("database %d holds %d keys, not %d" % (database, actual,
                                                                           expected))
        return stored, orders
