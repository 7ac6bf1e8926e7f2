#!/usr/bin/env python3
"""Real programs that keep their data in RoxDB: each does its main job and checks what comes of it.

    run.py [NAME...]     all of them, or those named
    ROX_SERVER=PATH      another server

What they need comes from Debian and from the npm registry; see scripts/setup.sh apps.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "wire"))

from _checks import Skip, expect_that, run, test  # noqa: E402
from _server import Server  # noqa: E402

SECONDS = 180  # under the sanitizers, on a busy machine
BUILD = os.environ.get("ROX_APPS", os.path.join(HERE, "..", "..", "build", "apps"))


def app(words, environment=None):
    """Runs a program with an empty server at the port ROX_PORT; it says itself what is wrong."""
    with Server(options={"appendonly": "no"}) as server:
        done = subprocess.run(
            words, cwd=HERE, timeout=SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "ROX_PORT": str(server.port), **(environment or {})})
        expect_that(done.returncode == 0, "%s: exit code %d\n%s" % (
            words[0], done.returncode, done.stdout.decode(errors="replace")[-4000:]))
        expect_that(server.is_running(), server.log())


def node(script):
    modules = os.path.join(BUILD, "node_modules")
    if not os.path.isdir(modules):
        raise Skip("npm could not download it")
    app(["node", script], {"NODE_PATH": modules, "NODE_NO_WARNINGS": "1"})


@test
def bullmq():
    node("bullmq.js")


@test
def bull():
    node("bull.js")


@test
def ioredis():
    node("ioredis.js")


@test
def node_redis():
    node("node_redis.js")


@test
def redlock():
    node("redlock.js")


@test
def rate_limiter_flexible():
    node("rate_limiter.js")


@test
def connect_redis():
    node("connect_redis.js")


@test
def celery():
    app(["/usr/bin/python3", "celery_app.py"], {"PYTHONDONTWRITEBYTECODE": "1"})


@test
def python_redis():
    app(["/usr/bin/python3", "python_redis.py"])


@test
def sidekiq():
    app(["ruby", "-W0", "sidekiq.rb"])


@test
def php_redis():
    app(["php", "php_redis.php"])


@test
def hiredis():
    program = os.path.join(BUILD, "hiredis")
    os.makedirs(BUILD, exist_ok=True)
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", os.path.join(HERE, "hiredis.c"), "-o", program,
                    "-lhiredis", "-luv"], check=True)
    app([program])


if __name__ == "__main__":
    sys.exit(run())
