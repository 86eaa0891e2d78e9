"""The pages of the reference that are made from the program are what it says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).parents[2] / "scripts/generate_docs.py"


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(_SCRIPT), "--check"], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
