"""Passwords as Argon2id hashes (19 MiB, two passes: OWASP's first choice), worked out off the event loop.

At most two are worked out at once: each takes 19 MiB, and a flood of sign-ins must not take the server's memory.
Input methods write Vietnamese letters composed or decomposed, so that passwords are compared in NFC.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST_BYTES = 1024
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

#: The hash of bytes that were thrown away: verifying against it costs an unknown name as much time as a known one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$YBErj0UUEeowcvRUgfik8A$Kub7Pru9E1zs0HFrQ5rOy6OR9eYPySob12zKC9XlEP8"


#: What a hub keeps of somebody whose password it is not told: no hash, so that none is right.
UNTOLD = ""


class Passwords:
    """The hashing of one server."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        """Belong to the event loop that first waits; another `hasher` than the real one is for tests, to be quick."""
        self._hasher = hasher
        self._turns = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        """Return the encoded hash of `password` under a fresh salt."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _composed(password))

    async def is_right(self, password: str, encoded: str) -> bool:
        """Whether `password` made `encoded`."""
        async with self._turns:
            return await asyncio.to_thread(_verify, encoded, _composed(password))


def is_acceptable(password: str) -> bool:
    """Whether `password` is long enough to be set; no rules about its characters, which only make it guessable."""
    return len(password) >= SHORTEST and len(password.encode()) <= LONGEST_BYTES and len(set(password)) > 3


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _verify(encoded: str, password: str) -> bool:
    try:
        return HASHER.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False
