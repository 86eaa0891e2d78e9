"""Build the wheel and the sdist twice, from two copies of the committed files, and compare them byte for byte.

    python scripts/build_release.py [--expect-version VERSION] FOLDER

Dates inside are that of the last commit. `twine check --strict` and `check-wheel-contents` must pass as well.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_PROJECT = Path(__file__).parents[1]


def main() -> int:
    """Return 0 and leave the files in the folder, or 1 if they differ or do not pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expect-version")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        builds = [_build(Path(scratch) / name) for name in ("first", "second")]
        digests = [{file.name: _digest(file) for file in build} for build in builds]
        if digests[0] != digests[1]:
            print(f"error: two builds differ: {digests[0]} and {digests[1]}", file=sys.stderr)
            return 1
        wrong = [name for name in digests[0] if f"-{arguments.expect_version}" not in name]
        if arguments.expect_version and wrong:
            print(f"error: not version {arguments.expect_version}: {', '.join(wrong)}", file=sys.stderr)
            return 1
        arguments.folder.mkdir(parents=True, exist_ok=True)
        files = [shutil.copy(file, arguments.folder) for file in builds[0]]
    for name, digest in sorted(digests[0].items()):
        print(f"{digest}  {name}")
    return max(
        _run("-m", "twine", "check", "--strict", *map(str, files)),
        _run("-m", "check_wheel_contents", *(str(file) for file in files if str(file).endswith(".whl"))),
    )


def _build(folder: Path) -> list[Path]:
    """Build in a copy of the last commit, whose files have the time of now."""
    archive = folder / "commit.tar"
    folder.mkdir()
    _git("archive", "--output", str(archive), "HEAD")
    source = folder / "source"
    source.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", source], check=True)
    environment = os.environ | {"SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct").strip()}
    output = folder / "dist"
    command = [sys.executable, "-m", "build", "--outdir", str(output), str(source)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return sorted(output.iterdir())


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, *arguments], check=False).returncode


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, check=True, cwd=_PROJECT, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
