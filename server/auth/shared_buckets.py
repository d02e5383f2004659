"""Buckets of the rate limits in memory that the processes of one server share.

A table of fixed size, made before the processes are forked. An address is known by a keyed hash, so that nobody can
choose addresses that meet in one group; where a group is full, the bucket that was used longest ago goes. The lock is
the system's and ends with the process that holds it.
"""

import fcntl
import hashlib
import mmap
import secrets
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from server.auth.rate_limit import REMEMBERED, Bucket

_SLOT = struct.Struct("<Qdd")
WAYS = 8
GROUPS = 2 * REMEMBERED // WAYS


class SharedBuckets:
    """The buckets of several processes that were forked from one."""

    def __init__(self) -> None:
        """Remember none."""
        self._key = secrets.token_bytes(16)
        # Locked by processes, not by the open file that they share.
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the process
        self._memory = mmap.mmap(-1, GROUPS * WAYS * _SLOT.size)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from buckets while one is looked at and changed."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def get(self, address: str) -> Bucket | None:
        """Return an address's bucket, None where none is remembered."""
        name, slots = self._slots(address)
        return next((bucket for _, known, bucket in slots if known == name), None)

    def put(self, address: str, bucket: Bucket) -> None:
        """Remember an address's bucket, in place of its own or of the one of its group that was used longest ago."""
        name, slots = self._slots(address)
        place, _, _ = min(slots, key=lambda slot: (slot[1] != name, slot[2].at_s))
        _SLOT.pack_into(self._memory, place, name, bucket.left, bucket.at_s)

    def _slots(self, address: str) -> tuple[int, list[tuple[int, int, Bucket]]]:
        digest = hashlib.blake2b(address.encode("utf-8", "replace"), digest_size=8, key=self._key).digest()
        # Nobody's name is 0, as in a slot that was never used.
        name = int.from_bytes(digest, "little") | 1
        first = (name >> 1) % GROUPS * WAYS * _SLOT.size
        places = range(first, first + WAYS * _SLOT.size, _SLOT.size)
        read = [(place, *_SLOT.unpack_from(self._memory, place)) for place in places]
        return name, [(place, known, Bucket(left, at_s)) for place, known, left, at_s in read]
