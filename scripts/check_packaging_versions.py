"""Do version ranges give the same answers on the oldest and the newest `packaging` that pyproject.toml admits?

    python scripts/check_packaging_versions.py

Installs each of them into a temporary folder that hides this environment's own, and runs the vectors and properties of
ranges with it. `packaging` 26 reads pre-releases otherwise than 25 did: this is how we know that nobody sees it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_TESTS = ["tests/unit/model/tags", "tests/property/test_tag_selection.py"]


def main() -> int:
    """Run the tests with both, and return how many of the two runs failed."""
    return sum(_fails_with(requirement) for requirement in (f"packaging=={_oldest()}", "packaging"))


def _oldest() -> str:
    dependencies = tomllib.loads((_PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    bounds = (re.fullmatch(r"packaging>=([0-9.]+)", dependency) for dependency in dependencies)
    return next(bound[1] for bound in bounds if bound)


def _fails_with(requirement: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, requirement]
        subprocess.run(pip, check=True)
        search_path = os.pathsep.join([folder, str(_PROJECT / "src")])
        environment = {**os.environ, "PYTHONPATH": search_path, "PYTHONDONTWRITEBYTECODE": "1"}
        version = "import packaging; print('packaging', packaging.__version__, packaging.__file__, flush=True)"
        subprocess.run([sys.executable, "-c", version], env=environment, check=True)
        tests = [sys.executable, "-m", "pytest", "-q", *_TESTS]
        return subprocess.run(tests, env=environment, cwd=_PROJECT, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
