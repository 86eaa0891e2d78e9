from __future__ import annotations

import pytest

from imagelock.documents.syntax.yaml_types import YamlType, printed_number, type_of_plain


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *((text, YamlType.NULL) for text in ("", "~", "null", "NULL")),
        *((text, YamlType.BOOLEAN) for text in "true False yes NO on Off".split()),
        *((text, YamlType.NUMBER) for text in "5 -1 1.10 1e3 010 0x1F 0o17 2024_01 .5 .inf 1.".split()),
        *((text, YamlType.DATE) for text in "2024-01-31 2024-1-3 2024-01-31T10:00:00Z".split()),
        *((text, YamlType.TEXT) for text in "v1 1.2.3 redis:7 1.22-alpine nullable 0x 1e 20.04.1 -".split()),
    ],
)
def test_types(text: str, found: YamlType) -> None:
    assert type_of_plain(text) is found


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("7", "7"),
        ("1.25", "1.25"),
        ("1.10", "1.1"),
        ("1.0", "1"),
        ("010", "8"),
        ("08", "8"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("0o17", "15"),
        ("1e3", "1000"),
        ("2024_01", "202401"),
        ("20240101", "2.0240101e+07"),
        ("1000000", "1e+06"),
        ("999999", "999999"),
        ("-1.50", "-1.5"),
        ("0.00001", "1e-05"),
        ("0", "0"),
        (".inf", "inf"),
        (".NaN", "nan"),
        ("1" * 41, "another number"),
    ],
)
def test_numbers_are_printed_as_go_does(text: str, printed: str) -> None:
    assert printed_number(text) == printed
