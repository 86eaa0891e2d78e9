from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_SIGNALLED_IN_A_CALLBACK = """
import signal, sys, time, weakref
from imagelock.project.interrupts import Interrupted, listen

signal.signal(signal.SIGINT, signal.default_int_handler)
listen()

class Value:
    pass

def callback(reference):
    signal.raise_signal(int(sys.argv[1]))

value = Value()
reference = weakref.ref(value, callback)
try:
    del value
    print("the callback lost it", flush=True)
    while True:
        time.sleep(60)
except Interrupted as interrupt:
    print(interrupt.number)
"""

_FAILS_IN_A_CALLBACK = """
from imagelock.project.interrupts import listen

class Value:
    def __del__(self):
        raise ValueError("of a finalizer")

listen()
Value()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_weakref_callback_still_ends_the_run(number: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _SIGNALLED_IN_A_CALLBACK, str(number)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout == f"the callback lost it\n{int(number)}\n"
    assert run.stderr == ""


def test_other_exceptions_of_finalizers_are_printed_as_ever() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _FAILS_IN_A_CALLBACK], capture_output=True, text=True, check=True, timeout=60
    )
    assert "ValueError: of a finalizer" in run.stderr
