"""Do the unit tests pass on every Python here, with the lowest and with the newest dependencies that we admit?

    python scripts/check_dependency_versions.py [PYTEST_ARGUMENT...]

The lowest version of each runtime dependency in pyproject.toml is tried on the oldest and on the newest Python of this
machine, the newest version on each Python; environments are made in a temporary folder. This Python with the newest
versions is left out: the test command runs everything there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_TESTS = ("tests/unit", "tests/property", "tests/cli")
_LOWEST, _NEWEST = "lowest-direct", "highest"
_MINORS = range(11, 16)


@dataclass(frozen=True, slots=True)
class Combination:
    """A Python, as ``3.12`` and its executable, and which versions of the dependencies it gets."""

    version: str
    executable: str
    resolution: str

    def __str__(self) -> str:
        return f"Python {self.version} with the {self.resolution.partition('-')[0]} dependencies"


def main(pytest_arguments: Sequence[str]) -> int:
    """Run the tests with each combination, and return how many of them failed."""
    failed = [str(each) for each in _combinations() if not _passes(each, pytest_arguments)]
    for each in failed:
        print(f"failed: {each}")
    return len(failed)


def _combinations() -> list[Combination]:
    pythons = dict(find_pythons())
    oldest_and_newest = {min(pythons, key=_minor), max(pythons, key=_minor)}
    lowest = [Combination(version, pythons[version], _LOWEST) for version in sorted(oldest_and_newest, key=_minor)]
    here = f"3.{sys.version_info.minor}"
    return lowest + [Combination(version, path, _NEWEST) for version, path in pythons.items() if version != here]


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def find_pythons() -> Iterator[tuple[str, str]]:
    """Find each Python from 3.11 up that runs here, as `3.12` and its executable."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in _MINORS:
        name = f"python3.{minor}"
        candidates = [shutil.which(name), *sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/python")))]
        if minor == sys.version_info.minor:
            candidates.insert(0, sys.executable)
        found = next((path for path in candidates if path and _is_python(path, minor)), None)
        if found:
            yield f"3.{minor}", found


def _is_python(path: str, minor: int) -> bool:
    """Tell a Python that runs from a name on PATH that only leads to an error."""
    question = [path, "-c", f"import ssl, sys; sys.exit(sys.version_info[:2] != (3, {minor}))"]
    return subprocess.run(question, capture_output=True, check=False).returncode == 0


def _passes(combination: Combination, pytest_arguments: Sequence[str]) -> bool:
    print(f"$ {combination}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        python = _make_environment(Path(folder), combination)
        # The folder is not written to, since the tests of the other combinations may read it at the same time.
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{python.parent}:{os.environ['PATH']}"}
        tests = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *(pytest_arguments or ("-n2", *_TESTS))]
        return subprocess.run(tests, env=environment, cwd=_PROJECT, check=False).returncode == 0


def _make_environment(folder: Path, combination: Combination) -> Path:
    python, versions = folder / "bin" / "python", folder / "versions.txt"
    compile_versions = ["pip", "compile", "--quiet", "--no-annotate", "--resolution", combination.resolution]
    _uv(*compile_versions, "--python", combination.executable, "--output-file", str(versions), "pyproject.toml")
    _uv("venv", "--quiet", "--allow-existing", "--python", combination.executable, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(python), "--constraints", str(versions), "--group", "test", "-e.")
    print(" ".join(line for line in versions.read_text().splitlines() if line[:1].isalpha()), flush=True)
    return python


def _uv(*arguments: str) -> None:
    # Trust what the system trusts, as pip does; the second name is that of older versions.
    environment = os.environ | {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True, cwd=_PROJECT, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
