"""Where ``imagelock`` and ``python -m imagelock`` begin."""

from __future__ import annotations

import sys

from imagelock import __version__


def main() -> None:
    """Answer ``--version`` at once, which scripts ask often, and leave everything else to the command line."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"imagelock {__version__}\n")
        return
    from imagelock.cli.main import run  # noqa: PLC0415  click takes longer to import than Python to start

    sys.exit(run())


if __name__ == "__main__":
    main()
