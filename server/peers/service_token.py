"""Tokens by which this server shows another who it is: ES256, one minute, as CouchDB's own JWT handler takes them.

CouchDB 3.x reads `sub` as the name and `_couchdb.roles` as the roles, and finds the key by `kid` under `[jwt_keys]`
(`ec:<kid>`). The audience keeps such a token from being an access token here. CouchDB looks at no audience, so that
whoever is shown such a token is our CouchDB's administrator for a minute: it is shown to that one alone.
"""

from datetime import timedelta

import jwt
from cryptography.hazmat.primitives import serialization

from server.auth.keys import KeyRing
from server.platform.clock import Clock

AUDIENCE = "couchdb"
LIFETIME = timedelta(minutes=1)
#: Making databases and their `_security` takes CouchDB's administrator.
ROLES = ("_admin", "nuong")


def may_be_shown_to(url: str, couchdb_url: str | None) -> bool:
    """Whether the peer at `url` is the CouchDB that the settings name."""
    return couchdb_url is not None and url.rstrip("/") == couchdb_url.rstrip("/")


async def service_token(keys: KeyRing, clock: Clock, name: str = "nuong") -> str:
    """Return a token that says `name` for one minute."""
    key = await keys.signing()
    now = clock()
    claims = {
        "aud": AUDIENCE,
        "sub": name,
        "_couchdb.roles": list(ROLES),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})


async def couchdb_key_lines(keys: KeyRing) -> list[str]:
    """Return the lines for CouchDB's `[jwt_keys]`: every key whose tokens may still be shown."""
    lines = []
    for jwk in await keys.jwks():
        public = await keys.public(jwk["kid"])
        assert public is not None
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        lines.append(f"ec:{jwk['kid']} = " + pem.decode().replace("\n", "\\n"))
    return lines
