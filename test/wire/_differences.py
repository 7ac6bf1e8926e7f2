"""Reads differences.md and decides whether two replies agree.

The file is written for people; what is applied are the indented blocks in it:

    request   COMMAND COUNT          all of the request matches this pattern, letter case apart
    redis     :\\d+                   and each server's reply matches its own
    roxdb     :\\d+
    try       COMMAND COUNT          proves that the difference is still there; the last of
                                     several requests with `;` between them is looked at

or, where replies are alike but can never be the same bytes, in place of `redis` and `roxdb`:

    compare   within 5000            integers, both positive, so far apart at most
              unordered              the same elements in any order
              pairs                  the same names and values in any order
              keys                   second element: the same elements in any order
              numbers                texts that differ are the same number
              kind                   errors are equal, everything else has the same type
              shape                  the same types all the way down
              key-use                the flags of keys, RO, RW, OW and RM alone
              any                    not compared

Replies are shown to the patterns in one line: CR LF is a blank.
"""
import os
import re

from _resp import Error, parse


class Difference:
    def __init__(self, title, fields):
        self.title = title
        self.request = re.compile(fields["request"], re.IGNORECASE | re.DOTALL)
        self.patterns = None
        if "redis" in fields:
            self.patterns = [re.compile(fields[name], re.DOTALL) for name in ("redis", "roxdb")]
        self.compare = fields.get("compare", "").split()
        unescaped = fields.get("try", "").encode().decode("unicode_escape").encode("latin-1")
        self.attempts = [attempt.split() for attempt in unescaped.split(b";") if attempt]
        assert bool(self.patterns) != bool(self.compare), title

    def allows(self, redis, roxdb):
        if self.patterns:
            return all(pattern.fullmatch(show(raw))
                       for pattern, raw in zip(self.patterns, (redis, roxdb)))
        if self.compare == ["any"]:
            return True
        return COMPARISONS[self.compare[0]](parse(redis), parse(roxdb), *self.compare[1:])


def show(raw):
    """One line for patterns and people."""
    return raw.decode("latin-1").replace("\r\n", " ").rstrip()


def show_command(words):
    """A request as one line; what is not plain ASCII is escaped."""
    return " ".join(repr(word)[2:-1] or '""' for word in words)


def within(redis, roxdb, tolerance):
    if not (isinstance(redis, int) and isinstance(roxdb, int)) or min(redis, roxdb) < 0:
        return redis == roxdb
    return abs(redis - roxdb) <= int(tolerance)


def unordered(redis, roxdb):
    if not isinstance(redis, list) or not isinstance(roxdb, list):
        return redis == roxdb and type(redis) is type(roxdb)
    return sorted(map(repr, redis)) == sorted(map(repr, roxdb))


def pairs(redis, roxdb):
    def as_pairs(reply):
        if isinstance(reply, dict):
            return list(reply.items())
        return list(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else reply
    return type(redis) is type(roxdb) and unordered(as_pairs(redis), as_pairs(roxdb))


def keys(redis, roxdb):
    if isinstance(redis, Error) or isinstance(roxdb, Error):
        return redis == roxdb
    return redis[0] == roxdb[0] and unordered(redis[1], roxdb[1])


def kind(redis, roxdb):
    if isinstance(redis, Error) or isinstance(roxdb, Error):
        return redis == roxdb
    return type(redis) is type(roxdb)


def shape(redis, roxdb):
    def of(reply):
        if isinstance(reply, list):
            return [of(element) for element in reply]
        if isinstance(reply, dict):
            return {key: of(element) for key, element in reply.items()}
        return type(reply)
    if isinstance(redis, Error) or isinstance(roxdb, Error):
        return redis == roxdb
    return of(redis) == of(roxdb)


def key_use(redis, roxdb):
    def use(reply):
        return re.sub(r"b'notes', b'[^']*', |, b'(access|update|insert|delete|variable_flags)'", "",
                      repr(reply))
    return use(redis) == use(roxdb)


def numbers(redis, roxdb):
    if isinstance(redis, list) and isinstance(roxdb, list):
        return len(redis) == len(roxdb) and all(map(numbers, redis, roxdb))
    if redis == roxdb or type(redis) is not type(roxdb) or isinstance(redis, Error):
        return redis == roxdb
    try:
        return float(redis) == float(roxdb)
    except (TypeError, ValueError):
        return False


COMPARISONS = {"within": within, "unordered": unordered, "pairs": pairs, "keys": keys,
               "kind": kind, "numbers": numbers, "shape": shape,
               "key-use": key_use}


class Differences:
    def __init__(self, path=os.path.join(os.path.dirname(__file__), "differences.md")):
        self.all = []
        title, fields = "", {}
        with open(path, encoding="utf-8") as file:
            for line in file.read().split("\n") + [""]:
                found = re.match(r"    (request|redis|roxdb|compare|try)\b\s*(.*?)\s*$", line)
                if line.startswith("#"):
                    title = line.strip("# ")
                if found:
                    fields[found.group(1)] = found.group(2)
                elif fields:
                    self.all.append(Difference(title, fields))
                    fields = {}

    def agree(self, words, redis, roxdb):
        """True when the replies are the same bytes, or differ in a way that is written down."""
        if redis == roxdb:
            return True
        request = show_command(words)
        return any(difference.allows(redis, roxdb) for difference in self.all
                   if difference.request.fullmatch(request))
