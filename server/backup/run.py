"""A backup made, verified and restored: the parts of this folder in their order."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.audit import note
from server.auth.secret import server_secret
from server.auth.tables import refresh_tokens
from server.backup import manifest as parts
from server.backup.contents import copy_contents, damaged_contents, restore_media
from server.backup.coverage import cover, note_verified
from server.backup.dump import SQLITE_FILE, copy_database, sqlite_counts
from server.backup.manifest import Manifest, part_of, read_manifest, secret_mark, write_manifest
from server.backup.restore import check_empty, check_schema, restore_database
from server.console import Failure
from server.media.files import MediaFiles
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.migrate import is_current
from server.platform.db.server_identity import begin_epoch, identify
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """The parts of a backup beside the database."""

    media: bool = True
    secret: bool = True
    #: An earlier backup, whose files are linked to where they are the same.
    base: Path | None = None


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """Further steps of a restore, beside bringing everything back."""

    end_sign_ins: bool = True
    new_secret: bool = False


async def back_up(storage: Storage, settings: Settings, clock: Clock, target: Path, wanted: BackupOptions) -> Manifest:
    """Return the manifest of a new backup in `target`, which must not be there yet or be an empty folder."""
    draft = await asyncio.to_thread(_begin, target)
    try:
        manifest = await _fill(storage, settings, clock, draft, wanted)
        await asyncio.to_thread(_finish, draft, target, manifest)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _begin(target: Path) -> Path:
    """Return the folder in which a backup grows."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Failure(f"{target} is there already: each backup has a folder of its own.")
    draft = target.with_name(f"{target.name}.partial")
    if draft.exists():
        raise Failure(f"{draft} is there: another backup is running, or one was broken off; remove it.")
    draft.mkdir(parents=True)
    # It holds everything about people that the database holds, and perhaps what opens its keys.
    draft.chmod(0o700)
    return draft


def _finish(draft: Path, target: Path, manifest: Manifest) -> None:
    write_manifest(draft, manifest)
    os.sync()
    if target.exists():
        target.rmdir()
    draft.rename(target)


async def _fill(storage: Storage, settings: Settings, clock: Clock, draft: Path, wanted: BackupOptions) -> Manifest:
    if not await is_current(storage):
        raise Failure("The database has another schema than this program: use the one that serves it.")
    who, made_at = await identify(storage), clock()
    copied = await copy_database(storage, draft)
    # Files come before the rows that name them, so what the copied rows name is on the disk by now.
    named = copied.media if wanted.media else {}
    lacking = await asyncio.to_thread(copy_contents, MediaFiles(settings.media_dir), draft, named, wanted.base)
    if not wanted.media:
        lacking = sorted(copied.media)
    files = [*copied.parts, part_of(draft, parts.MEDIA_LIST)]
    secret = server_secret(settings)
    if wanted.secret:
        kept = draft / parts.SECRET
        kept.touch(mode=0o600)
        kept.write_bytes(secret)
        files.append(part_of(draft, parts.SECRET))
    return Manifest(
        made_at=made_at.isoformat(),
        server=who.server,
        epoch=who.epoch,
        kind="postgresql" if storage.is_postgresql else "sqlite",
        schema=copied.schema,
        tables=tuple(copied.tables),
        parts=tuple(files),
        lacking=tuple(lacking),
        has_media=wanted.media,
        has_secret=wanted.secret,
        secret_mark=secret_mark(secret),
        covered=copied.saves.covered(copied.numbers, copied.media.keys() - set(lacking)),
        open_accounts=copied.accounts.get(True, 0),
        closed_accounts=copied.accounts.get(False, 0),
    )


async def verify(source: Path) -> Manifest:
    """Return the manifest of a backup after reading all of it; raises `Failure` for whatever is not as it was."""
    manifest = read_manifest(source)
    await asyncio.to_thread(_verify, source, manifest)
    return manifest


def _verify(source: Path, manifest: Manifest) -> None:
    for part in manifest.parts:
        file = source / part.path
        if not file.is_file():
            raise Failure(f"The backup is not whole: {part.path} is missing.")
        if part_of(source, part.path) != part:
            raise Failure(f"The backup is damaged: {part.path} is not what was written.")
    if manifest.kind == "sqlite":
        counts = sqlite_counts(source / SQLITE_FILE)
        for table in manifest.tables:
            if counts.get(table.name) != table.rows:
                raise Failure(f"The backup is damaged: {table.name} has not {table.rows} rows.")
    damaged = damaged_contents(source)
    if damaged:
        raise Failure(f"The backup is damaged: {len(damaged)} files in media/ are gone or changed, first {damaged[0]}.")


async def verify_and_note(storage: Storage, clock: Clock, source: Path) -> tuple[Manifest, bool]:
    """Verify a backup, and let phones rely on it where it is of this server."""
    manifest = await verify(source)
    return manifest, await note_verified(storage, manifest, str(source), clock)


async def restore(storage: Storage, settings: Settings, clock: Clock, source: Path, how: RestoreOptions) -> None:
    """Bring a verified backup into the empty database of `storage`, its media and its secret to where they belong."""
    manifest = read_manifest(source)
    check_schema(manifest)
    await check_empty(storage, manifest)
    place = _place_for_secret(settings, manifest, new_secret=how.new_secret)
    await verify(source)

    async def settle(connection: AsyncConnection) -> None:
        await begin_epoch(connection)
        if how.end_sign_ins:
            standing = refresh_tokens.c.revoked_at.is_(None)
            await connection.execute(update(refresh_tokens).where(standing).values(revoked_at=clock()))
        await cover(connection, manifest, str(source), clock)
        await note(connection, clock, None, "server.restored", manifest.server, made_at=manifest.made_at)

    # Media first: they are found by their hash, so bringing them twice is no harm, and no row names what is not there.
    await asyncio.to_thread(restore_media, source, MediaFiles(settings.media_dir))
    if place is not None:
        await asyncio.to_thread(_put_secret, source, place)
    await restore_database(storage, source, manifest, settle)


def _place_for_secret(settings: Settings, manifest: Manifest, *, new_secret: bool) -> Path | None:
    """Return where the backup's secret must be put, None where the right one is here; raises `Failure` for another."""
    if new_secret:
        return None
    here, name = None, f"NUONG_SECRET_FILE: {settings.secret_file} holds"
    if settings.secret is not None:
        here, name = settings.secret.get_secret_value().encode(), "NUONG_SECRET: this is"
    elif settings.secret_file.exists():
        here = server_secret(settings)
    if here is not None and secret_mark(here) != manifest.secret_mark:
        raise Failure(f"{name} another secret than the backup's server had.")
    if here is not None:
        return None
    if not manifest.has_secret:
        raise Failure(
            "NUONG_SECRET: the backup was made without the secret. Give the one that its server had, or --new-secret, "
            "after which `nuong keys rotate` makes new keys and peers' passwords must be given again."
        )
    return settings.secret_file


def _put_secret(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write((source / parts.SECRET).read_bytes())
        file.flush()
        os.fsync(file.fileno())
