"""Public P-256 keys as JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638), by which enrolments are named."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec

PublicJwk = dict[str, str]


class BadKey(ValueError):
    """The value is no public P-256 key."""


def public_jwk(given: Mapping[str, object]) -> PublicJwk:
    """Return the four members that make a public P-256 key; raises `BadKey`, also for a point off the curve."""
    x, y = given.get("x"), given.get("y")
    if given.get("kty") != "EC" or given.get("crv") != "P-256" or not isinstance(x, str) or not isinstance(y, str):
        raise BadKey("not a P-256 key")
    if "d" in given:
        raise BadKey("a private key was sent")
    load_public(x, y)
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def jwk_of(key: ec.EllipticCurvePublicKey) -> PublicJwk:
    """Return `key` as a JWK."""
    numbers = key.public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": _encode(numbers.x.to_bytes(32)), "y": _encode(numbers.y.to_bytes(32))}


def thumbprint(jwk: PublicJwk) -> str:
    """Return the RFC 7638 thumbprint, base64url without padding (43 characters)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return _encode(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


@lru_cache(maxsize=4096)
def load_public(x: str, y: str) -> ec.EllipticCurvePublicKey:
    """Return the key at the point (x, y); raises `BadKey`."""
    try:
        numbers = ec.EllipticCurvePublicNumbers(_decode(x), _decode(y), ec.SECP256R1())
        return numbers.public_key()
    except ValueError:
        raise BadKey("no point of the curve P-256") from None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> int:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    # One spelling per number, or one key would have several thumbprints.
    if len(data) != 32 or _encode(data) != text:
        raise ValueError("not 32 bytes")
    return int.from_bytes(data)
