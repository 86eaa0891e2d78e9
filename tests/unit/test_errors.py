from __future__ import annotations

import inspect

import pytest

from imagelock import errors
from imagelock.errors import (
    BatchError,
    CheckFailedError,
    ExitCode,
    ImagelockError,
    InvalidSelectorError,
    NoTagError,
    ProjectBusyError,
    ProjectChangedError,
    TemporaryError,
    did_you_mean,
)

_OTHERS = (InvalidSelectorError, NoTagError, BatchError)
"""Their constructors want more."""
_CODES: dict[type[ImagelockError], ExitCode] = {
    CheckFailedError: ExitCode.NO,
    ProjectBusyError: ExitCode.TRY_AGAIN,
    ProjectChangedError: ExitCode.TRY_AGAIN,
    TemporaryError: ExitCode.TRY_AGAIN,
}
_KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ImagelockError) and kind not in _OTHERS
]


@pytest.mark.parametrize("kind", _KINDS)
def test_every_error_has_its_three_parts_and_an_exit_code(kind: type[ImagelockError]) -> None:
    error = kind("what", details=["where", "why"], hint="do")
    assert (str(error), error.message, error.details, error.hint) == ("what", "what", ("where", "why"), "do")
    assert error.exit_code is _CODES.get(kind, ExitCode.CANNOT)


@pytest.mark.parametrize(
    ("word", "guess"),
    [("platfroms", "; did you mean `platforms`?"), ("xyz", ""), ("", ""), ("tag", "; did you mean `tag`?")],
)
def test_a_guess_is_made_only_where_a_word_is_near(word: str, guess: str) -> None:
    assert did_you_mean(word, iter(["platforms", "tag"])) == guess
