"""Image layers whose bytes depend on their files alone.

Compressed bytes differ between zlib, zlib-ng and their versions; a gzip file of stored blocks does not.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping

_GZIP_HEADER = bytes.fromhex("1f8b 08 00 00000000 00 ff")
"""Deflate, no flags, no time, no level, unknown system: RFC 1952, section 2.3."""
_BLOCK_BYTES = 0xFFFF


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of executable files, and their folders; everything belongs to root and to 1970."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for folder in sorted({parent for path in files for parent in _parents(path)}):
            archive.addfile(_member(folder, kind=tarfile.DIRTYPE))
        for path, content in sorted(files.items()):
            archive.addfile(_member(path, size_bytes=len(content)), io.BytesIO(content))
        end = archive.offset
    # tarfile fills up to 10 KiB, which is more than all the rest; two empty blocks end an archive.
    return stream.getvalue()[:end] + bytes(2 * tarfile.BLOCKSIZE)


def gzip_stored(content: bytes) -> bytes:
    """A gzip file that isn't compressed; ``content`` is smaller than 4 GiB."""
    starts = range(0, max(len(content), 1), _BLOCK_BYTES)
    blocks = b"".join(_stored_block(content, start) for start in starts)
    return _GZIP_HEADER + blocks + struct.pack("<II", zlib.crc32(content), len(content))


def _stored_block(content: bytes, start: int) -> bytes:
    end = start + _BLOCK_BYTES
    block = content[start:end]
    return struct.pack("<BHH", end >= len(content), len(block), len(block) ^ _BLOCK_BYTES) + block


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _member(path: str, *, kind: bytes = tarfile.REGTYPE, size_bytes: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type = kind
    member.size = size_bytes
    member.mode = 0o755
    return member
