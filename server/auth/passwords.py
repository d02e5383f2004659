"""Passwords as Argon2id hashes (19 MiB, two passes: OWASP's first choice), worked out off the event loop.

At most two are worked out at once: each takes 19 MiB, and a flood of sign-ins must not take the server's memory.
Input methods write Vietnamese letters composed or decomposed, so that passwords are compared in NFC.
"""

import asyncio
import unicodedata
from collections.abc import Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.auth.weak_passwords import LONGEST_BYTES, SHORTEST, Weakness, weakness
from server.errors import Problem

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

#: The hash of bytes that were thrown away: verifying against it costs an unknown name as much time as a known one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$YBErj0UUEeowcvRUgfik8A$Kub7Pru9E1zs0HFrQ5rOy6OR9eYPySob12zKC9XlEP8"


WHY: Mapping[Weakness, str] = {
    "short": f"A password has at least {SHORTEST} characters, and more than three different ones",
    "long": f"A password has at most {LONGEST_BYTES} bytes",
    "common": "Many people choose this password or one like it: take a few words that do not belong together",
    "name": "A password is not one's own name, nor that of this program: take a few words that do not belong together",
}

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

    async def new_hash(self, password: str, *own: str) -> str:
        """Return the hash of a password that is to be set for who has the names `own`; raises `weak_password`."""
        reason = weakness(password, own)
        if reason is not None:
            raise Problem("weak_password", WHY[reason], reason=reason)
        return await self.hash(password)

    async def is_right(self, password: str, encoded: str) -> bool:
        """Whether `password` made `encoded`."""
        async with self._turns:
            return await asyncio.to_thread(_verify, encoded, _composed(password))


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _verify(encoded: str, password: str) -> bool:
    try:
        return HASHER.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False
