"""Access tokens (JWT, ES256, by `kid`) and the seals of requests (detached JWS): made and checked with PyJWT.

An access token says who a request comes from, never what they may do: rights are read at each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.api_jws import PyJWS

from server.auth.jwk import BadKey, load_public
from server.auth.keys import KeyRing
from server.auth.refresh import SignIn
from server.platform.clock import Clock

#: Tokens for other parts (a CouchDB beside the server) are signed by the same keys: the audience keeps them apart.
AUDIENCE = "nuong"
ALGORITHM = "ES256"
_JWS = PyJWS(algorithms=[ALGORITHM])


class BadToken(Exception):
    """The token was not made here, was tampered with, or is no access token."""


class ExpiredToken(BadToken):
    """The token was ours and has run out."""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """The tokens that a sign-in or a renewal gives."""

    access_token: str
    expires_in: int
    refresh_token: str


class AccessTokens:
    """Issues and checks access tokens with one server's keys."""

    def __init__(self, keys: KeyRing, clock: Clock, lifetime: timedelta) -> None:
        """Use the keys in `keys`."""
        self._keys = keys
        self._clock = clock
        self.lifetime = lifetime

    async def issue(self, sign_in: SignIn) -> str:
        """Return a signed token that says `sign_in` for the lifetime."""
        key = await self._keys.signing()
        now = self._clock()
        claims = {
            "aud": AUDIENCE,
            "sub": sign_in.person,
            "enr": sign_in.enrolment,
            "fam": sign_in.family,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    async def check(self, token: str, *, even_expired: bool = False) -> SignIn:
        """Return what `token` says; raises `ExpiredToken` (unless `even_expired`) or `BadToken`."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.public(kid) if isinstance(kid, str) else None
            if key is None:
                raise BadToken("unknown key")
            # The expiry is checked below, against this server's clock instead of the library's.
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "aud"]}
            claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError):
            raise BadToken("not one of ours") from None
        if not even_expired and self._clock() >= expires_at:
            raise ExpiredToken("run out")
        return SignIn(claims["sub"], claims.get("enr"), claims.get("fam", ""))


def verify_seal(jwk: Mapping[str, str], jws: str, payload: bytes) -> bool:
    """Whether `jws` is a detached ES256 signature (RFC 7797) of exactly `payload` by the key `jwk`."""
    try:
        key = load_public(jwk["x"], jwk["y"])
        _JWS.decode(jws, key, algorithms=[ALGORITHM], detached_payload=payload)
    except (jwt.InvalidTokenError, BadKey, KeyError, ValueError):
        return False
    return True
