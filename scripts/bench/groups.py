"""What is measured. Each group runs the servers beside each other and yields rows.

A row is (figure, unit, [value per server]); smaller is better unless the unit is a rate.
"""
import math
import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack

from subject import LOAD_CORE, Subject, pin

THROUGHPUT = [  # name, loadgen's words; the keys are added
    ("PING P=1", ["ping"]),
    ("GET P=1", ["get"]),
    ("SET P=1", ["set"]),
    ("PING P=64", ["ping", "--pipeline", 64]),
    ("GET P=16", ["get", "--pipeline", 16]),
    ("GET P=64", ["get", "--pipeline", 64]),
    ("SET P=16", ["set", "--pipeline", 16]),
    ("SET P=64", ["set", "--pipeline", 64]),
    ("MGET of 10, P=4", ["mget", "--pipeline", 4]),
    ("MSET of 10, P=4", ["mset", "--pipeline", 4]),
]
COUNTERS = [("INCR P=16", ["incr", "--pipeline", 16]), ("INCR P=64", ["incr", "--pipeline", 64])]


def beside(programs, options=None, pinned=True):
    """All servers at once. Only one is under load at a time, and the others sleep."""
    stack = ExitStack()
    return stack, [stack.enter_context(Subject(path, options, pinned))
                   for path in programs.values()]


def alone(programs, measure, options=None, pinned=True):
    """measure(subject) for each server, one after the other: [results]."""
    results = []
    for path in programs.values():
        with Subject(path, options, pinned) as subject:
            results.append(measure(subject))
    return results


def columns(results):
    """[{figure: value} per server] -> rows' values: {figure: [value per server]}."""
    return {figure: [result[figure] for result in results] for figure in results[0]}


def throughput(programs, size):
    for keys in size.keys:
        stack, subjects = beside(programs)
        with stack:
            for subject in subjects:
                subject.fill(keys, "--value-bytes", 64)
            yield from compare(subjects, THROUGHPUT, keys, size)
            for subject in subjects:
                subject.call("FLUSHALL")
                subject.fill(keys, "--values", "integer", "--value-bytes", 6)
            yield from compare(subjects, COUNTERS, keys, size)


def compare(subjects, workloads, keys, size):
    for name, words in workloads:
        best = [None] * len(subjects)
        for _ in range(size.rounds):
            for index, subject in enumerate(subjects):
                load = subject.load(*words, "--keys", keys, "--seconds", size.seconds)
                if best[index] is None or load.cpu_us < best[index].cpu_us:
                    best[index] = load
        title = "%s, %s keys" % (name, thousands(keys))
        yield title, "server us/op", [load.cpu_us for load in best]
        yield "", "op/s", [load.per_second for load in best]
        for figure, percentile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"),
                                   ("worst", "max")):
            yield "", figure + " us", [load.us[percentile] for load in best]


def redis_benchmark(programs, size):
    program = shutil.which("redis-benchmark")
    if program is None:
        return
    stack, subjects = beside(programs)
    with stack:
        for pipeline in (1, 16):
            rates = []
            for subject in subjects:
                requests = size.benchmark_requests * (1 if pipeline == 1 else 5)
                done = subprocess.run(
                    pin(LOAD_CORE) + [program, "-p", str(subject.server.port), "--csv", "-t",
                                      "set,get,incr", "-r", "1000000", "-d", "64", "-n",
                                      str(requests), "-P", str(pipeline)],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
                lines = [line.replace('"', "").split(",")
                         for line in done.stdout.decode().splitlines()]
                rates.append({line[0]: float(line[1]) for line in lines[1:]})
            for name, values in columns(rates).items():
                yield "%s P=%d, redis-benchmark" % (name, pipeline), "op/s", values


def big_values(programs, size):
    stack, subjects = beside(programs)
    with stack:
        for name, words in (("SET of 1 MiB", ["set"]), ("GET of 1 MiB", ["get"])):
            rates = [subject.load(*words, "--value-bytes", 1 << 20, "--keys", 50, "--clients", 8,
                                  "--seconds", size.seconds).per_second / 1024
                     for subject in subjects]
            yield name, "GiB/s", rates


def memory(programs, size):
    # Keys have 16 bytes.
    kinds = [("16 byte values", "set", ["--value-bytes", 16]),
             ("64 byte values", "set", ["--value-bytes", 64]),
             ("integers", "set", ["--values", "integer", "--value-bytes", 7]),
             ("16 byte values with TTL", "setex", ["--value-bytes", 16])]
    for title, command, words in kinds:
        def measure(subject):
            before = subject.used_memory(), subject.rss_bytes()
            subject.fill(size.memory_keys, *words, command=command)
            after = subject.used_memory(), subject.rss_bytes()
            return [(late - early) / size.memory_keys for early, late in zip(before, after)]
        results = alone(programs, measure)
        title += ", %s keys" % thousands(size.memory_keys)
        yield title, "used bytes/key", [result[0] for result in results]
        yield "", "RSS bytes/key", [result[1] for result in results]


def snapshot(programs, size):
    def measure(subject):
        keys = size.snapshot_keys
        subject.fill(keys, "--values", "json", "--value-bytes", 200)
        seconds = subject.background("BGSAVE")
        file = os.path.join(subject.server.directory, "dump.rdb")
        result = {"file MB": os.path.getsize(file) / 1e6, "BGSAVE s": seconds}
        started = time.monotonic()
        subject.call("SAVE")
        result["SAVE s"] = time.monotonic() - started
        result["load s"] = subject.restart()
        if subject.call("DBSIZE") != keys:
            raise RuntimeError("the snapshot has lost keys")
        return result
    for unit, values in columns(alone(programs, measure, pinned=False)).items():
        title = "snapshot of %s JSON documents" % thousands(size.snapshot_keys)
        yield title if unit == "file MB" else "", unit, values


def log(programs, size):
    for title, options, words in (
            ("SET P=16, no AOF", {}, ["--pipeline", 16]),
            ("SET P=16, everysec", {"appendonly": "yes", "appendfsync": "everysec"},
             ["--pipeline", 16]),
            ("SET P=1, always", {"appendonly": "yes", "appendfsync": "always"}, [])):
        options = dict(options, **{"auto-aof-rewrite-percentage": "0"})

        def measure(subject):
            return subject.load("set", "--keys", 10 ** 6, "--seconds", 2 * size.seconds, *words)
        loads = alone(programs, measure, options)
        yield title, "op/s", [load.per_second for load in loads]
        yield "", "server us/op", [load.cpu_us for load in loads]
        yield "", "p99 us", [load.us["p99"] for load in loads]
        yield "", "worst us", [load.us["max"] for load in loads]

    def load_time(subject):
        subject.fill(size.log_keys)
        time.sleep(1.5)  # everysec has written the last of it
        seconds = subject.restart()
        if subject.call("DBSIZE") != size.log_keys:
            raise RuntimeError("the log has lost keys")
        return seconds
    yield "load of an AOF of %s SETs" % thousands(size.log_keys), "s", alone(
        programs, load_time, {"appendonly": "yes", "auto-aof-rewrite-percentage": "0"},
        pinned=False)


def growth(programs, size):
    first, last = size.growth_keys

    def measure(subject):
        subject.fill(first, "--value-bytes", 16)
        load = subject.load("set", "--sequential", "--first-key", first, "--requests", last - first,
                            "--value-bytes", 16, "--clients", 10, "--pipeline", 4)
        return {"worst us": load.us["max"], "p99.9 us": load.us["p999"], "op/s": load.per_second}
    title = "inserting from %s to %s keys" % (thousands(first), thousands(last))
    for unit, values in columns(alone(programs, measure)).items():
        yield title if unit == "worst us" else "", unit, values


def expiry(programs, size):
    keys = size.expiring_keys

    def measure(subject):
        subject.fill(keys, "--value-bytes", 16)
        instant_ms = int((time.time() + keys / 150_000 + 2) * 1000)
        subject.fill(keys, "--expiry", instant_ms, command="pexpireat")
        until = instant_ms / 1000 - time.time()
        if until < 0.2:
            raise RuntimeError("the keys expired before all had their time")
        time.sleep(until - 0.2)
        probe = {}

        def ask():
            probe["load"] = subject.load("ping", "--clients", 1, "--interval-us", 200, "--seconds",
                                         size.expiry_seconds)
        thread = threading.Thread(target=ask)
        thread.start()
        with subject.server.connect() as connection:
            while connection.call("DBSIZE") > 0:
                time.sleep(0.005)
            gone = time.time() - instant_ms / 1000
        thread.join()
        return {"all gone after s": gone, "worst PING us": probe["load"].us["max"]}
    title = "%s keys expire at one instant" % thousands(keys)
    for unit, values in columns(alone(programs, measure)).items():
        yield title if unit == "all gone after s" else "", unit, values


def connections(programs, size):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(size.connections, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))

    def measure(subject):
        before = subject.rss_bytes(), subject.used_memory()
        held = [subject.server.connect() for _ in range(count)]
        for connection in held:
            connection.call("PING")
        time.sleep(size.idle_seconds)  # buffers shrink when nothing has come for a while
        after = subject.rss_bytes(), subject.used_memory()
        for connection in held:
            connection.close()
        return [(late - early) / count for early, late in zip(before, after)]
    results = alone(programs, measure, {"maxclients": count + 100})
    yield "%s idle connections" % thousands(count), "RSS bytes each", [
        result[0] for result in results]
    yield "", "used bytes each", [result[1] for result in results]


def start(programs, size):
    def measure(path):
        times, rss = [], math.inf
        directory = tempfile.mkdtemp(prefix="rox-start-")
        try:
            for _ in range(size.starts):
                with Subject(path, {"dir": directory}) as subject:
                    times.append(subject.restart())
                    rss = min(rss, subject.rss_bytes())
        finally:
            shutil.rmtree(directory)
        return min(times) * 1000, rss / 2 ** 20
    results = [measure(path) for path in programs.values()]
    yield "empty server, start to PONG", "ms", [result[0] for result in results]
    yield "", "RSS MiB", [result[1] for result in results]


def thousands(number):
    for unit, factor in (("M", 10 ** 6), ("k", 10 ** 3)):
        if number >= factor and number % (factor // 10) == 0:
            return "%g%s" % (number / factor, unit)
    return str(number)


ALL = {"throughput": throughput, "redis-benchmark": redis_benchmark, "big-values": big_values,
       "memory": memory, "snapshot": snapshot, "log": log, "growth": growth, "expiry": expiry,
       "connections": connections, "start": start}
