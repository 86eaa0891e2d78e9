"""Run a command and print what it took, itself and its children, as JSON: seconds of time and of CPU, megabytes.

    python benchmarks/network/usage_of.py COMMAND [ARGUMENT…]

A process of its own for each measurement: the memory of the process that starts a program counts as the program's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> int:
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    duration = {
        "wall_seconds": wall_seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_megabytes": usage.ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(duration))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
