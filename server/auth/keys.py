"""The server's signing keys: made at the first start, rotated by command, published as a JWKS.

The newest key signs. Retired ones stay published while a refresh token from their time may still be shown beside an
expired access token. Private keys lie in the database sealed with AES-256-GCM under the server's secret.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.jwk import PublicJwk, jwk_of, load_public, thumbprint
from server.auth.secret import server_secret
from server.auth.tables import signing_keys
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings

FRESH = timedelta(seconds=30)
NONCE_BYTES = 12


def key_ring(settings: Settings, storage: Storage, clock: Clock) -> "KeyRing":
    """Return the keys of the server with these settings."""
    return KeyRing(storage, server_secret(settings), clock, timedelta(seconds=settings.refresh_token_s))


class WrongSecret(Exception):
    """The keys in the database were sealed under another secret than the one this server was given."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs now."""

    kid: str
    private: ec.EllipticCurvePrivateKey


class KeyRing:
    """The keys of one server, read again when half a minute old: another process may have rotated them."""

    def __init__(self, storage: Storage, secret: bytes, clock: Clock, keep: timedelta) -> None:
        """Read nothing yet; retired keys are published for `keep`."""
        self._storage = storage
        self._clock = clock
        self._keep = keep
        self._cipher = AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"nuong signing keys").derive(secret))
        self._signing: SigningKey | None = None
        self._public: dict[str, PublicJwk] = {}
        self._read_at: datetime | None = None

    async def signing(self) -> SigningKey:
        """Return the key to sign with; makes the first one."""
        await self._refresh()
        if self._signing is None:
            await self._make(only_first=True)
        assert self._signing is not None
        return self._signing

    async def public(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """Return the published key `kid`, or None."""
        await self._refresh()
        jwk = self._public.get(kid)
        return load_public(jwk["x"], jwk["y"]) if jwk else None

    async def jwks(self) -> list[Mapping[str, str]]:
        """Return the published keys (RFC 7517)."""
        await self.signing()
        return [{**jwk, "kid": kid, "alg": "ES256", "use": "sig"} for kid, jwk in self._public.items()]

    async def rotate(self) -> str:
        """Make a new key, retire the others, and return the new one's id."""
        await self._make(only_first=False)
        return (await self.signing()).kid

    async def _make(self, *, only_first: bool) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        jwk = jwk_of(private.public_key())
        kid = thumbprint(jwk)
        plain = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, kid.encode())
        now = self._clock()
        async with self._storage.write() as connection:
            active = (await connection.execute(_active_keys())).first()
            if active is None or not only_first:
                retire = signing_keys.update().where(signing_keys.c.retired_at.is_(None))
                await connection.execute(retire.values(retired_at=now))
                row = {"kid": kid, "jwk": jwk, "sealed": sealed, "created_at": now}
                await connection.execute(signing_keys.insert().values(**row))
        self._read_at = None
        await self._refresh()

    async def _refresh(self) -> None:
        now = self._clock()
        if self._read_at is not None and now - self._read_at < FRESH and self._signing is not None:
            return
        async with self._storage.read() as connection:
            self._public = await _published(connection, now - self._keep)
            active = (await connection.execute(_active_keys())).first()
        if active is not None and (self._signing is None or self._signing.kid != active.kid):
            self._signing = SigningKey(active.kid, self._open(active.kid, active.sealed))
        self._read_at = now

    def _open(self, kid: str, sealed: bytes) -> ec.EllipticCurvePrivateKey:
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], kid.encode())
        except InvalidTag:
            raise WrongSecret(
                "NUONG_SECRET: the signing keys in the database were sealed under another secret; "
                "start with that one, or make new keys with `nuong keys rotate` (everybody signs in again)"
            ) from None
        key = serialization.load_der_private_key(plain, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def _active_keys() -> Select[Any]:
    return select(signing_keys).where(signing_keys.c.retired_at.is_(None)).order_by(signing_keys.c.created_at.desc())


async def _published(connection: AsyncConnection, since: datetime) -> dict[str, PublicJwk]:
    still = (signing_keys.c.retired_at.is_(None)) | (signing_keys.c.retired_at > since)
    query = select(signing_keys.c.kid, signing_keys.c.jwk).where(still).order_by(signing_keys.c.created_at.desc())
    return {row.kid: dict(row.jwk) for row in await connection.execute(query)}
