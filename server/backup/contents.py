"""The media of a backup: every content copied by its hash, and found out where it is gone or damaged.

A content never changes, so copying needs no lock: what the copied database names was on the disk before it.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.backup.manifest import MEDIA, MEDIA_LIST
from server.media.files import MediaFiles, digest_of

_COPY_BYTES = 1 << 20


def copy_contents(source: MediaFiles, folder: Path, wanted: Mapping[str, int], base: Path | None = None) -> list[str]:
    """Copy each content with its thumbnail; return those that are not in the backup, gone or damaged.

    What an earlier backup in `base` holds whole is linked to, not copied, where both lie on one disk.
    """
    target = MediaFiles(folder / MEDIA)
    before = None if base is None else MediaFiles(base / MEDIA)
    lacking: list[str] = []
    with (folder / MEDIA_LIST).open("w", encoding="ascii") as told:
        for sha256, size in sorted(wanted.items()):
            is_linked = before is not None and _link_whole(
                before.content_path(sha256), target.content_path(sha256), sha256
            )
            if not is_linked and not _copy_whole(source.content_path(sha256), target.content_path(sha256), sha256):
                lacking.append(sha256)
                continue
            told.write(f"{sha256} {size}\n")
            small = source.thumbnail(sha256)
            if small.exists():
                target.thumbnail(sha256).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(small, target.thumbnail(sha256))
    return lacking


def damaged_contents(folder: Path) -> list[str]:
    """Return the contents that `media.txt` lists and that the backup does not hold as they were."""
    kept = MediaFiles(folder / MEDIA)
    return [sha256 for sha256 in _listed(folder) if not is_whole(kept.content_path(sha256), sha256)]


def restore_media(folder: Path, target: MediaFiles) -> None:
    """Copy every content of a backup to where the server keeps them; what is there and whole stays."""
    kept = MediaFiles(folder / MEDIA)
    for sha256 in _listed(folder):
        if not is_whole(target.content_path(sha256), sha256):
            _copy_whole(kept.content_path(sha256), target.content_path(sha256), sha256)
        small = kept.thumbnail(sha256)
        if small.exists():
            target.put_thumbnail(sha256, small.read_bytes())


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there and has this hash."""
    try:
        return digest_of(path) == sha256
    except OSError:
        return False


def _listed(folder: Path) -> Iterable[str]:
    lines = (folder / MEDIA_LIST).read_text("ascii").splitlines()
    return [line.partition(" ")[0] for line in lines]


def _link_whole(source: Path, target: Path, sha256: str) -> bool:
    if not is_whole(source, sha256):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        # Another disk, or one that has no links.
        return False
    return True


def _copy_whole(source: Path, target: Path, sha256: str) -> bool:
    """Copy a file and compare its hash on the way; a copy that is not `sha256` is not kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reading, draft.open("wb") as writing:
            while piece := reading.read(_COPY_BYTES):
                digest.update(piece)
                writing.write(piece)
            writing.flush()
            os.fsync(writing.fileno())
    except FileNotFoundError:
        return False
    if digest.hexdigest() != sha256:
        draft.unlink()
        return False
    draft.replace(target)
    return True
