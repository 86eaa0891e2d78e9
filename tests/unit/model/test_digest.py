from __future__ import annotations

import hashlib

import pytest

from imagelock.errors import InvalidDigestError
from imagelock.model.digest import Digest


@pytest.mark.parametrize("text", [f"sha256:{'0a' * 32}", f"sha512:{'0a' * 64}"])
def test_a_registered_digest_is_read_and_written_as_it_was(text: str) -> None:
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` is not a digest: it must be `sha256:` and 64 hexadecimal digits"),
        ("0a" * 32, f"`{'0a' * 32}` is not a digest: it must be `sha256:` and 64 hexadecimal digits"),
        ("sha256:a b", "`sha256:a b` is not a digest: it must be `sha256:` and 64 hexadecimal digits"),
        ("sha384:ff", "unsupported digest algorithm `sha384`: it must be sha256 or sha512"),
        ("SHA256:ff", "unsupported digest algorithm `SHA256`: it must be sha256 or sha512"),
        ("sha256:", "a sha256 digest has 64 hexadecimal digits, `sha256:` has 0"),
        ("sha256:ffff", "a sha256 digest has 64 hexadecimal digits, `sha256:ffff` has 4"),
        ("sha512:ffff", "a sha512 digest has 128 hexadecimal digits, `sha512:ffff` has 4"),
        (
            f"sha256:{'0A' * 32}",
            f"the digits of a digest are 0-9 and lower-case a-f, not as in `sha256:{'0A' * 32}`",
        ),
        (
            f"sha256:{'0g' * 32}",
            f"the digits of a digest are 0-9 and lower-case a-f, not as in `sha256:{'0g' * 32}`",
        ),
    ],
)
def test_what_is_no_digest_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidDigestError) as caught:
        Digest.parse(text)
    assert caught.value.message == message


def test_a_line_end_is_no_part_of_a_digest() -> None:
    with pytest.raises(InvalidDigestError):
        Digest.parse(f"sha256:{'0a' * 32}\n")


def test_content_is_hashed_with_the_algorithm_that_was_asked_for() -> None:
    assert Digest.of(b"content") == Digest("sha256", hashlib.sha256(b"content").hexdigest())
    assert Digest.of(b"content", algorithm="sha512") == Digest("sha512", hashlib.sha512(b"content").hexdigest())


def test_a_screen_shows_twelve_digits() -> None:
    assert Digest.parse(f"sha256:{'0123456789abcdef' * 4}").short == "0123456789ab"
