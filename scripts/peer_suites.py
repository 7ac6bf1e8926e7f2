#!/usr/bin/env python3
"""The test suites of Redis and Valkey, run against RoxDB.

    scripts/peer_suites.py [--source TARBALL]... [--only TEST] [UNIT...]

A suite comes with the source of its server; nothing of it is part of ours. Without --source that is
the source package of Debian's redis, which apt fetches and verifies; a tarball of any other version
of Redis or Valkey does, too. It is unpacked below build/suites, our server is put in the place of
theirs, and each unit (unit/type/string, integration/rdb: a file below tests) runs in a process of
its own. Without UNIT these are all that need one server only.

A failure that is meant is written down with its reason in test/data/peer_suites_differences.txt,
for all versions in one list; every other is reported with the log that tells of it. The exit code
is 0 when there is none. `make suites` builds first. Needs tclsh; what stays of Redis's own programs
(redis-cli, redis-benchmark, redis-check-aof) are those of Debian's packages.
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = os.path.join(ROOT, "build", "suites")
DIFFERENCES = os.path.join(ROOT, "test", "data", "peer_suites_differences.txt")
UNIT_SECONDS_MAX = 1800
PORTS = 500

# Tests of replication have no server to talk to; the others of these want a cluster, a module.
TAGS = "-needs:repl -repl -cluster -modules"

PROGRAMS = ("cli", "benchmark", "check-aof", "check-rdb")

# The suites look into the directory of the log; ours has other files, in another format. Where to
# find them is all that can be told. A log that a test writes by hand is to be imported, so one of
# ours, left by the server before, must not be there.
OUR_LOG = """
proc roxdb_log_file {client role} {
    set directory [file join [lindex [$client config get dir] 1] \\
                             [lindex [$client config get appenddirname] 1]]
    set manifest [lindex [$client config get appendfilename] 1].manifest.rox
    set found ""
    set file [open [file join $directory $manifest]]
    foreach line [split [read $file] "\\n"] {
        if {[lindex [split $line] 0] eq $role} {
            set found [file join $directory [join [lrange [split $line] 2 end]]]
        }
    }
    close $file
    return $found
}
proc get_last_incr_aof_path {client} { roxdb_log_file $client increment }
proc get_base_aof_path {client} { roxdb_log_file $client base }
proc create_aof_dir {directory} {
    file mkdir $directory
    foreach file [glob -nocomplain [file join $directory *.rox]] { file delete $file }
}
"""


class Differences:
    """Lines `unit | test | reason`. A `*` at the end of the test stands for any text, and alone for
    the whole unit, which is not run; nor is a test whose reason begins with `not run: `."""

    def __init__(self, path):
        self.lines = []
        with open(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    words = [word.strip() for word in line.split(" | ")]
                    if len(words) != 3 or not all(words):
                        raise SystemExit("%s: line %d: not `unit | test | reason`" % (path, number))
                    self.lines.append(words)

    def names(self, unit, name):
        def agrees(pattern):
            return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        return any(unit == where and agrees(pattern) for where, pattern, _ in self.lines)

    def not_run(self, unit):
        return [name for where, name, reason in self.lines
                if where == unit and reason.startswith("not run: ")]

    def leaves_out(self, unit):
        return any(unit == where and pattern == "*" for where, pattern, _ in self.lines)


def quietly(command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **how)
    if done.returncode != 0:
        raise SystemExit("%s failed:\n%s" % (" ".join(command), done.stdout))
    return done.stdout


def debian_source():
    """The source package of redis, through apt but beside its own state: nobody needs to be root,
    and the machine's lists stay as they are."""
    found = glob.glob(os.path.join(SUITES, "redis_*.orig.tar.*"))
    if found:
        return found[0]
    state = os.path.join(SUITES, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"), exist_ok=True)
    places = quietly(["apt-get", "indextargets", "--format",
                      "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                      "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Identifier: Packages",
                      "Origin: Debian"])
    with open(os.path.join(state, "sources.list"), "w") as file:
        file.writelines(sorted({line + "\n" for line in places.splitlines()}))
    options = ["-qq", "-o", "Dir::State::lists=" + os.path.join(state, "lists"),
               "-o", "Dir::Cache=" + os.path.join(state, "cache"),
               "-o", "Dir::Etc::sourcelist=" + os.path.join(state, "sources.list"),
               "-o", "Dir::Etc::sourceparts=/dev/null"]
    if os.getuid() == 0:
        options += ["-o", "APT::Sandbox::User=root"]  # the directory is ours alone
    quietly(["apt-get"] + options + ["update"])
    quietly(["apt-get"] + options + ["source", "--download-only", "redis"], cwd=SUITES)
    return glob.glob(os.path.join(SUITES, "redis_*.orig.tar.*"))[0]


class Suite:
    def __init__(self, tarball, server):
        with tarfile.open(tarball) as archive:
            self.name = archive.next().name.split("/")[0]
            self.directory = os.path.join(SUITES, self.name)
            shutil.rmtree(self.directory, ignore_errors=True)
            archive.extractall(SUITES, [one for one in archive.getmembers()
                                        if one.name.split("/")[1:2] not in ([], ["deps"])])
        self.logs = os.path.join(SUITES, "logs", self.name)
        os.makedirs(self.logs, exist_ok=True)
        # Both names where both are looked for: scripts of Valkey know the older ones.
        for family in ("redis", "valkey"):
            self.link(server, family + "-server")
            for program in PROGRAMS:
                self.link(shutil.which("redis-" + program), "%s-%s" % (family, program))
        with open(os.path.join(self.directory, "tests", "support", "aofmanifest.tcl"), "a") as file:
            file.write(OUR_LOG)

    def link(self, program, name):
        path = os.path.join(self.directory, "src", name)
        if program is not None and not os.path.lexists(path):
            os.symlink(os.path.abspath(program), path)

    def units(self):
        tests = os.path.join(self.directory, "tests")
        found = [glob.glob(os.path.join(tests, where, "*.tcl"))
                 for where in ("unit", "unit/type", "integration")]
        return sorted(os.path.relpath(path, tests)[:-len(".tcl")] for path in sum(found, []))

    def run(self, unit, arguments):
        """The names of the tests that passed, and of those that failed, with what was said."""
        port = random.SystemRandom().randrange(20000, 31000, PORTS)
        command = ["./runtest", "--single", unit, "--clients", "1", "--durable", "--tags", TAGS,
                   "--baseport", str(port), "--portcount", str(PORTS)] + arguments
        log = os.path.join(self.logs, unit.replace("/", "-") + ".log")
        with open(log, "w") as file:
            process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            ended = True
            try:
                process.wait(UNIT_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                ended = False
            stop_session(process)
        with open(log, errors="replace") as file:
            passed, failed = outcomes(file.read())
        if not ended:
            failed.append(("(the unit)", "still running after %d s" % UNIT_SECONDS_MAX))
        elif process.returncode != 0 and not failed:
            failed.append(("(the unit)", "exit code %d, see %s" % (process.returncode, log)))
        return passed, failed


def stop_session(process):
    """Servers of a suite that was stopped go on; they are of its session."""
    for _ in range(10):
        listed = subprocess.run(["ps", "-o", "pid=", "-s", str(process.pid)],
                                stdout=subprocess.PIPE, text=True)
        pids = [int(word) for word in listed.stdout.split()]
        for pid in pids:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        if not pids:
            break
    process.wait()


def outcomes(log):
    """[ok]: name (12 ms), or [err]: name in tests/unit/x.tcl and what was said below it."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines()
    passed, failed = [], []
    for number, line in enumerate(lines):
        kind, _, rest = line.partition("]: ")
        if kind == "[ok":
            passed.append(re.sub(r" \(\d+ ms\)$", "", rest))
        elif kind == "[err":
            name, where, _ = rest.rpartition(" in tests/")
            said = lines[number + 1] if number + 1 < len(lines) else ""
            # Outside of a test an error is all that there is.
            failed.append((name, said) if where else ("(between tests) " + rest, said))
        elif kind in ("[exception", "[timeout"):
            failed.append(("(the unit)", line))
    # What fails around a test is told behind it once more, as its success.
    names = {name for name, _ in failed}
    return [name for name in passed if name not in names], failed


def main():
    parser = argparse.ArgumentParser(description="The suites of Redis and Valkey against RoxDB")
    parser.add_argument("units", nargs="*", metavar="UNIT")
    parser.add_argument("--source", action="append", metavar="TARBALL",
                        help="of a version of Redis or Valkey; more than one is tried in turn")
    parser.add_argument("--only", metavar="TEST", help="one test of the units")
    options = parser.parse_args()
    server = os.environ.get("ROX_SERVER", os.path.join(ROOT, "build", "release", "roxdb-server"))
    differences = Differences(DIFFERENCES)
    os.makedirs(SUITES, exist_ok=True)

    total_passed = total_failed = total_meant = 0
    for tarball in options.source or [debian_source()]:
        suite = Suite(tarball, server)
        for unit in options.units or suite.units():
            if not options.units and differences.leaves_out(unit):
                continue
            arguments = ["--only", options.only] if options.only else []
            for name in differences.not_run(unit):
                arguments += ["--skiptest", name]
            passed, failed = suite.run(unit, arguments)
            meant = [one for one in failed if differences.names(unit, one[0])]
            bad = [one for one in failed if one not in meant]
            print("%-14s %-34s %4d passed, %d failed, %d differ as meant" % (
                suite.name, unit, len(passed), len(bad), len(meant)), flush=True)
            for name, said in bad:
                print("    %s\n        %s" % (name, said[:200]), flush=True)
            total_passed += len(passed)
            total_failed += len(bad)
            total_meant += len(meant)
    print("%d differences that are meant, see %s; logs in %s" % (
        total_meant, os.path.relpath(DIFFERENCES), os.path.relpath(os.path.join(SUITES, "logs"))))
    print("%d passed, %d failed" % (total_passed, total_failed))
    return 1 if total_failed else 0


if __name__ == "__main__":
    sys.exit(main())
