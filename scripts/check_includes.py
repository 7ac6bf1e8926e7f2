#!/usr/bin/env python3
"""Includes point one way. A room may include itself and the rooms below it, nothing else:

    base < {resp, containers} < types < engine < {commands, persist}
         < {server, scripting, replication, cluster} < net < app        embed: up to persist

Rooms on one step do not see each other; embed stands beside the server and nobody includes it but
through include/roxdb. libuv is named in net/ and app/ only.
"""
import os
import re
import sys

STEPS = [
    {"base"},
    {"resp", "containers"},
    {"types"},
    {"engine"},
    {"commands", "persist"},
    {"server", "scripting", "replication", "cluster", "embed"},
    {"net"},
    {"app"},
]
HEIGHT = {room: height for height, step in enumerate(STEPS) for room in step}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def complaint(path, room, quote, target):
    """Why `path` in `room` may not include `target`; None when it may."""
    top = target.split("/")[0]
    if target == "uv.h" or target.startswith("uv/"):
        return None if room in ("net", "app") else "libuv is for net/ and app/ only"
    if quote == "<":
        return None
    if top == "roxdb":  # include/roxdb: the C API, which embed implements
        return None if room == "embed" else "only embed/ knows the C API"
    if top not in HEIGHT:
        return "a path from src/ begins with a room"
    if top == room:
        return None
    if top == "embed":
        return "nobody stands on embed/"
    if HEIGHT[top] >= HEIGHT[room]:
        return "%s/ is not below %s/" % (top, room)
    return None


def main():
    complaints = []
    files = 0
    for folder, _, names in os.walk("src"):
        parts = folder.split(os.sep)
        if len(parts) < 2 or parts[1] not in HEIGHT:
            for name in names:
                if name.endswith((".h", ".cc")):
                    complaints.append("%s/%s: not in a room this script knows" % (folder, name))
            continue
        for name in sorted(names):
            if not name.endswith((".h", ".cc")):
                continue
            files += 1
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as source:
                for number, line in enumerate(source, 1):
                    found = INCLUDE.match(line)
                    reason = found and complaint(path, parts[1], found.group(1), found.group(2))
                    if reason:
                        complaints.append("%s:%d: %s: %s" % (path, number, found.group(2), reason))
    for line in complaints:
        print(line)
    print("  %-5s includes: %d files" % ("FAIL" if complaints else "ok", files))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
