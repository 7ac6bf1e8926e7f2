#!/usr/bin/env python3
"""What operators use beside the protocol: figures for Prometheus, alert rules, lines for machines."""
import json
import os
import re
import shutil
import signal
import sys
import tempfile

from _checks import expect, expect_that, run, test
from _server import Connection, Server, free_port

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config")


def http(port, request):
    """Everything that is answered to these bytes."""
    with Connection(("127.0.0.1", port)) as connection:
        connection.send(request)
        return connection.read_until_closed().decode()


def scrape(port):
    """Metric names, with labels, and their values."""
    head, page = http(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").split("\r\n\r\n", 1)
    expect_that(head.startswith("HTTP/1.1 200 OK\r\n"), head)
    expect_that("\r\nContent-Length: %d\r\n" % len(page) in head + "\r\n", head)
    figures, types = {}, {}
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            expect_that(name not in types and kind in ("counter", "gauge"), line)
            types[name] = kind
        elif not line.startswith("#"):
            match = re.fullmatch(r'([a-z_]+)(\{[^{}]*\})? (\S+)', line)
            expect_that(match, line)
            expect_that(match.group(1) in types, "no type: " + line)
            figures[match.group(1) + (match.group(2) or "")] = float(match.group(3))
    return figures


@test
def prometheus_reads_the_figures_of_info():
    port = free_port()
    with Server(options={"metrics-port": port}) as server:
        with server.connect() as connection:
            connection.pipeline([["SET", "a", "1"], ["SET", "b", "2", "EX", 100], ["GET", "a"],
                                 ["GET", "none"], ["INCR", "a", "b"], ["NOSUCH"],
                                 ["CONFIG", "GET", "hz"], ["LPUSH", "a", "x"]])
            figures = scrape(port)
            for name, value in {
                    "redis_up": 1, "redis_connected_clients": 1, "redis_keyspace_hits_total": 1,
                    "redis_keyspace_misses_total": 1, 'redis_commands_total{cmd="set"}': 2,
                    'redis_commands_total{cmd="config|get"}': 1,
                    'redis_commands_rejected_calls_total{cmd="incr"}': 1,
                    'redis_commands_failed_calls_total{cmd="lpush"}': 1,
                    'redis_errors_total{err="ERR"}': 2, 'redis_errors_total{err="WRONGTYPE"}': 1,
                    'redis_db_keys{db="db0"}': 2, 'redis_db_keys_expiring{db="db0"}': 1,
                    "redis_rdb_last_bgsave_status": 1, "redis_aof_last_write_status": 1,
                    "redis_memory_max_bytes": 0}.items():
                expect(figures.get(name), value, name)
            info = server.info()
            for name, field in (("redis_memory_used_peak_bytes", "used_memory_peak"),
                                ("redis_commands_processed_total", "total_commands_processed"),
                                ("redis_net_input_bytes_total", "total_net_input_bytes")):
                expect_that(0 < figures[name] <= float(info[field]), name)
            # Time of commands is told in seconds.
            expect_that(0 < figures['redis_commands_duration_seconds_total{cmd="set"}'] < 1, figures)


@test
def only_the_page_is_served_and_only_to_who_asks_properly():
    port = free_port()
    with Server(options={"metrics-port": port}) as server:
        expect_that(http(port, b"GET / HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 404 "), "404")
        expect_that(http(port, b"POST /metrics HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 405 "), "405")
        expect(http(port, b"x" * 9000), "")
        # Those who say nothing keep nobody out for long, and there are never many of them.
        silent = [Connection(("127.0.0.1", port)) for _ in range(40)]
        expect(server.call("PING"), b"PONG")
        expect(scrape(port)["redis_up"], 1)
        for connection in silent:
            connection.close()
        expect(scrape(port)["redis_up"], 1)
        # The port may change at any time, and go.
        other = free_port()
        expect(server.call("CONFIG", "SET", "metrics-port", other), b"OK")
        expect(scrape(other)["redis_up"], 1)
        expect(server.call("CONFIG", "SET", "metrics-port", 0), b"OK")
        for closed in (port, other):
            try:
                Connection(("127.0.0.1", closed)).close()
                raise AssertionError("port %d still answers" % closed)
            except ConnectionRefusedError:
                pass
        # A port that is taken is refused, and what was there before goes on.
        expect(server.call("CONFIG", "SET", "metrics-port", other), b"OK")
        answer = server.call("CONFIG", "SET", "metrics-port", server.port)
        expect_that(b"cannot listen" in answer, answer)
        expect(scrape(other)["redis_up"], 1)


@test
def alert_rules_ask_for_figures_that_exist():
    port = free_port()
    with open(os.path.join(CONFIG, "alerts.yml"), encoding="ascii") as file:
        rules = file.read()
    asked = set(re.findall(r"\b(?:redis|roxdb)_[a-z_]+", "".join(re.findall(r"expr: (.*)", rules))))
    expect_that(len(asked) >= 10, asked)
    with Server(options={"metrics-port": port, "appendonly": "yes"}):
        told = {name.split("{")[0] for name in scrape(port)}
    expect_that(len(told) > 40, told)
    expect(asked - told, set())


@test
def log_lines_may_be_made_for_machines():
    forms = {
        "logfmt": r'pid=\d+ role=primary timestamp="[^"]+" level=notice message="(.*)"',
        "json": None,
        "legacy": r"\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* (.*)"}
    for form, pattern in forms.items():
        with Server(options={"log-format": form}) as server:
            lines = [line for line in server.log().splitlines() if "Ready to accept" in line]
        expect(len(lines), 1, form)
        if form == "json":
            event = json.loads(lines[0])
            expect([event["pid"], event["role"], event["level"], event["message"]],
                   [server.pid, "primary", "notice", "Ready to accept connections"])
        else:
            match = re.fullmatch(pattern, lines[0])
            expect_that(match and match.group(1) == "Ready to accept connections", lines[0])
    times = {"iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d",
             "milliseconds": r"\d{13}"}
    for form, pattern in times.items():
        with Server(options={"log-format": "json", "log-timestamp-format": form}) as server:
            for line in server.log().splitlines():
                if line.startswith("{"):
                    expect_that(re.fullmatch(pattern, json.loads(line)["timestamp"]), line)


def oom_score(pid):
    with open("/proc/%d/oom_score_adj" % pid, encoding="ascii") as file:
        return int(file.read())


@test
def linux_is_told_whom_to_end_first():
    with Server() as server:
        before = oom_score(server.pid)
        expect(server.call("CONFIG", "SET", "oom-score-adj-values", "10 20 30"), b"OK")
        expect(oom_score(server.pid), before)
        expect(server.call("CONFIG", "SET", "oom-score-adj", "relative"), b"OK")
        expect(oom_score(server.pid), before + 10)
        expect(server.call("CONFIG", "SET", "oom-score-adj", "absolute", "oom-score-adj-values",
                           "%d 900 1000" % (before + 5)), b"OK")
        expect(oom_score(server.pid), before + 5)
        answer = server.call("CONFIG", "SET", "oom-score-adj-values", "1 2 2001")
        expect_that(b"must be between -2000 and 2000" in answer, answer)
        expect(server.call("CONFIG", "SET", "oom-score-adj", "no"), b"OK")
        expect(oom_score(server.pid), before)


@test
def a_server_that_is_asked_shows_its_stack_and_goes_on():
    with Server() as server:
        server.signal(signal.SIGALRM)
        expect(server.call("PING"), b"PONG")
        server.signal(signal.SIGALRM)
        expect(server.call("PING"), b"PONG")
        log = server.log()
        for line in ("Received SIGALRM", "STACK TRACE ---", "STACK TRACE DONE"):
            expect(log.count(line), 2, line)


@test
def the_title_follows_its_template():
    with Server() as server:
        template = "TEST {listen-addr} {port} end"
        expect(server.call("CONFIG", "SET", "proc-title-template", template), b"OK")
        with open("/proc/%d/cmdline" % server.pid, encoding="ascii") as file:
            title = file.read().rstrip("\0")
        expect(title, "TEST 127.0.0.1:%d %d end" % (server.port, server.port))
        for wrong in ("{nosuch}", "{title", ""):
            answer = server.call("CONFIG", "SET", "proc-title-template", wrong)
            expect_that(b"template format is invalid" in answer, answer)


@test
def what_a_title_shows_may_look_like_a_variable():
    directory = tempfile.mkdtemp(prefix="rox-conf-")
    try:
        path = os.path.realpath(os.path.join(directory, "{config-file}"))
        with open(path, "w", encoding="ascii") as file:
            file.write("hz 10\n")
        with Server(arguments=[path], options={"proc-title-template": "{config-file}"}) as server:
            with open("/proc/%d/cmdline" % server.pid, encoding="ascii") as file:
                expect(file.read().rstrip("\0"), path)
    finally:
        shutil.rmtree(directory)


@test
def the_directory_is_told_from_the_root():
    options = {"dir": ".", "appendonly": "yes", "enable-protected-configs": "yes"}
    with Server(options=options) as server:
        _, told = server.call("CONFIG", "GET", "dir")
        expect(told.decode(), os.path.realpath(server.directory))
        # A log keeps its directory, and this is still the same one.
        expect(server.call("CONFIG", "SET", "dir", told), b"OK")
        expect_that(b"turn it off first" in server.call("CONFIG", "SET", "dir", "/tmp"), "moved")


@test
def the_words_of_a_shutdown_are_kept_in_one_order():
    with Server(options={"shutdown-on-sigint": "now nosave force"}) as server:
        expect(server.call("CONFIG", "GET", "shutdown-on-sigint")[1], b"nosave now force")
        expect(server.call("CONFIG", "SET", "shutdown-on-sigterm", "Force save"), b"OK")
        expect(server.call("CONFIG", "GET", "shutdown-on-sigterm")[1], b"save force")
        for wrong, why in (("", b"one of the following"), ("never", b"one of the following"),
                           ("save nosave", b"simultaneously")):
            answer = server.call("CONFIG", "SET", "shutdown-on-sigterm", wrong)
            expect_that(why in answer, answer)
        expect(server.call("CONFIG", "SET", "shutdown-on-sigterm", "failover safe now"), b"OK")
        expect(server.call("CONFIG", "GET", "shutdown-on-sigterm")[1], b"now safe failover")
        expect(server.call("CONFIG", "SET", "shutdown-on-sigterm", "default"), b"OK")
        expect(server.call("CONFIG", "GET", "shutdown-on-sigterm")[1], b"default")


@test
def waitaof_tells_what_is_on_the_disk():
    options = {"appendonly": "yes", "appendfsync": "everysec"}
    with Server(options=options) as server, server.connect() as connection:
        expect(connection.call("SET", "k", "v"), b"OK")
        expect(connection.call("WAITAOF", 1, 0, 5000), [1, 0])
        expect(connection.call("WAITAOF", 1, 1, 20), [1, 0])
        expect(connection.call("CONFIG", "SET", "appendfsync", "no"), b"OK")
        expect(connection.call("SET", "k", "w"), b"OK")
        expect(connection.call("WAITAOF", 1, 0, 20), [0, 0])
        expect(connection.call("CONFIG", "SET", "appendfsync", "always"), b"OK")
        expect(connection.call("SET", "k", "x"), b"OK")
        expect(connection.call("WAITAOF", 1, 0, 0), [1, 0])


@test
def the_loop_is_watched():
    with Server() as server, server.connect() as connection:
        connection.pipeline([["PING"]] * 100)
        info = server.info()
        for field in ("eventloop_cycles", "eventloop_duration_sum", "eventloop_duration_cmd_sum",
                      "total_reads_processed", "total_writes_processed"):
            expect_that(int(info[field]) > 0, field)
        expect_that(0 < float(info["used_active_time_main_thread"]) < 60, info)
        expect(info["listener0"], "name=tcp,bind=127.0.0.1,port=%d" % server.port)
        expect(connection.call("CONFIG", "RESETSTAT"), b"OK")
        after = server.info()
        expect_that(int(after["eventloop_cycles"]) < int(info["eventloop_cycles"]) + 10, after)


if __name__ == "__main__":
    sys.exit(run())
