"""What YAML makes of text without quotes, in the versions 1.1 and 1.2: https://yaml.org/type/.

The tools disagree about the rare forms (``yes``, ``0o10``, ``1_000``), so what any of them takes for a number counts.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from math import isfinite

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = frozenset(
    spelled for word in ("true", "false", "yes", "no", "on", "off") for spelled in (word, word.title(), word.upper())
)
_INTEGER = re.compile(r"[-+]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+[ \t]*(?:Z|[-+][0-9:]+)?)?")
_OCTAL = re.compile(r"0[0-7]+")
_MAX_DIGITS = 40
_MIN_EXPONENT, _MAX_EXPONENT = -4, 5  # beyond these, Go prints 1e+06


class YamlType(Enum):
    """The types that matter here."""

    TEXT = auto()
    NULL = auto()
    BOOLEAN = auto()
    NUMBER = auto()
    DATE = auto()


def type_of_plain(text: str) -> YamlType:
    """Return the type of a scalar without quotes and tag."""
    if text in _NULLS:
        return YamlType.NULL
    if text in _BOOLEANS:
        return YamlType.BOOLEAN
    if text[0] not in "+-.0123456789":
        return YamlType.TEXT
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return YamlType.NUMBER
    return YamlType.DATE if _DATE.fullmatch(text) else YamlType.TEXT


def write_text(text: str, *, was_text: bool) -> str:
    """Return a text as the value that replaces one without quotes: in quotes if its type would change.

    Programs such as kustomize refuse a number where they want text; a number stays one if it is printed as it is.
    """
    now = type_of_plain(text)
    is_same = now is YamlType.TEXT if was_text else now is YamlType.NUMBER and printed_number(text) == text
    return text if is_same else f'"{text}"'


def printed_number(text: str) -> str:
    """Return a number as Helm, and any other program in Go, prints it after reading it: ``1.10`` is ``1.1``."""
    plain = text.replace("_", "")
    if len(plain) > _MAX_DIGITS:
        return "another number"
    number: float | None = _integer(plain) if _INTEGER.fullmatch(text) else None
    return _as_go_prints(
        float(plain.lower().replace(".inf", "inf").replace(".nan", "nan") if number is None else number)
    )


def _integer(plain: str) -> int | None:
    digits = plain.lstrip("+-")
    if _OCTAL.fullmatch(digits):
        plain = plain.replace("0", "0o", 1)
    try:
        return int(plain, 0)
    except ValueError:  # 08 is read as a float
        return None


def _as_go_prints(number: float) -> str:
    if not isfinite(number):
        return str(number)
    mantissa, _, exponent = f"{number:e}".partition("e")
    shortest = repr(number)
    if _MIN_EXPONENT <= int(exponent) <= _MAX_EXPONENT or number == 0:
        return shortest.removesuffix(".0")
    digits = shortest.partition("e")[0].replace(".", "").strip("0").lstrip("-")
    mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
    sign = "-" if number < 0 else ""
    return f"{sign}{mantissa}e{int(exponent):+03d}"
