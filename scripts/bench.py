#!/usr/bin/env python3
"""Measures RoxDB, beside redis-server when that is installed, and prints a table.

    scripts/bench.py [--quick] [--only GROUP,...] [--peer PROGRAM] [--markdown]

Both run on this machine in this run, with the same load. The server has one core and the generator
(tools/loadgen.cc, or redis-benchmark) another; only saving and loading may use all. The figure to
trust on a shared machine is the server's own time per operation, user and system, as the scheduler
counts it; throughput and latencies stand beside it. The best of the rounds counts.

`make bench` builds what it needs; ARGS="--quick" takes about two minutes, all of it half an hour.
"""
import argparse
import os
import platform
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench"))
import groups  # noqa: E402  (the path comes first)
import subject  # noqa: E402


class Full:
    keys = [10 ** 6, 10 ** 7]
    rounds = 3
    seconds = 3
    benchmark_requests = 500_000
    memory_keys = 5 * 10 ** 6
    snapshot_keys = 10 ** 7
    log_keys = 3 * 10 ** 6
    growth_keys = (8 * 10 ** 6, 20 * 10 ** 6)
    expiring_keys = 10 ** 6
    expiry_seconds = 6
    connections = 10000
    idle_seconds = 5
    starts = 10


class Quick(Full):
    keys = [10 ** 6]
    rounds = 1
    seconds = 0.8
    benchmark_requests = 100_000
    memory_keys = 10 ** 6
    snapshot_keys = 10 ** 6
    log_keys = 10 ** 6
    growth_keys = (10 ** 6, 3 * 10 ** 6)
    expiring_keys = 300_000
    expiry_seconds = 3
    connections = 2000
    idle_seconds = 3
    starts = 4


def number(value):
    if value >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value


class Table:
    def __init__(self, names, markdown):
        self.names = names
        self.markdown = markdown
        self.title = ""

    def head(self, group):
        titles = [group, "unit"] + self.names + (["ratio"] if len(self.names) > 1 else [])
        if self.markdown:
            print("\n| %s |\n|%s" % (" | ".join(titles), "---|" * len(titles)))
        else:
            print("\n" + self.line(titles))

    def row(self, title, unit, values):
        self.title = title or self.title
        cells = [title if not self.markdown else self.title, unit]
        cells += [number(value) for value in values]
        if len(values) > 1:
            cells.append("%.2f" % (values[0] / values[1]) if values[1] else "-")
        print("| %s |" % " | ".join(cells) if self.markdown else self.line(cells), flush=True)

    @staticmethod
    def line(cells):
        return "%-38s %-17s" % tuple(cells[:2]) + "".join(
            "%22s" % cell if index < 2 else "%8s" % cell for index, cell in enumerate(cells[2:]))


def machine():
    name = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return "%s, %d cores, Linux %s" % (name, len(subject.CORES), platform.release())


def main():
    parser = argparse.ArgumentParser(description="Measures RoxDB beside redis-server.")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of half an hour")
    parser.add_argument("--only", default="", help="groups: " + ", ".join(groups.ALL))
    parser.add_argument("--peer", help="another server than redis-server; its file name is shown")
    parser.add_argument("--markdown", action="store_true", help="rows for a README")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name] or list(groups.ALL)
    if set(chosen) - set(groups.ALL):
        parser.error("no such group: " + ", ".join(sorted(set(chosen) - set(groups.ALL))))

    programs = subject.programs(options.peer)
    print(machine())
    if len(programs) == 1:
        print("redis-server is not installed: nothing to compare with")
    table = Table(list(programs), options.markdown)
    started = time.monotonic()
    for name in chosen:
        table.head(name)
        for title, unit, values in groups.ALL[name](programs, Quick if options.quick else Full):
            table.row(title, unit, values)
    print("\n%.0f s; ratio: RoxDB / the other" % (time.monotonic() - started))


if __name__ == "__main__":
    sys.exit(main())
