"""Celery with the redis broker and result backend: groups, chords, chains, retries, later times."""
import os
import signal
import subprocess
import sys
import time

from celery import Celery, chain, chord, group

URL = "redis://127.0.0.1:%s/0" % os.environ["ROX_PORT"]
app = Celery("celery_app", broker=URL, backend=URL)
app.conf.update(worker_prefetch_multiplier=4, result_expires=60, task_serializer="json",
                broker_connection_retry_on_startup=True)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def flaky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task
def fail():
    raise ValueError("wrong")


def main():
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "threads",
         "--concurrency", "4", "--loglevel", "WARNING"],
        cwd=os.path.dirname(os.path.abspath(__file__)))
    try:
        assert add.delay(2, 3).get(timeout=60) == 5
        results = group(add.s(i, i) for i in range(50))().get(timeout=60)
        assert results == [2 * i for i in range(50)], results
        assert chain(add.s(1, 2), add.s(10), add.s(100))().get(timeout=60) == 113
        assert chord((add.s(i, 1) for i in range(10)), total.s())().get(timeout=60) == 55
        assert flaky.delay().get(timeout=60) == 2
        try:
            fail.delay().get(timeout=60)
            raise AssertionError("no error")
        except ValueError as error:
            assert "wrong" in str(error)
        began = time.monotonic()
        assert add.apply_async((1, 1), countdown=1).get(timeout=60) == 2
        assert time.monotonic() - began >= 1
        revoked = add.apply_async((1, 1), countdown=3600)
        app.control.revoke(revoked.id)
        answers = app.control.ping(timeout=5)
        assert len(answers) == 1, answers  # over Pub/Sub and lists
        assert app.AsyncResult("no such").state == "PENDING"
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)


if __name__ == "__main__":
    main()
