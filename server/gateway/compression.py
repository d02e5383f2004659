"""Answers compressed by ourselves, because a phone's budget counts compressed bytes.

`Meter` runs documents through the same compressor that the answer will use and flushes after every few, which costs
a little more than the answer will: it errs on the phone's side.
"""

import zlib
from typing import Protocol

import brotli

from server.platform.content_coding import Coding

_SMALL_BYTES = 64_000


class _Compressor(Protocol):
    def process(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._deflater = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)

    def process(self, data: bytes, /) -> bytes:
        return self._deflater.compress(data)

    def flush(self) -> bytes:
        return self._deflater.flush(zlib.Z_SYNC_FLUSH)


def compress(body: bytes, coding: Coding) -> bytes:
    """Return `body` in `coding`; short bodies get more effort, since bytes cost a phone more than us."""
    if coding == "br":
        # Qualities 8 and 9 save less than a hundredth of the bytes, and take ten times as long.
        packed: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=7 if len(body) <= _SMALL_BYTES else 6)
        return packed
    if coding == "gzip":
        return zlib.compress(body, 9 if len(body) <= _SMALL_BYTES else 6, 16 + zlib.MAX_WBITS)
    return body


class Meter:
    """Counts documents against `max_bytes` of compressed answer, of which `reserved` are spoken for."""

    _GROUP = 16

    def __init__(self, max_bytes: int, coding: Coding, reserved: int = 400) -> None:
        """Start with an empty answer."""
        self._budget = max(1, max_bytes - reserved)
        self._coding = coding
        self._plain_bytes = 0
        self._plain: list[bytes] = []
        self._compressor: _Compressor | None = None
        self._compressed_bytes = 0
        self._unflushed = 0
        self._unflushed_bytes = 0
        self._documents = 0

    @property
    def left_bytes(self) -> int:
        """Return a bound on what is left, in bytes on the wire."""
        return max(1, self._budget - self._compressed_bytes)

    def admit(self, document: bytes) -> bool:
        """Count `document` and tell whether it still fits; the first one always does."""
        if self._documents and not self._fits(document):
            return False
        if not self._documents:
            self._fits(document)
        self._documents += 1
        return True

    def _fits(self, document: bytes) -> bool:
        self._plain_bytes += len(document) + 1
        if self._compressor is None:
            self._plain.append(document)
            # While even the plain bytes fit, compressing would only cost time.
            if self._plain_bytes <= self._budget:
                return True
            if self._coding == "identity":
                return False
            self._compressor = brotli.Compressor(mode=brotli.MODE_TEXT, quality=5) if self._coding == "br" else _Gzip()
            plain, self._plain = b",".join(self._plain), []
            self._compressed_bytes += len(self._compressor.process(plain)) + len(self._compressor.flush())
            return self._compressed_bytes <= self._budget
        self._compressed_bytes += len(self._compressor.process(document + b","))
        self._unflushed += 1
        self._unflushed_bytes += len(document)
        # Near the end every document is measured by itself, before that a group at a time.
        if self._unflushed >= self._GROUP or self._compressed_bytes + self._unflushed_bytes > self._budget:
            self._compressed_bytes += len(self._compressor.flush())
            self._unflushed = self._unflushed_bytes = 0
        return self._compressed_bytes <= self._budget
