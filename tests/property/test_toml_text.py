from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from imagelock.images_file.toml import array, quote

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(_TEXTS)
def test_any_text_is_read_from_the_one_line_that_it_was_written_to(text: str) -> None:
    assert tomllib.loads(f"x = {quote(text)}") == {"x": text}
    assert quote(text).isprintable()


@given(st.lists(_TEXTS))
def test_so_is_an_array_of_texts(texts: list[str]) -> None:
    assert tomllib.loads(f"x = {array(texts)}") == {"x": texts}
