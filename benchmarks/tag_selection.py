"""How long does a range take to choose among 10,000 tags, as a multiple of reading them with `packaging` alone?

    python benchmarks/tag_selection.py [--rounds 5]

Prints the median of some rounds, for a range over plain versions, over a variant, over dates, and for the error that
explains why no tag fits.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import suppress

from packaging.version import Version

from imagelock.errors import NoTagError
from imagelock.model.reference import parse_repository
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.version_range import parse_version_range

_COUNT = 10_000
_PLAIN = [f"{number // 400}.{number // 20 % 20}.{number % 20}" for number in range(_COUNT)]
_CASES = {
    "plain versions": ({"version": ">=20,<21"}, _PLAIN),
    "a variant": ({"version": ">=20,<21", "variant": "slim"}, [f"{tag}-slim" for tag in _PLAIN]),
    "dates": (
        {"version": ">=2020", "tag": "R.{date}"},
        [f"R.{2000 + number // 336}{1 + number // 28 % 12:02}{1 + number % 28:02}" for number in range(_COUNT)],
    ),
    "no tag fits": ({"version": "*", "variant": "slim"}, _PLAIN),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    baseline = _median_seconds(rounds, lambda: max(map(Version, _PLAIN)))
    print(f"{'max(Version(tag))':<20} {baseline:.3f} s")
    for label, (keys, tags) in _CASES.items():
        seconds = _median_seconds(rounds, lambda keys=keys, tags=tags: _choose(keys, tags))  # type: ignore[misc]  # bound now
        print(f"{label:<20} {seconds:.3f} s  {seconds / baseline:.1f}x")


def _choose(keys: dict[str, str], tags: list[str]) -> None:
    wanted = parse_version_range(**keys)  # type: ignore[arg-type]  # texts only
    assert wanted is not None
    with suppress(NoTagError):
        choose_tag(wanted, tags, repository=parse_repository("example"))


def _median_seconds(rounds: int, run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
