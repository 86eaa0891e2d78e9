"""Two commands at once; `benchmarks/robustness/pairs.py` starts more of them."""

from __future__ import annotations

from pathlib import Path

from tests.support.robustness.pairs import Pairs

_ROUNDS = 16


def test_two_commands_at_once_leave_what_one_after_the_other_leaves(tmp_path: Path) -> None:
    rounds = list(Pairs(tmp_path, seed=3).run(_ROUNDS))
    assert len(rounds) == _ROUNDS
    assert {what: problems for what, problems in rounds if problems} == {}
