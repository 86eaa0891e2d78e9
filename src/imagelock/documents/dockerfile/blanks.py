"""What Go calls a blank, which is neither what Python nor what ASCII calls one."""

from __future__ import annotations

ASCII_BLANKS = b"\t\n\v\f\r "
BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_FIRST_NON_ASCII = 0x80


def without_leading_blanks(line: bytes) -> bytes:
    """Take blanks off the front of a line."""
    line = line.lstrip(ASCII_BLANKS)
    if not line or line[0] < _FIRST_NON_ASCII:
        return line
    return line.decode("utf-8", "surrogateescape").lstrip(BLANKS).encode("utf-8", "surrogateescape")


def without_trailing_blanks(line: bytes) -> bytes:
    """Take blanks off the end of a line."""
    line = line.rstrip(ASCII_BLANKS)
    if not line or line[-1] < _FIRST_NON_ASCII:
        return line
    return line.decode("utf-8", "surrogateescape").rstrip(BLANKS).encode("utf-8", "surrogateescape")
