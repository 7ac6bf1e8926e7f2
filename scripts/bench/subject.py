"""One server that is measured: its process, the load on it, and what the system says about both."""
import glob
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "test", "wire"))
from _server import Server, redis_server, roxdb  # noqa: E402  (the path comes first)

CORES = sorted(os.sched_getaffinity(0))
# Server and generator on a core each; on a machine with one core they share it.
SERVER_CORE, LOAD_CORE = CORES[0], CORES[1 % len(CORES)]
KEYS_PER_SECOND_FLOOR = 20000


def pin(core):
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def programs(peer=None):
    """What is compared: {name: path}, RoxDB first."""
    found = {"RoxDB": roxdb()}
    peer = peer or redis_server()
    if peer:
        version = subprocess.run([peer, "--version"], stdout=subprocess.PIPE).stdout.decode()
        words = [word[2:] for word in version.split() if word.startswith("v=")]
        found["%s %s" % (os.path.basename(peer), words[0] if words else "")] = peer
    return found


class Load:
    """What loadgen said, and what the server spent on it."""

    def __init__(self, text, cpu_seconds):
        figures = dict(line.split(" ", 1) for line in text.splitlines())
        self.requests = int(figures["requests"])
        self.seconds = float(figures["seconds"])
        self.per_second = float(figures["per_second"])
        self.errors = int(figures["errors"])
        self.us = {name[:-3]: float(value) for name, value in figures.items()
                   if name.endswith("_us")}
        self.cpu_us = cpu_seconds * 1e6 / max(1, self.requests)


class Subject:
    """A running server. `pinned` binds it to its core; a save that may use threads goes without."""

    def __init__(self, program, options=None, pinned=True):
        self.server = Server(program, options, prefix=pin(SERVER_CORE) if pinned else [])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()  # an orderly end may save, and measures nothing
        self.server.close()

    def load(self, command, *words):
        """Runs the load generator against the server."""
        generator = os.path.join(os.environ.get("ROX_TOOLS", "build/release/tools"), "loadgen")
        before = self.cpu_seconds()
        done = subprocess.run(
            pin(LOAD_CORE) + [generator, "--port", str(self.server.port), "--command", command] +
            [str(word) for word in words], stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise RuntimeError("loadgen failed; the server's last words:\n" +
                               self.server.log()[-2000:])
        load = Load(done.stdout.decode(), self.cpu_seconds() - before)
        if load.errors:
            raise RuntimeError("%d errors while measuring %s" % (load.errors, command))
        return load

    def fill(self, keys, *words, command="set"):
        """Every key once, in order."""
        return self.load(command, "--sequential", "--requests", keys, "--pipeline", 50, "--clients",
                         20, *words)

    def cpu_seconds(self):
        """User and system time of all threads, to the nanosecond."""
        total = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.server.pid):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def rss_bytes(self):
        with open("/proc/%d/statm" % self.server.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def used_memory(self):
        return int(self.server.info("memory")["used_memory"])

    def call(self, *words):
        return self.server.call(*words)

    def background(self, command):
        """Seconds that BGSAVE or BGREWRITEAOF takes, asked every few milliseconds."""
        started = time.monotonic()
        with self.server.connect() as connection:
            connection.call(command)
            while True:
                info = connection.info("persistence")
                if info["rdb_bgsave_in_progress"] == info["aof_rewrite_in_progress"] == "0":
                    return time.monotonic() - started
                time.sleep(0.005)

    def restart(self):
        """Kills the server, starts it on what it saved; seconds until it has loaded all of it."""
        self.server.kill()
        started = time.monotonic()
        self.server.launch()
        if not self.server.wait_ready(interval_s=0.0005):
            raise RuntimeError("the server does not start:\n" + self.server.log())
        return time.monotonic() - started
