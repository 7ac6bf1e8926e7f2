"""Servers and connections for the scripts that drive a real process.

A Server is one process on a free port of the loopback address with a data directory of its own. It
is stopped, and its directory removed, when the `with` block or the interpreter ends. RoxDB and
redis-server are started the same way, so every script can be tried against either.

    with Server(roxdb(), {"appendonly": "yes"}) as server:
        connection = server.connect()
        connection.call("SET", "k", "v")
"""
import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from _checks import Skip
from _resp import Error, Push, encode, parse, reply_end

# How long a server may take for anything before it counts as hanging. No test measures time by it.
PATIENCE_S = 120

# Nothing is saved unless the test asks for it.
QUIET = {"save": "", "appendonly": "no"}


def roxdb():
    """The server under test. ROX_SERVER may name redis-server, to try the scripts themselves."""
    return os.path.abspath(os.environ.get("ROX_SERVER", "build/release/roxdb-server"))


def redis_server():
    """Debian's redis-server, or what ROX_REDIS names: of another version, or valkey-server. None when
    it is not installed."""
    return os.environ.get("ROX_REDIS") or shutil.which("redis-server", path="/usr/bin:/usr/local/bin:" + os.environ["PATH"])


def is_redis(program):
    return "redis" in os.path.basename(program)


_running = set()


@atexit.register
def _stop_all():
    for server in list(_running):
        server.close()


def free_port():
    """A port that nobody listens on, below those the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def own_address():
    """An address of this machine that is not a loopback one. No packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            raise Skip("this machine has no network")
    if address.startswith("127."):
        raise Skip("this machine has no address but loopback")
    return address


class Server:
    """One server process; may be started again on the same data after it has ended."""

    def __init__(self, program=None, options=None, arguments=(), directory=None, start=True,
                 prefix=()):
        self.prefix = list(prefix)  # a program that becomes the server, as `env` does
        self.program = program or roxdb()
        self.options = dict(QUIET, **(options or {}))
        self.arguments = list(arguments)
        self.owns_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="rox-data-")
        self.log_path = os.path.join(self.directory, "server.log")
        self.process = None
        self.port = None
        _running.add(self)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the process ----

    def command_line(self):
        """Arguments come first: a configuration file, whose lines the options then overrule."""
        options = dict({"port": self.port, "bind": "127.0.0.1", "dir": self.directory},
                       **self.options)
        words = self.prefix + [self.program] + self.arguments
        for name, value in options.items():
            words.append("--" + name)
            words += value if isinstance(value, list) else [str(value)]
        return words

    def launch(self):
        """Starts the process and does not wait for it to answer."""
        self.port = free_port()
        self.log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=self.directory)

    def start(self):
        """Starts the process and waits until it answers and has loaded its data."""
        for attempt in range(20):
            self.launch()
            if self.wait_ready():
                return self
            # Somebody else took the port between our look and the server's bind.
            if attempt == 19 or "ddress already in use" not in self.log():
                raise AssertionError("the server ended at once, exit code %s:\n%s" % (
                    self.process.returncode, self.log()))
        return self

    def wait_ready(self, interval_s=0.01):
        """True once PING is answered other than by -LOADING; False when the process has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                with self.connect() as connection:
                    answer = connection.call("PING")
                    if not (isinstance(answer, Error) and answer.startswith(b"LOADING")):
                        return True
            except OSError:
                pass
            time.sleep(interval_s)
        raise AssertionError("no PONG after %d s:\n%s" % (PATIENCE_S, self.log()))

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.is_running():
            os.kill(self.pid, number)

    def kill(self):
        """kill -9, and the process is gone when this returns."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        """Waits for the process to end by itself; returns its exit code."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("still running after %d s:\n%s" % (PATIENCE_S, self.log()))

    def close(self):
        """Ends the process, if it runs, and removes its directory, if it is our own."""
        if self.is_running():
            self.signal(signal.SIGTERM)  # a leak checker reports at a clean exit only
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        _running.discard(self)

    def log(self, all_starts=False):
        """What the server wrote since its last start."""
        with open(self.log_path, errors="replace") as log:
            log.seek(0 if all_starts else self.log_start)
            return log.read()

    # ---- talking to it ----

    def connect(self, protocol=2, path=None):
        connection = Connection(("127.0.0.1", self.port) if path is None else path)
        if protocol == 3:
            connection.call("HELLO", 3)
        return connection

    def call(self, *arguments):
        with self.connect() as connection:
            return connection.call(*arguments)

    def info(self, section="everything"):
        """INFO as a dict of texts."""
        with self.connect() as connection:
            return connection.info(section)

    def wait_until(self, condition, what):
        """Polls until condition(self.info()) holds."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            info = self.info()
            if condition(info):
                return info
            time.sleep(0.01)
        raise AssertionError("not within %d s: %s" % (PATIENCE_S, what))

    def wait_for_background_save(self):
        return self.wait_until(lambda info: info["rdb_bgsave_in_progress"] == "0" and
                               info["aof_rewrite_in_progress"] == "0" and
                               info.get("aof_rewrite_scheduled", "0") == "0", "end of the child")


class Connection:
    """A connection that shows bytes as they come, or replies as values."""

    def __init__(self, address, timeout=PATIENCE_S):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_commands(self, commands):
        self.send(b"".join(encode(command) for command in commands))

    def read_raw(self):
        """The bytes of the next reply. ConnectionError when the server closes before its end."""
        while True:
            end = reply_end(self.buffer, 0) if self.buffer else -1
            if end >= 0:
                raw = bytes(self.buffer[:end])
                del self.buffer[:end]
                return raw
            self._fill()

    def read_raw_replies(self, count):
        """The bytes of the next `count` replies, each for itself."""
        replies, position = [], 0
        while len(replies) < count:
            end = reply_end(self.buffer, position) if position < len(self.buffer) else -1
            if end < 0:
                self._fill()
                continue
            replies.append(bytes(self.buffer[position:end]))
            position = end
        del self.buffer[:position]
        return replies

    def _fill(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("closed by the server with %r unread" % bytes(self.buffer[:200]))
        self.buffer += data

    def read(self):
        return parse(self.read_raw())

    def call(self, *arguments):
        """Sends one command and returns its reply; errors are returned, not raised."""
        self.send(encode(arguments))
        reply = self.read()
        while isinstance(reply, Push):
            reply = self.read()
        return reply

    def pipeline(self, commands):
        self.send_commands(commands)
        return [parse(raw) for raw in self.read_raw_replies(len(commands))]

    def info(self, section="everything"):
        text = self.call("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def read_until_closed_or(self, wanted):
        """True when exactly these bytes come; False when the server closes before that."""
        try:
            while len(self.buffer) < len(wanted):
                self._fill()
        except ConnectionError:
            return False
        return self.buffer == wanted

    def read_until_closed(self):
        """Everything until the server closes; a reset counts as closing."""
        try:
            while True:
                self._fill()
        except ConnectionError:
            data = bytes(self.buffer)
            self.buffer.clear()
            return data
