"""python3-redis: its lock, pipeline and Pub/Sub classes, scripts and the monitor."""
import os
import threading
import time

import redis
from redis.exceptions import LockError, LockNotOwnedError, WatchError

client = redis.Redis(host="127.0.0.1", port=int(os.environ["ROX_PORT"]), decode_responses=True)
client.flushall()

# ---- locks ----
lock = client.lock("lock", timeout=5)
assert lock.acquire(blocking=False) and lock.locked() and lock.owned()
assert not client.lock("lock").acquire(blocking=False)
assert client.lock("lock").acquire(blocking_timeout=0.1) is False
lock.extend(10)
assert client.pttl("lock") > 10000
lock.reacquire()
assert client.pttl("lock") <= 5000
lock.release()
short = client.lock("lock", timeout=0.1)
short.acquire()
time.sleep(0.2)
try:
    short.release()
    raise AssertionError("released what has expired")
except LockNotOwnedError:
    pass
try:
    client.lock("lock").release()
    raise AssertionError("released what was never held")
except LockError:
    pass
counter = 0


def count():
    global counter
    for _ in range(20):
        with client.lock("counter", timeout=10, sleep=0.002):
            before = counter
            time.sleep(0.0005)
            counter = before + 1


threads = [threading.Thread(target=count) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter == 100, counter

# ---- pipelines and transactions ----
with client.pipeline() as pipe:
    assert pipe.set("a", 1).incr("a").hset("h", "f", "v").hgetall("h").execute() == [True, 2, 1, {"f": "v"}]
with client.pipeline(transaction=False) as pipe:
    pipe.get("a").lpush("a", "x").get("a")
    results = pipe.execute(raise_on_error=False)
    assert results[0] == results[2] == "2" and isinstance(results[1], redis.ResponseError)
with client.pipeline() as pipe:
    pipe.watch("a")
    client.incr("a")
    pipe.multi()
    pipe.set("a", "lost")
    try:
        pipe.execute()
        raise AssertionError("ran in spite of the change")
    except WatchError:
        pass
assert client.transaction(lambda pipe: pipe.multi() or pipe.incr("a"), "a") == [4]

# ---- scripts ----
double = client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1] * 2)")
assert double(["n"], [4]) == 8
client.script_flush()
assert double(["n"], [1]) == 10

# ---- Pub/Sub ----
heard = []
pubsub = client.pubsub(ignore_subscribe_messages=True)
pubsub.subscribe(**{"news": lambda message: heard.append(message["data"])})
pubsub.psubscribe(**{"n*": lambda message: heard.append(message["channel"])})
thread = pubsub.run_in_thread(sleep_time=0.01)
deadline = time.monotonic() + 20
while client.publish("news", "hello") < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
while len(heard) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
thread.stop()
thread.join()
assert "hello" in heard and "news" in heard, heard
assert dict(client.pubsub_numsub("news")) == {"news": 0}

# ---- the monitor ----
with client.monitor() as monitor:
    client.get("a")
    seen = monitor.next_command()
    assert seen["command"] == "GET a" and seen["db"] == 0, seen
