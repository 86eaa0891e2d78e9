from __future__ import annotations

import pytest

from imagelock.model.labels import Labels

_PREFIX = "org.opencontainers.image."


def _labels(**texts: str) -> Labels:
    return Labels.of((f"{_PREFIX}{name}", text) for name, text in texts.items())


def test_four_labels_are_taken_and_no_others() -> None:
    labels = Labels.of(
        {
            "org.opencontainers.image.created": "2026-05-01T12:00:00Z",
            "org.opencontainers.image.version": "20.19.4",
            "org.opencontainers.image.title": "node",
            "org.opencontainers.image.source": "https://example.com/node",
            "org.opencontainers.image.revision": "1a2b3c",
            "version": "1",
        }.items()
    )

    assert labels == Labels(
        version="20.19.4", revision="1a2b3c", source="https://example.com/node", created="2026-05-01T12:00:00Z"
    )
    assert [name for name, _ in labels.items] == ["version", "revision", "source", "created"]


@pytest.mark.parametrize("text", ["", "1\n[images.evil]", "1\x1b[2J", "1\u202e", "x" * 257])
def test_a_label_that_would_harm_a_lockfile_or_a_terminal_is_missing(text: str) -> None:
    assert _labels(version=text, revision="1a2b3c") == Labels(revision="1a2b3c")


def test_what_is_missing_is_filled_from_another_source_and_nothing_else() -> None:
    assert _labels(version="1").filled_from(_labels(version="2", revision="1a2b3c")) == _labels(
        version="1", revision="1a2b3c"
    )


def test_no_label_is_false() -> None:
    assert [bool(Labels()), bool(_labels(revision="1a2b3c"))] == [False, True]
