"""Backups over both storages: while phones write, with forms published since, from earlier schemas, and damaged."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, func, select, text

from server.auth.tables import refresh_tokens
from server.backup.dump import copy_database
from server.backup.manifest import NAME, Manifest, read_manifest, write_manifest
from server.backup.run import BackupOptions, RestoreOptions, back_up, restore, verify_and_note
from server.console import Failure
from server.media.files import MediaFiles
from server.platform.db.engine import Storage
from server.platform.db.migrate import configuration, is_current
from server.platform.db.server_identity import identify, identity
from server.settings import Settings
from tests.builders import PASSWORD, Client, an_app, running
from tests.conftest import StandingClock, administer
from tests.postgresql import Cluster
from tests.server.sync_door import DATABASE, Picture, a_phone, exchange, save, with_form
from tests.server.test_media_door import photo
from tests.surveys import Province, survey

ALL, ENDS = BackupOptions(), RestoreOptions()


@pytest.fixture
async def empty(storage: Storage, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """Give a storage of the same kind in which nothing is."""
    if not storage.is_postgresql:
        opened = Storage(f"sqlite:///{tmp_path / 'new' / 'nuong.db'}")
        (tmp_path / "new").mkdir()
        yield opened
        await opened.close()
        return
    running_cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = f"empty_{abs(hash(tmp_path))}"
    await administer(running_cluster, f"CREATE DATABASE {name}")
    opened = Storage(running_cluster.url(name), pool_size=5)
    yield opened
    await opened.close()
    await administer(running_cluster, f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Pair:
    """A server, and the empty one that its backups are restored on."""

    storage: Storage
    empty: Storage
    settings: Settings
    clock: StandingClock
    folder: Path

    @property
    def there(self) -> Settings:
        """Return the settings of the other machine."""
        return self.settings.model_copy(update={"media_dir": self.folder / "new" / "media"})

    async def keep(self, name: str = "kept", wanted: BackupOptions = ALL) -> Manifest:
        """Make a backup."""
        return await back_up(self.storage, self.settings, self.clock, self.folder / name, wanted)

    async def keep_and_verify(self, name: str, wanted: BackupOptions = ALL) -> None:
        """Make a backup and let phones rely on it."""
        await self.keep(name, wanted)
        _, is_ours = await verify_and_note(self.storage, self.clock, self.folder / name)
        assert is_ours

    async def bring(self, how: RestoreOptions = ENDS, settings: Settings | None = None) -> None:
        """Restore it on the other machine."""
        await restore(self.empty, settings or self.there, self.clock, self.folder / "kept", how)


@pytest.fixture
def pair(storage: Storage, empty: Storage, settings: Settings, clock: StandingClock, tmp_path: Path) -> Pair:
    return Pair(storage, empty, settings, clock, tmp_path)


async def everything(storage: Storage) -> dict[str, list[str]]:
    """Return all rows of all tables but of those that a restore writes itself."""
    changed = {"alembic_version", "identity", "backups", "audit", "refresh_tokens"}
    tables = MetaData()
    async with storage.read() as connection:
        await connection.run_sync(tables.reflect)
        return {
            name: sorted(repr(tuple(row)) for row in await connection.execute(select(table)))
            for name, table in tables.tables.items()
            if name not in changed
        }


@pytest.mark.slow
async def test_a_restored_server_has_every_row_file_and_key_and_begins_an_epoch(client: Client, pair: Pair) -> None:
    await with_form(client)
    phone = await a_phone(client)
    picture = Picture(photo())
    record = phone.save(DATABASE, "shan_tea", "2026112101", {}, media={"cay.jpg": picture.of("x").about()})["_id"]
    await exchange(phone)
    await phone.upload(picture.of(record))
    before, who = await everything(pair.storage), await identify(pair.storage)

    await pair.keep()
    there, empty = pair.there, pair.empty
    await pair.bring()

    after = await everything(empty)
    sha256 = picture.of(record).sha256
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} <= {"sync_numbers"}
    assert MediaFiles(there.media_dir).content_path(sha256).read_bytes() == picture.content
    assert MediaFiles(there.media_dir).thumbnail(sha256).exists()
    now = await identify(empty)
    assert (now.server == who.server, now.epoch == who.epoch) == (True, False)
    assert await is_current(empty)
    with an_app(there, empty, pair.clock) as app:
        async with running(app), Client(app) as restored:
            phone.client = restored
            await phone.sign_in("hoa", PASSWORD)
            answer = await exchange(phone)
    assert (answer.epoch, answer.server) == (now.epoch, who.server)
    assert (answer.highest_number, answer.missing) == ("1", "")


async def test_a_backup_is_one_moment_while_phones_write(client: Client, pair: Pair) -> None:
    await with_form(client)
    phones = [await a_phone(client, name) for name in ("hoa", "mai")]
    is_over = asyncio.Event()

    async def work(number: int) -> None:
        while not is_over.is_set():
            save(phones[number])
            await exchange(phones[number])

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(2):
            group.create_task(work(number))
        await asyncio.sleep(0.2)
        await pair.keep()
        is_over.set()
    await pair.bring()

    async with pair.empty.read() as connection:
        stored = (
            await connection.execute(
                text(
                    "SELECT enrolment, count(*) FROM revisions WHERE enrolment IS NOT NULL AND doc_id NOT LIKE 'seal:%'"
                    " GROUP BY enrolment"
                )
            )
        ).all()
        counted = {
            row[0]: row[1] for row in await connection.execute(text("SELECT enrolment, received FROM sync_numbers"))
        }
        bodies = await connection.scalar(
            text(
                "SELECT count(*) FROM revisions r LEFT JOIN bodies b USING (database, doc_id, rev) WHERE b.rev IS NULL"
            )
        )
        heads = await connection.execute(
            text(
                "SELECT d.seq, (SELECT max(e.seq) FROM entries e WHERE e.database = d.name)"
                " FROM databases d WHERE d.seq > 0"
            )
        )
        assert all(seq == last for seq, last in heads)
    assert stored
    # The numbers moved in the same transactions as the records.
    assert {enrolment: f"1-{count}" if count > 1 else "1" for enrolment, count in stored} == counted
    assert bodies == 0


async def test_what_was_published_before_a_backup_is_there_after_it_and_a_form_since_is_not(pair: Pair) -> None:
    province = await Province(pair.storage, pair.clock).open()
    saved = await province.save({"members": "5"})
    await province.decide(saved, "approved")
    await province.follow()
    await pair.keep()
    await province.publish("household", "2", survey("household", "2"))
    await province.publish("garden", "1", survey("garden", "1"))
    await province.follow()

    await pair.bring()

    async with pair.empty.read() as connection:
        assert (await connection.execute(text("SELECT record_id, members FROM published_household"))).all() == [
            (saved.doc_id, 5)
        ]
        assert await connection.scalar(text("SELECT count(*) FROM form_versions")) == 1
    after = Province(pair.empty, pair.clock)
    await after.publish("garden", "1", survey("garden", "1"))
    await after.follow()
    async with pair.empty.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM published_garden")) == 0
        assert await connection.scalar(text("SELECT count(*) FROM published_household")) == 1


@pytest.mark.parametrize("schema", ["0001", "0003", "0005"])
async def test_a_backup_from_an_earlier_schema_is_restored_and_brought_up_to_date(
    pair: Pair, request: pytest.FixtureRequest, schema: str
) -> None:
    await _earlier(pair, request, schema)
    await pair.bring(RestoreOptions(new_secret=True))
    assert await is_current(pair.empty)
    async with pair.empty.read() as connection:
        row = (await connection.execute(select(identity))).one()
        assert row.server == "the-server"
        assert len(row.epoch) == 36
        assert (await connection.execute(text("SELECT received, exchange FROM sync_numbers"))).one() == ("1-4", 0)


async def _earlier(pair: Pair, request: pytest.FixtureRequest, schema: str) -> None:
    """Make what an earlier program would have kept of a database that stood at `schema`."""
    folder = pair.folder / "kept"
    folder.mkdir()
    if pair.empty.is_postgresql:
        running_cluster: Cluster = request.getfixturevalue("postgresql_cluster")
        name = f"old_{abs(hash(pair.folder))}"
        await administer(running_cluster, f"CREATE DATABASE {name}")
        old = Storage(running_cluster.url(name))
    else:
        old = Storage(f"sqlite:///{pair.folder / 'old.db'}")
    try:
        async with old.write() as connection:
            await connection.run_sync(lambda sync: command.upgrade(configuration(sync), schema))
            tables = MetaData()
            await connection.run_sync(tables.reflect)
            who: dict[str, Any] = {"row": 1, "server": "the-server"}
            if "epoch" in tables.tables["identity"].c:
                who["epoch"] = "e" * 36
            await connection.execute(tables.tables["identity"].insert().values(**who))
            numbers = {
                "enrolment": "e" * 43,
                "received": "1-4",
                "refused": "",
                "discarded": "",
                "unsent": "",
                "gaps": "",
            }
            await connection.execute(tables.tables["sync_numbers"].insert().values(**numbers, drafts=0, media=0))
        copied = await copy_database(old, folder)
    finally:
        await old.close()
    (folder / "media.txt").write_text("")
    manifest = Manifest(
        made_at="2026-11-20T08:00:00+00:00",
        server="the-server",
        epoch="e" * 36,
        kind="postgresql" if pair.empty.is_postgresql else "sqlite",
        schema=copied.schema,
        tables=tuple(copied.tables),
        parts=tuple(copied.parts),
        lacking=(),
        has_media=True,
        has_secret=False,
        secret_mark="",
        covered={},
        open_accounts=0,
        closed_accounts=0,
    )
    assert copied.schema == schema
    write_manifest(folder, manifest)


async def test_a_restore_overwrites_nothing_and_leaves_nothing_half_done(
    client: Client, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.keep()
    with pytest.raises(Failure, match="not empty"):
        await restore(pair.storage, pair.settings, pair.clock, pair.folder / "kept", ENDS)
    with pytest.raises(Failure, match="is there already"):
        await pair.keep()
    other = pair.there.model_copy(update={"secret": Settings(secret="x" * 40).secret})
    with pytest.raises(Failure, match="NUONG_SECRET: this is another secret"):
        await pair.bring(settings=other)

    async def dies(*_: object) -> None:
        raise KeyError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr("server.backup.run.begin_epoch", dies)
        with pytest.raises(KeyError):
            await pair.bring()
    # Still empty: the same restore works now.
    await pair.bring()
    assert (await identify(pair.empty)).server == client.app.state["server_id"]


async def test_a_damaged_or_unfinished_backup_is_refused_by_name(client: Client, pair: Pair) -> None:
    await with_form(client)
    phone = await a_phone(client)
    picture = Picture(photo()).of("018f5c3e-0000-7000-8000-0000000000aa")
    await phone.upload(picture)
    kept = pair.folder / "kept"
    manifest = await pair.keep()

    file = MediaFiles(kept / "media").content_path(picture.sha256)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(Failure, match=f"1 files in media/ are gone or changed, first {picture.sha256}"):
        await pair.bring()
    file.write_bytes(picture.content)
    part = kept / manifest.parts[0].path
    content = part.read_bytes()
    part.write_bytes(content + b"\n")
    with pytest.raises(Failure, match=f"{manifest.parts[0].path} is not what was written"):
        await verify_and_note(pair.storage, pair.clock, kept)
    part.write_bytes(content)
    told = json.loads((kept / NAME).read_text())
    (kept / NAME).write_text(json.dumps({**told, "schema": "9999"}))
    with pytest.raises(Failure, match="9999, which is newer than this program"):
        await pair.bring()
    (kept / NAME).unlink()
    with pytest.raises(Failure, match="is no backup"):
        read_manifest(kept)


async def test_phones_keep_what_no_verified_backup_covers_files_included(client: Client, pair: Pair) -> None:
    await with_form(client)
    phone = await a_phone(client)
    save(phone)
    # Until a backup is set up, what is acknowledged is all that can be said.
    assert (await exchange(phone)).safe == "1"
    await pair.keep_and_verify("first")
    assert (await exchange(phone)).safe == "1"
    picture = Picture(photo())
    record = phone.save(DATABASE, "shan_tea", "2026112101", {}, media={"cay.jpg": picture.of("x").about()})["_id"]
    save(phone)
    assert (await exchange(phone)).safe == "1"
    # The second save's photo has not come, so no backup holds it.
    await pair.keep_and_verify("second")
    assert (await exchange(phone)).safe == "1"
    await phone.upload(picture.of(record))
    assert (await exchange(phone)).safe == "1"
    await pair.keep_and_verify("third")
    assert (await exchange(phone)).safe == "3"
    # Photos that are left out of a backup are not safe by it.
    other = Picture(photo("red"))
    record = phone.save(DATABASE, "shan_tea", "2026112101", {}, media={"cay.jpg": other.of("x").about()})["_id"]
    await exchange(phone)
    await phone.upload(other.of(record))
    await pair.keep_and_verify("fourth", BackupOptions(media=False))
    assert (await exchange(phone)).safe == "3"


async def test_a_backup_links_to_what_an_earlier_one_has_whole_and_copies_the_rest(client: Client, pair: Pair) -> None:
    await with_form(client)
    phone = await a_phone(client)
    items = [Picture(photo(colour)).of("018f5c3e-0000-7000-8000-0000000000aa") for colour in ("red", "green")]
    for item in items:
        await phone.upload(item)
    await pair.keep("first")
    whole, damaged = (MediaFiles(pair.folder / "first" / "media").content_path(item.sha256) for item in items)
    damaged.write_bytes(b"?")
    await pair.keep_and_verify("second", BackupOptions(base=pair.folder / "first"))
    linked, copied = (MediaFiles(pair.folder / "second" / "media").content_path(item.sha256) for item in items)
    assert linked.samefile(whole)
    assert copied.read_bytes() == items[1].content


async def test_sign_ins_end_with_a_restore_unless_they_are_to_be_kept(client: Client, pair: Pair) -> None:
    await a_phone(client)
    await pair.keep()
    await pair.bring()
    async with pair.empty.read() as connection:
        standing = select(func.count()).where(refresh_tokens.c.revoked_at.is_(None))
        assert await connection.scalar(standing) == 0
        assert await connection.scalar(select(func.count()).select_from(refresh_tokens)) == 1
