"""What fills the disk, for `/metrics`: bytes by kind."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import func, select, text

from server.journal.store.local_tables import local_documents
from server.media.files import MediaFiles
from server.media.tables import media
from server.platform.db.engine import Storage


async def disk_use(storage: Storage, files: MediaFiles) -> dict[str, int]:
    """Return how many bytes the database, whole files, unfinished uploads and local documents take, and are free.

    `local_documents` are part of `database`.
    """
    async with storage.read() as connection:
        contents = await connection.scalar(select(func.coalesce(func.sum(media.c.bytes), 0)))
        local = await connection.scalar(select(func.coalesce(func.sum(func.length(local_documents.c.content)), 0)))
        size = 0
        if storage.is_postgresql:
            size = int(await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    if not storage.is_postgresql:
        size = await asyncio.to_thread(_file_bytes, Path(str(storage.engine.url.database)))
    unfinished, free = await asyncio.to_thread(lambda: (_folder_bytes(files.root / "incoming"), files.free_bytes()))
    return {
        "database": size,
        "files": int(contents or 0),
        "unfinished_uploads": unfinished,
        "local_documents": int(local or 0),
        "free": free,
    }


def _file_bytes(path: Path) -> int:
    beside = (path, path.with_name(f"{path.name}-wal"))
    return sum(each.stat().st_size for each in beside if each.exists())


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                # It has become whole meanwhile.
                continue
    return total
