"""A list of tests, run in order, counted as scripts/run_tests.py wants it.

    @test
    def a_claim_in_words():
        expect(actual, wanted)

    sys.exit(run())

`script.py WORD...` runs only the tests whose names contain one of the words.
"""
import sys
import time
import traceback

_tests = []


class Skip(Exception):
    """This machine cannot run the test; the reason is printed."""


def test(function):
    _tests.append(function)
    return function


def shorten(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else "%s ... (%d characters)" % (text[:600], len(text))


def expect(actual, wanted, what=""):
    """Fails the test unless both are equal."""
    if actual != wanted:
        raise AssertionError("%s%s, expected %s" % (
            what + ": " if what else "", shorten(actual), shorten(wanted)))


def expect_that(condition, what):
    """Fails the test, with `what` for a reason, unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def line_in(function, error):
    """The line of the test that failed, whichever helper noticed."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.name == function.__name__]
    return lines[0] if lines else 0


def run():
    """Runs the tests, prints one line each and the count; returns the exit code."""
    passed, failed = 0, []
    chosen = [one for one in _tests if not sys.argv[1:] or
              any(word in one.__name__ for word in sys.argv[1:])]
    for function in chosen:
        started = time.monotonic()
        try:
            function()
            verdict = "ok"
            passed += 1
        except Skip as reason:
            verdict = "skip (%s)" % reason
            passed += 1
        except AssertionError as error:
            verdict = "FAIL line %d\n    %s" % (line_in(function, error), error)
            failed.append(function.__name__)
        except Exception:  # whatever it is, the other tests still run
            verdict = "FAIL\n" + traceback.format_exc()
            failed.append(function.__name__)
        print("%-75s %5.1f s  %s" % (function.__name__, time.monotonic() - started, verdict),
              flush=True)
    for name in failed:
        print("failed: " + name)
    print("%d passed, %d failed" % (passed, len(failed) + (0 if chosen else 1)))
    return 1 if failed or not chosen else 0
