"""The server's secret, from the environment or from a file that is made at the first start."""

import os
import secrets
from pathlib import Path

from server.settings import Settings, SettingsError


def server_secret(settings: Settings) -> bytes:
    """Return `NUONG_SECRET`, or what `NUONG_SECRET_FILE` holds; raises `SettingsError` where the file can't be used."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    try:
        return _kept(settings.secret_file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"NUONG_SECRET_FILE: {settings.secret_file} can't be used ({reason})") from None


def _kept(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of two processes that start together, one makes the secret and the other reads it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_bytes().strip()
        if len(kept) < 32:
            raise SettingsError(f"NUONG_SECRET_FILE: {path} holds no secret of at least 32 characters") from None
        return kept
    made = secrets.token_urlsafe(48).encode()
    with os.fdopen(handle, "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    return made
