from __future__ import annotations

import pytest

from imagelock.cli.reports.mirror import progress_text


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 500_000_000, 0.0, "Mirroring 0 B of 500.0 MB"),
        (100_000_000, 500_000_000, 2.0, "Mirroring 100.0 MB of 500.0 MB, 8s left"),
        (1_000_000, 500_000_000, 1.0, "Mirroring 1.0 MB of 500.0 MB, 8m 19s left"),
        (500_000_000, 500_000_000, 10.0, "Mirroring 500.0 MB of 500.0 MB"),
        (0, 0, 0.0, "Mirroring 0 B of 0 B"),
    ],
)
def test_progress_has_bytes_and_the_time_left(done: int, total: int, seconds: float, text: str) -> None:
    assert progress_text(done, total, seconds=seconds) == text
