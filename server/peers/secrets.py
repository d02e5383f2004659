"""Passwords of peers, sealed with AES-256-GCM under the server's secret, each for the peer that it belongs to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.auth.secret import server_secret
from server.settings import Settings

NONCE_BYTES = 12


class PeerSecrets:
    """Seals and opens the passwords of one server's peers."""

    def __init__(self, settings: Settings) -> None:
        """Derive the key from `NUONG_SECRET` or the secret's file."""
        secret = server_secret(settings)
        self._cipher = AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"nuong peers' passwords").derive(secret))

    def seal(self, peer: str, password: str) -> bytes:
        """Return the password as it may lie in the database."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, password.encode(), peer.encode())

    def open(self, peer: str, sealed: bytes) -> str | None:
        """Return the password; None when it was sealed under another secret or for another peer."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], peer.encode()).decode()
        except InvalidTag:
            return None
