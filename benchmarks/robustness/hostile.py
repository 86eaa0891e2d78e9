"""Does a hostile checkout make any command run a program, or write outside of the work tree and the cache?

    python benchmarks/robustness/hostile.py [ATTACK...]

Every command runs in every hostile checkout of `tests/support/hostile_repositories.py`, in a Python that ends at the
first program but git and at the first write outside. Prints what was wrong, and ends with 1 if anything was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.hostile_repositories import HOSTILE
from tests.support.robustness.hostile import Sweep


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"one of: {', '.join(HOSTILE)}")
    attacks = parser.parse_args().attacks or list(HOSTILE)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        sweep = Sweep(Path(folder))
        for attack in attacks:
            problems = list(sweep.run(attack))
            wrong += len(problems)
            print(f"{attack}: {len(problems)} wrong", *problems, sep="\n  ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
