"""Signals at random system calls; `benchmarks/robustness/interrupted.py` sends more of them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.real_software import require_programs
from tests.support.robustness.interruption import Interruptions

_ROUNDS = 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_files_are_old_or_new_and_what_is_said_is_true(tmp_path: Path, number: signal.Signals) -> None:
    require_programs("strace")
    rounds = list(Interruptions(tmp_path, seed=3).run(number, _ROUNDS))
    assert len(rounds) == _ROUNDS
    assert {what: problems for what, problems in rounds if problems} == {}
