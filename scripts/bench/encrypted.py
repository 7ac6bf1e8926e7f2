"""What TLS costs: the group `tls`, each server with the same certificates.

redis-benchmark is the client, and has as much to encrypt as the server: where it is the slower one,
the rates are its own, and only the server's time per operation tells about the server.
"""
import os
import shutil
import ssl
import subprocess
import tempfile
from contextlib import ExitStack

import subject
from _certificates import Authority
from _server import Connection, free_port

COMMANDS = [  # name, words of redis-benchmark, bytes of a value, share of the requests
    ("SET of 64 bytes P=16", ["-t", "set", "-P", "16"], 64, 1),  # and the GETs find something
    ("GET of 64 bytes P=16", ["-t", "get", "-P", "16"], 64, 1),
    ("SET of 64 bytes P=1", ["-t", "set"], 64, 0.2),
    ("GET of 64 bytes P=1", ["-t", "get"], 64, 0.2),
    ("SET of 1 MiB", ["-t", "set", "-c", "8"], 1 << 20, 0.004),
    ("GET of 1 MiB", ["-t", "get", "-c", "8"], 1 << 20, 0.004),
    # Every request on a connection of its own.
    ("handshake", ["-t", "ping_mbulk", "-k", "0", "-c", "8"], 3, 0.01),
]


def benchmark(target, directory, words, value_bytes, requests):
    """One run: (server's us per operation, operations per second)."""
    before = target.cpu_seconds()
    done = subprocess.run(
        subject.pin(subject.LOAD_CORE) +
        ["redis-benchmark", "-p", target.server.options["tls-port"], "--tls", "--cacert",
         os.path.join(directory, "ca.crt"), "--csv", "-n", str(requests), "-r", "100", "-d",
         str(value_bytes)] + words,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    cpu_us = (target.cpu_seconds() - before) * 1e6 / requests
    return cpu_us, float(done.stdout.decode().splitlines()[-1].split('","')[1])


def idle_bytes(target, directory, count=200):
    """What a connection that has spoken and is silent now adds to the server's memory."""
    context = ssl.create_default_context(cafile=os.path.join(directory, "ca.crt"))
    connections = []

    def connect(more):
        for _ in range(more):
            connection = Connection(("127.0.0.1", int(target.server.options["tls-port"])))
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
            connection.call("PING")
            connections.append(connection)
        return target.rss_bytes()
    before = connect(count)  # the first ones pay for what all share
    after = connect(count)
    for connection in connections:
        connection.close()
    return (after - before) / count


def tls(programs, size):
    if shutil.which("redis-benchmark") is None or shutil.which("openssl") is None:
        return
    with tempfile.TemporaryDirectory(prefix="rox-tls-") as directory:
        Authority(directory, "ca").issue("server", "localhost", ["subjectAltName=DNS:localhost"])
        paths = {"tls-%s-file" % name: os.path.join(directory, file) for name, file in
                 (("cert", "server.crt"), ("key", "server.key"), ("ca-cert", "ca.crt"))}
        with ExitStack() as stack:
            targets = [stack.enter_context(subject.Subject(
                path, dict(paths, **{"tls-port": str(free_port()), "tls-auth-clients": "no"})))
                       for path in programs.values()]
            for name, words, value_bytes, share in COMMANDS:
                requests = max(50, int(size.benchmark_requests * share))
                rounds = [[benchmark(target, directory, words, value_bytes, requests)
                           for target in targets] for _ in range(size.rounds)]
                best = [min(results) for results in zip(*rounds)]
                yield "TLS " + name, "server us/op", [cpu_us for cpu_us, _ in best]
                yield "", "op/s", [rate for _, rate in best]
            yield ("TLS idle connection", "RSS bytes",
                   [idle_bytes(target, directory) for target in targets])
