from __future__ import annotations

from typing import get_args

from imagelock.cli.reports.rules import RULES, rule_of
from imagelock.locking.freshness import Mismatch


def test_every_mismatch_breaks_a_rule_that_is_described() -> None:
    for kind in get_args(Mismatch):
        assert rule_of(kind.__new__(kind)) in RULES
