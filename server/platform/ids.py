"""Identifiers that sort by the time at which they were made (RFC 9562, version 7)."""

import secrets
import uuid

from server.platform.clock import Clock


def uuid7(clock: Clock) -> str:
    """Return a UUIDv7: 48 bits of Unix milliseconds, then 74 random bits, in the usual hexadecimal form."""
    milliseconds = int(clock().timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
