"""Do two commands that write, started at once on one project, leave what one after the other leaves?

    python benchmarks/robustness/pairs.py [--rounds 200] [--seed 1]

Every two commands that write are paired, in two projects; each result is compared with those of both orders. Prints
each pair that was wrong, and ends with 1 if there was any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.robustness.pairs import Pairs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for what, problems in Pairs(Path(folder), seed=options.seed).run(options.rounds):
            wrong += bool(problems)
            for problem in problems:
                print(f"{what}: {problem}", flush=True)
    print(f"{options.rounds} pairs: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
