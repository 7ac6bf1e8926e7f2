#!/usr/bin/env python3
"""Runs the test suites that `make test` has built, adds up their counts, says who failed.

A suite is one process: the unit test program, one script of test/wire, or the replay of one fuzz
corpus. Suites run side by side, each in a session of its own with its own TMPDIR, and are found in
build/<config>/test-logs/<suite>.log afterwards. What goes in, beside the usual environment:

    ROX_SERVER, ROX_TOOL   absolute paths of the programs under test
    ROX_BUILD              the build directory: libroxdb.so, tools/
    TMPDIR                 an empty directory, removed afterwards with all that is in it

What comes out: scripts end with a line `N passed, N failed` and a matching exit code. A sanitizer
report of any process counts as one failure more, also when the suite did not notice that its
server died. Whatever a suite leaves running is killed. The last line is the sum of all.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

# A suite that hangs must end some day. Far above what the slowest machine needs, so that no
# outcome depends on speed.
SUITE_SECONDS_MAX = int(os.environ.get("ROX_SUITE_SECONDS_MAX", "3600"))
TAIL_LINES = 60
COUNT_LINE = re.compile(r"^(\d+) passed, (\d+) failed$")


class Suite:
    def __init__(self, name, command, logs):
        self.name = name
        self.command = command
        self.log = os.path.join(logs, name + ".log")
        self.report = os.path.join(logs, name + ".xml")
        self.sanitizer = os.path.join(logs, name + ".sanitizer")
        self.mark = "%d-%s" % (os.getpid(), name)  # found in the environment of all its processes
        self.passed = self.failed = 0
        self.seconds = 0.0
        self.notes = []
        self.process = None

    def run(self, environment):
        started = time.monotonic()
        scratch = tempfile.mkdtemp(prefix="rox-")
        environment = dict(environment, TMPDIR=scratch, ROX_TEST_SUITE=self.mark)
        for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            environment[sanitizer] = sanitizer_options(environment.get(sanitizer), self.sanitizer)
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    env=environment, start_new_session=True)
                try:
                    self.process.wait(SUITE_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    self.notes.append("still running after %d s: killed" % SUITE_SECONDS_MAX)
                left = self.kill_all()
                if left and not self.notes:
                    self.notes.append("left %d processes running: killed" % left)
                self.process.wait()
            self.count(self.process.returncode)
        except OSError as error:
            self.failed += 1
            self.notes.append(str(error))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            self.seconds = time.monotonic() - started

    def kill_all(self):
        """Kills every process of the suite, also those that became daemons; returns how many."""
        killed = 0
        for _ in range(10):  # a process may fork while we look
            pids = [pid for pid in live_processes() if self.owns(pid)]
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
            if not pids:
                break
            time.sleep(0.05)
        return killed

    def owns(self, pid):
        # The session finds those who rewrote their environment (a process title), the mark those
        # who left the session (daemons).
        try:
            with open("/proc/%d/stat" % pid, "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
            if fields[0] == b"Z":
                return False
            if int(fields[3]) == self.process.pid:
                return True
            with open("/proc/%d/environ" % pid, "rb") as environ:
                return b"ROX_TEST_SUITE=" + self.mark.encode() in environ.read().split(b"\0")
        except OSError:
            return False

    def count(self, exit_code):
        counts = self.boost_counts() if self.name == "unit" else self.line_counts()
        if counts:
            self.passed, self.failed = counts
        else:
            self.notes.append("ended without a count")
        if exit_code < 0:
            self.notes.append("killed by %s" % signal.Signals(-exit_code).name)
        elif exit_code > 0:
            self.notes.append("exit code %d" % exit_code)
        reports = glob.glob(glob.escape(self.sanitizer) + ".*")
        for report in reports:
            self.notes.append("sanitizer report: " + os.path.relpath(report))
        self.failed += len(reports)
        if self.failed == 0 and (exit_code != 0 or not counts):
            self.failed = 1

    def boost_counts(self):
        try:
            root = xml.etree.ElementTree.parse(self.report).getroot().find("TestSuite")
        except (OSError, xml.etree.ElementTree.ParseError):
            self.notes.append("died in " + self.last_unit_test())
            return None
        number = lambda name: int(root.get("test_cases_" + name, "0"))
        # Boost counts a case that was aborted as failed too.
        return number("passed") + number("passed_with_warnings"), number("failed")

    def last_unit_test(self):
        name = "(no test)"
        with open(self.log, errors="replace") as log:
            for line in log:
                entered = re.search(r'Entering test case "(.*)"', line)
                name = entered.group(1) if entered else name
        return name

    def line_counts(self):
        with open(self.log, errors="replace") as log:
            lines = log.read().split("\n")
        found = COUNT_LINE.match(next((line for line in reversed(lines) if line.strip()), ""))
        return (int(found.group(1)), int(found.group(2))) if found else None

    def tail(self):
        """The end of the log, without the lines that only say which test came and went."""
        lines = []
        for path in [self.log] + glob.glob(glob.escape(self.sanitizer) + ".*"):
            with open(path, errors="replace") as file:
                text = [line.rstrip("\n") for line in file]
            if path == self.log:
                text = [line for line in text if not re.search(r"(Entering|Leaving) test ", line)]
                lines += text[-TAIL_LINES:]
            else:
                shadow = "Shadow bytes around the buggy address:"  # stacks come first, maps follow
                lines += text[:text.index(shadow) if shadow in text else TAIL_LINES]
        return lines


def sanitizer_options(given, log_path):
    # A refused allocation must come back as NULL, as it does in production.
    ours = "log_path=%s:allocator_may_return_null=1:print_stacktrace=1" % log_path
    return ours + (":" + given if given else "")


def live_processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def find_suites(options, build, logs):
    report = os.path.join(logs, "unit.xml")
    unit = [os.path.join(build, "roxdb-tests"), "--log_level=test_suite", "--color_output=no",
            "--report_level=detailed", "--report_format=XML", "--report_sink=" + report]
    suites = [Suite("unit", unit + options.unit_args.split(), logs)]
    for script in options.wire.split():
        name = "wire-" + os.path.splitext(os.path.basename(script))[0]
        suites.append(Suite(name, [sys.executable, "-u", script], logs))
    if options.apps:
        suites.append(Suite("apps", [sys.executable, "-u", options.apps], logs))
    for target in options.replay.split():
        replay = [os.path.join(build, "replay", target), os.path.join("test/fuzz/corpus", target)]
        suites.append(Suite("fuzz-" + target, replay, logs))
    return [suite for suite in suites if options.only in suite.name]


def main():
    parser = argparse.ArgumentParser(description="Runs the test suites and adds up their counts.")
    parser.add_argument("--build", required=True, help="the directory make has built in")
    parser.add_argument("--only", default="", help="suites whose name contains this")
    parser.add_argument("--unit-args", default="", help="arguments of the unit test program")
    parser.add_argument("--wire", default="", help="scripts that drive a server")
    parser.add_argument("--apps", default="", help="the script that runs real programs")
    parser.add_argument("--replay", default="", help="names of the fuzz targets")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="suites at a time")
    options = parser.parse_args()

    build = os.path.abspath(options.build)
    logs = os.path.join(build, "test-logs")
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)
    environment = dict(os.environ, ROX_BUILD=build, ROX_APPS=os.path.abspath("build/apps"), PYTHONDONTWRITEBYTECODE="1",
                       ROX_SERVER=os.path.join(build, "roxdb-server"),
                       ROX_TOOL=os.path.join(build, "roxdb-tool"))
    suites = find_suites(options, build, logs)
    pool = concurrent.futures.ThreadPoolExecutor(max(1, options.jobs))
    try:
        running = {pool.submit(suite.run, environment): suite for suite in suites}
        for done in concurrent.futures.as_completed(running):
            done.result()
            suite = running[done]
            print("  %-5s %-28s %6d passed %4d failed  %6.1f s" % (
                "FAIL" if suite.failed else "ok", suite.name, suite.passed, suite.failed,
                suite.seconds), flush=True)
            for note in suite.notes:
                print("          " + note)
            if suite.failed:
                for line in suite.tail():
                    print("        | " + line)
                print("        | (all of it: %s)" % os.path.relpath(suite.log), flush=True)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for suite in suites:
            if suite.process:
                suite.kill_all()
        print("interrupted")
        return 130
    passed = sum(suite.passed for suite in suites)
    failed = sum(suite.failed for suite in suites) + (0 if suites else 1)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
