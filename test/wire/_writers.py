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

Every value type has its turn among the units. Beside the writers one client pushes numbers onto a
list and another waits for them: what was handed over is gone from the list, and nothing else is.
"""
import random
import re
import threading
import time

from _resp import Error, encode, parse
from _server import is_redis, roxdb

WAIT_SECONDS_MAX = 2.0
HANDED_OVER = b"handed"  # the list of the pair
FIELDS = [b"f%d" % number for number in range(40)]
FIELDS_EXPIRE = not is_redis(roxdb())  # redis-server 7.0 does not know that


def now_and_then_long(number):
    """A text, in one case of four too long for the packed encodings."""
    return b"%d" % number * (20 if number // 16 % 4 == 1 else 1)


def collection_unit(name, number):
    """As unit(), for lists, sets, hashes, sorted sets and streams. What it says follows from the
    number alone, whatever is there."""
    kind, lap = number % 16, number // 16
    step, value = lap % 4, now_and_then_long(number)
    stream, group = name + b"stream", b"g%d" % (lap // 4)
    if kind == 9:
        key = name + b"list"
        return [[b"RPUSH", key, value, b"%d" % lap], [b"LPUSH", key, value], [b"LPOP", key, b"2"],
                [b"LTRIM", key, b"-30", b"-1"]][step]
    if kind == 10:
        key = name + b"set"
        return [b"SREM" if step == 3 else b"SADD", key, b"%d" % (lap % 45),
                b"" if step == 1 else b"%d" % (lap * 7 % 60)]
    if kind == 11:
        key, field = name + b"hash", FIELDS[lap % 40]
        if step == 2 and FIELDS_EXPIRE:
            return [b"HEXPIRE", key, b"100000000", b"FIELDS", b"2", FIELDS[(lap - 1) % 40], field]
        return [b"HDEL", key, FIELDS[lap * 3 % 40]] if step == 3 else [b"HSET", key, field, value]
    if kind == 12:
        key, member = name + b"zset", b"m%d" % (lap % 50)
        return [[b"ZADD", key, b"%d" % (lap * 37 % 1000), member], [b"ZADD", key, b"7", value],
                [b"ZINCRBY", key, b"5", member], [b"ZPOPMIN", key]][step]
    if kind == 13:
        return [b"XADD", stream, b"MAXLEN", b"8", b"%d-1" % number, b"f", value]
    if kind == 14:
        return [[b"XGROUP", b"CREATE", stream, group, b"0", b"MKSTREAM"],
                [b"XREADGROUP", b"GROUP", group, b"me", b"COUNT", b"3", b"STREAMS", stream, b">"],
                [b"XACK", stream, group, b"%d-1" % (number - 17)],
                [b"XGROUP", b"DESTROY", stream, group]][step]
    names = [b"list", b"set", b"hash", b"zset", b"stream"]
    key = name + names[lap // 4 % 5]
    return [b"DEL", key] if step == 3 and lap % 3 == 0 else [b"EXPIRE", key, b"100000000"]


def unit(writer, number, order_key):
    """The unit with this number: (database, words)."""
    name = b"w%d:" % writer
    value = b"%d" % number
    kind = number % 16
    if kind > 8:
        return 0, collection_unit(name, number)
    if kind in (0, 8):
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
    elif name == b"EXPIRE":
        if key in state:
            state[key] = (value, True)
    elif name == b"DEL":
        state.pop(key, None)
    elif name != b"APPEND":
        apply_to_collection(state, database, words)


def apply_to_collection(state, database, words):
    """As apply(), for what collection_unit() says. Values are tuples, so that copies of states
    share them:

        list     elements
        set      members, sorted
        hash     (field, value, has an expiry), sorted
        zset     (score, member), sorted
        stream   (ids with values, (group, last id, pending ids) sorted)
    """
    name = words[0]
    key = (database, words[2 if name == b"XGROUP" else 7 if name == b"XREADGROUP" else 1])
    value, expires = state.get(key, (None, False))
    value = APPLY[name](value, words)
    if value:
        state[key] = (value, expires)
    else:
        state.pop(key, None)


def apply_hset(value, words):
    fields = {field: (field, text, timed) for field, text, timed in value or ()}
    fields[words[2]] = (words[2], words[3], False)
    return tuple(sorted(fields.values()))


def apply_zadd(value, words):
    scores = {member: score for score, member in value or ()}
    old = scores.get(words[3], 0) if words[0] == b"ZINCRBY" else 0
    scores[words[3]] = old + int(words[2])
    return tuple(sorted((score, member) for member, score in scores.items()))


def apply_xgroup(value, words):
    entries, groups = value or ((), ())
    if words[1] == b"CREATE":
        return entries, tuple(sorted(groups + ((words[3], b"0-0", ()),)))
    return entries, tuple(group for group in groups if group[0] != words[3])


def apply_xreadgroup(value, words):
    entries, groups = value
    def read(group):
        name, last, pending = group
        if name != words[2]:
            return group
        fresh = [id for id, _ in entries if order_of(id) > order_of(last)][:int(words[5])]
        return name, fresh[-1] if fresh else last, pending + tuple(fresh)
    return entries, tuple(read(group) for group in groups)


def apply_xack(value, words):
    entries, groups = value
    return entries, tuple(
        (name, last, tuple(id for id in pending if name != words[2] or id != words[3]))
        for name, last, pending in groups)


def order_of(id):
    return tuple(int(part) for part in id.split(b"-"))


APPLY = {
    b"RPUSH": lambda value, words: (value or ()) + tuple(words[2:]),
    b"LPUSH": lambda value, words: tuple(reversed(words[2:])) + (value or ()),
    b"LPOP": lambda value, words: (value or ())[int(words[2]):],
    b"LTRIM": lambda value, words: (value or ())[int(words[2]):],
    b"SADD": lambda value, words: tuple(sorted({*(value or ()), *words[2:]})),
    b"SREM": lambda value, words: tuple(sorted({*(value or ())} - {*words[2:]})),
    b"HSET": apply_hset,
    b"HDEL": lambda value, words: tuple(one for one in value or () if one[0] not in words[2:]),
    b"HEXPIRE": lambda value, words: tuple(
        (field, text, timed or field in words[5:]) for field, text, timed in value or ()),
    b"ZADD": apply_zadd,
    b"ZINCRBY": apply_zadd,
    b"ZPOPMIN": lambda value, words: (value or ())[1:],
    b"XADD": lambda value, words: (((value or ((), ()))[0] + ((words[4], words[6]),))[
        -int(words[3]):], (value or ((), ()))[1]),
    b"XGROUP": apply_xgroup,
    b"XREADGROUP": apply_xreadgroup,
    b"XACK": apply_xack,
}


def read_collection(connection, kind, name):
    """The value of a key as apply_to_collection() has it; empty when there is none."""
    if kind == b"list":
        return tuple(connection.call("LRANGE", name, 0, -1))
    if kind == b"set":
        return tuple(sorted(connection.call("SMEMBERS", name)))
    if kind == b"zset":
        flat = connection.call("ZRANGE", name, 0, -1, "WITHSCORES")
        return tuple(sorted((int(score), member) for member, score in zip(flat[::2], flat[1::2])))
    if kind == b"hash":
        flat = connection.call("HGETALL", name)
        timed = [-1] * (len(flat) // 2)
        if flat and FIELDS_EXPIRE:
            timed = connection.call("HTTL", name, "FIELDS", len(flat) // 2, *flat[::2])
        return tuple(sorted((field, text, ttl >= 0)
                            for field, text, ttl in zip(flat[::2], flat[1::2], timed)))
    groups = connection.call("XINFO", "GROUPS", name)
    if isinstance(groups, Error):
        return ()
    groups = [dict(zip(group[::2], group[1::2])) for group in groups]
    return (tuple((id, fields[1]) for id, fields in connection.call("XRANGE", name, "-", "+")),
            tuple(sorted((group[b"name"], group[b"last-delivered-id"], tuple(
                one[0] for one in connection.call("XPENDING", name, group[b"name"], "-", "+", 100)))
                for group in groups)))


class Worker:
    """A thread that counts what it asked for and what was acknowledged."""

    def __init__(self, first_database):
        self.first_database = first_database
        self.acked = self.sent = 0
        self.history = []   # (time, units acknowledged by then)
        self.errors = []
        self.thread = None

    def start(self, server, work):
        """Runs work(connection) until the connection breaks or stop() is called."""
        self.stopping = False
        self.history = [(0, self.sent)]
        self.thread = threading.Thread(target=self.run, args=(server.connect(), work), daemon=True)
        self.thread.start()

    def run(self, connection, work):
        try:
            with connection:
                connection.call("SELECT", self.first_database)
                while not self.stopping:
                    work(connection)
        except OSError:
            pass  # the server was killed

    def is_error(self, words, reply):
        if isinstance(reply, Error):
            self.errors.append("%r: %r" % (words, reply))
            self.stopping = True
        return isinstance(reply, Error)

    def count_acknowledged(self, count=1):
        self.acked += count
        now = time.monotonic()
        if now > self.history[-1][0] + 0.02:
            self.history.append((now, self.acked))

    def stop(self):
        self.stopping = True
        self.thread.join()

    def acked_at(self, moment):
        """How many were acknowledged at that time, or a few less."""
        return max(acked for when, acked in self.history if when <= moment)


class Pusher(Worker):
    """Pushes 0, 1, 2 ... onto the list."""

    def push(self, connection):
        self.sent += 1
        reply = connection.call("RPUSH", HANDED_OVER, self.sent - 1)
        if not self.is_error("RPUSH", reply):
            self.count_acknowledged()


class Popper(Worker):
    """Waits for what the pusher pushes. One pop may have happened of which we heard nothing."""

    def pop(self, connection):
        self.sent = self.acked + 1
        reply = connection.call("BLPOP", HANDED_OVER, 0.05)
        if self.is_error("BLPOP", reply):
            return
        if reply is None:
            self.sent = self.acked
        elif reply[1] == b"%d" % self.acked:
            self.count_acknowledged()
        else:
            self.errors.append("BLPOP: %r, expected %d" % (reply, self.acked))
            self.stopping = True


class Writer(Worker):
    def __init__(self, index, depth, first_database=0):
        super().__init__(first_database)
        self.index = index
        self.depth = depth  # units that may be under way
        self.known = 0      # the state below is that after so many units
        self.state = {}
        self.starts = []    # units at the beginning of each round

    def start_round(self, server, order_key, chance):
        self.order_key = order_key
        self.starts.append(self.sent)
        self.start(server, lambda connection: self.write(connection, chance))

    def write(self, connection, chance):
        count = chance.randrange(1, self.depth + 1)
        units = [unit(self.index, number, self.order_key)
                 for number in range(self.sent, self.sent + count)]
        self.sent += count
        connection.send(b"".join(self.pipeline(units)))
        for database, words in units:
            self.read_reply(connection, database, words)

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
        if self.is_error(words, parse(connection.read_raw())):
            return
        self.count_acknowledged()
        if database:
            connection.read_raw()

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
    return ", ".join("%d/%s=%.300s%s" % (key[0], key[1].decode(), value,
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
        self.pusher, self.popper = Pusher(first_database), Popper(first_database)
        self.workers = self.writers + [self.pusher, self.popper]
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
            writer.start_round(server, b"order:%06d" % self.round,
                               random.Random(self.chance.getrandbits(64)))
        self.pusher.start(server, self.pusher.push)
        self.popper.start(server, self.popper.pop)

    def join(self):
        for worker in self.workers:
            worker.thread.join()

    def stop(self):
        for worker in self.workers:
            worker.stop()

    def acked(self):
        return [worker.acked for worker in self.workers]

    def sent(self):
        return [worker.sent for worker in self.workers]

    def errors(self):
        return [error for worker in self.workers for error in worker.errors]

    def check_killed(self, server, killed_at, may_wait):
        """check() after a kill -9 of a server with a log.

        `may_wait`: with everysec, what is executed while a sync is under way may wait in memory for
        its end, two seconds at most (reliability E7). Returns whether that had to be granted.
        """
        low, high = self.acked(), self.sent()
        granted = [worker.acked_at(killed_at - WAIT_SECONDS_MAX) for worker in self.workers]
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
            stored, orders, on_list = self.read(connection)
        self.check_handed_over(on_list, low[-2:], high[-2:])
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

    def check_handed_over(self, on_list, low, high):
        """The list begins with what was not popped and ends with what was pushed."""
        if on_list:
            popped, pushed = int(on_list[0]), int(on_list[-1]) + 1
        else:
            popped = pushed = max(low)
        if (on_list != [b"%d" % number for number in range(popped, pushed)] or
                not low[0] <= pushed <= high[0] or not low[1] <= popped <= high[1]):
            raise AssertionError(
                "of the numbers pushed (%d acknowledged, %d sent) and popped (%d received, %d asked"
                " for) the list holds %s ... %s" % (
                    low[0], high[0], low[1], high[1], on_list[:5], on_list[-5:]))
        self.pusher.acked = self.pusher.sent = pushed
        self.popper.acked = self.popper.sent = popped

    def read(self, connection):
        stored, orders = {}, {}
        connection.call("SELECT", self.first_database)
        for writer in self.writers:
            for kind in (b"list", b"set", b"hash", b"zset", b"stream"):
                name = b"w%d:%b" % (writer.index, kind)
                value = read_collection(connection, kind, name)
                if value:
                    stored[(0, name)] = (value, connection.call("PTTL", name) >= 0)
        on_list = connection.call("LRANGE", HANDED_OVER, 0, -1)
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
            expected = present
            if database == 0:
                expected += self.fillers + bool(on_list) + sum(
                    type(value) is tuple for value, _ in stored.values())
            actual = connection.call("DBSIZE")
            if actual != expected:
                raise AssertionError("database %d holds %d keys, not %d" % (database, actual,
                                                                           expected))
        return stored, orders, on_list
