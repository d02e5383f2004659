"""The files of media below one folder: whole ones by their hash, thumbnails beside them, unfinished ones by person.

    ab/abcdef…         whole and verified        thumbs/ab/abcdef….webp     made from it
    incoming/<person>/abcdef…                    as far as it has come
    damaged/abcdef…                              what was whole once, kept for whoever can mend it

A file appears under its hash only when it is whole, verified and on the disk: it is written elsewhere, synced and
renamed. What an upload has brought stays when the disk is full or the link breaks, so that it goes on from there.
"""

import errno
import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from server.errors import Problem

#: Disk full, quota reached, file-size limit: for the client all the same.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_COPY_BYTES = 1 << 20


class OpenUpload:
    """An unfinished file, held by this request alone (`flock`, so that other processes count too)."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file; raises `upload_busy` while another request writes to it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise Problem("upload_busy") from error
        self.offset = os.lseek(self._fd, 0, os.SEEK_END)

    def write(self, data: bytes) -> None:
        """Append `data`; what fitted before the disk was full stays and counts."""
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self.offset += written
            view = view[written:]

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Let others write."""
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class MediaFiles:
    """The folder; every method blocks and belongs on a thread."""

    root: Path

    def content_path(self, sha256: str) -> Path:
        """Return where the verified content stands, or would."""
        return self.root / sha256[:2] / sha256

    def piece(self, sha256: str, start: int, most_bytes: int) -> bytes:
        """Return bytes of a verified content from `start` on, none at its end; raises FileNotFoundError."""
        with self.content_path(sha256).open("rb") as file:
            file.seek(start)
            return file.read(most_bytes)

    def thumbnail(self, sha256: str) -> Path:
        """Return where its thumbnail stands, or would."""
        return self.root / "thumbs" / sha256[:2] / f"{sha256}.webp"

    def incoming(self, person: str, sha256: str) -> Path:
        """Return where a person's unfinished content grows."""
        return self.root / "incoming" / person / sha256

    def offset(self, person: str, sha256: str) -> int:
        """Return how many bytes of an unfinished content are here."""
        try:
            return self.incoming(person, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def free_bytes(self) -> int:
        """Return what the file system has left for us."""
        self.root.mkdir(parents=True, exist_ok=True)
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def keep(self, person: str, sha256: str) -> None:
        """Move a finished upload to its hash, durably; an equal content that is there already is as good."""
        source, target = self.incoming(person, sha256), self.content_path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        _sync_folder(target.parent)

    def put(self, sha256: str, content: bytes) -> Path:
        """Keep a verified content durably; return where it stands."""
        target = self.content_path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{sha256}.{os.getpid()}.part")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync_folder(target.parent)
        return target

    def discard(self, person: str, sha256: str) -> None:
        """Drop an unfinished content."""
        self.incoming(person, sha256).unlink(missing_ok=True)

    def set_aside(self, sha256: str) -> None:
        """Move a damaged content out of the way, to `damaged/`; it is no longer found by its hash."""
        target = self.root / "damaged" / sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        self.content_path(sha256).replace(target)

    def put_thumbnail(self, sha256: str, content: bytes) -> None:
        """Keep a thumbnail; readers see all of it or none."""
        target = self.thumbnail(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}.part")
        draft.write_bytes(content)
        draft.replace(target)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_COPY_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    # Without this the new name may be gone after a power cut although its content is on the disk.
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
