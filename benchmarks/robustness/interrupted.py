"""Does a run that a signal hits at a system call that writes or renames leave half of its files, or say what is untrue?

    python benchmarks/robustness/interrupted.py [--signal INT KILL TERM] [--rounds 500] [--seed 1]

Needs strace. Every round takes a random command (lock, update, render, add, remove, unpin, export, init) and a random
one of its system calls, in a project of its own. Prints each round that was wrong, and ends with 1 if there was any.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.support.robustness.interruption import Interruptions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signal", nargs="+", choices=["INT", "KILL", "TERM", "HUP"], default=["INT", "KILL"])
    parser.add_argument("--rounds", type=int, default=500, help="of each signal")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        interruptions = Interruptions(Path(folder), seed=options.seed)
        for name in options.signal:
            for what, problems in interruptions.run(signal.Signals[f"SIG{name}"], options.rounds):
                wrong += bool(problems)
                for problem in problems:
                    print(f"{what}: {problem}", flush=True)
            print(f"{options.rounds} times SIG{name}: {wrong} wrong so far", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
