"""A backup's description of itself: `manifest.json`, written last, so that a folder without one is no backup.

manifest.json
database/…            one file of SQLite, or a file for each table of PostgreSQL (its COPY format, as text)
media.txt             the contents in media/, a line each: hash and bytes
media/ab/abcdef…      as the server keeps them
secret                what seals the keys in the database, unless it was left out
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from server.console import Failure
from server.media.files import digest_of

FORMAT = 1
NAME = "manifest.json"
DATABASE = "database"
MEDIA = "media"
MEDIA_LIST = "media.txt"
SECRET = "secret"  # noqa: S105 (the name of a file)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup, by its path in the folder."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class TableCount:
    """A table with its columns in the order in which they were copied, and how many rows it had."""

    name: str
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a backup without its parts."""

    made_at: str
    server: str
    epoch: str
    kind: Literal["sqlite", "postgresql"]
    schema: str
    tables: tuple[TableCount, ...]
    parts: tuple[Part, ...]
    #: Contents that the database counts as here and that are not in the backup: gone, damaged or left out.
    lacking: tuple[str, ...]
    has_media: bool
    has_secret: bool
    #: By which a restore knows the secret again without holding it.
    secret_mark: str
    #: The number of each enrolment up to which everything, files included, is in the backup.
    covered: dict[str, int]
    open_accounts: int
    closed_accounts: int
    format: int = FORMAT


def secret_mark(secret: bytes) -> str:
    """Return what tells one secret from another."""
    return hashlib.sha256(b"nuong backup " + secret).hexdigest()


def part_of(folder: Path, path: str) -> Part:
    """Return a file of the backup as the manifest names it."""
    file = folder / path
    return Part(path, digest_of(file), file.stat().st_size)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, durably."""
    with (folder / NAME).open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup; raises `Failure` where there is none that this program understands."""
    try:
        told = json.loads((folder / NAME).read_text("utf-8"))
        if told["format"] != FORMAT:
            raise Failure(f"{folder} was made by another version of nuong (format {told['format']}).")
        tables = tuple(TableCount(one["name"], tuple(one["columns"]), one["rows"]) for one in told.pop("tables"))
        parts = tuple(Part(**one) for one in told.pop("parts"))
        return Manifest(**{**told, "tables": tables, "parts": parts, "lacking": tuple(told["lacking"])})
    except OSError as error:
        raise Failure(f"{folder} is no backup: {NAME} can't be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise Failure(f"{folder} is no backup: {NAME} is damaged.") from None
