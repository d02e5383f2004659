"""The followers over both storages: checkpoints, projection, flags, and documents that can't be taken."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import RowMapping, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.followers.follower import Effects, Follower
from server.journal.followers.runner import IDLE_S, Runner
from server.journal.followers.tables import dead_letters
from server.journal.model import Change, NewRevision, Origin
from server.media.tables import media, media_links
from server.platform.db.engine import Storage
from server.read_model.record_tables import records
from sync.revisions.canonical import Json
from tests.conftest import StandingClock
from tests.surveys import BINDS, INSIDE, OTHER_SCOPE, SCOPE, Province, survey


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    return await Province(storage, clock).open()


async def row(province: Province, record: str) -> RowMapping:
    await province.follow()
    async with province.storage.read() as connection:
        return (await connection.execute(select(records).where(records.c.id == record))).mappings().one()


async def test_a_saved_record_stands_in_the_projection(province: Province) -> None:
    saved = await province.save({"members": "5", "meta": {"instanceName": "Nhà ông Lò"}})
    found = await row(province, saved.doc_id)
    assert (found["database"], found["rev"], found["state"]) == (SCOPE, saved.rev, "received")
    assert (found["project"], found["unit"], found["form"]) == ("agri", "03226-2025", "household")
    assert (found["title"], found["by_name"], found["branches"], found["flags"]) == ("Nhà ông Lò", "Lò Văn Ban", 1, [])


async def test_a_record_without_a_name_is_called_like_its_form(province: Province) -> None:
    saved = await province.save({"members": "5"})
    assert (await row(province, saved.doc_id))["title"] == "Hộ gia đình"


async def test_an_approval_and_the_edit_after_it_move_the_state(province: Province) -> None:
    saved = await province.save({"members": "5"})
    await province.decide(saved, "approved")
    found = await row(province, saved.doc_id)
    assert (found["state"], found["published_rev"]) == ("approved", saved.rev)
    edited = await province.save({"members": "6"}, record=saved.doc_id, parent=saved.rev)
    found = await row(province, saved.doc_id)
    assert (found["state"], found["rev"], found["published_rev"]) == ("amended", edited.rev, saved.rev)


async def test_a_decision_that_somebody_else_brought_in_does_not_count(province: Province) -> None:
    saved = await province.save({"members": "5"})
    await province.decide(saved, "approved", sent_by="lo")
    found = await row(province, saved.doc_id)
    assert (found["state"], found["published_rev"]) == ("received", None)


async def test_the_edit_after_a_return_is_known_as_its_correction(province: Province) -> None:
    saved = await province.save({"members": "5"})
    await province.decide(saved, "returned")
    assert (await row(province, saved.doc_id))["state"] == "returned"
    await province.save({"members": "6"}, record=saved.doc_id, parent=saved.rev)
    found = await row(province, saved.doc_id)
    assert (found["state"], found["is_corrected"]) == ("received", True)


async def test_a_decision_that_arrives_before_its_record_counts_when_that_comes(province: Province) -> None:
    elsewhere = await province.save({"members": "5"}, scope=OTHER_SCOPE)
    await province.decide(elsewhere, "returned")
    await province.follow()
    await province.save({"members": "5"}, record=elsewhere.doc_id)
    async with province.storage.read() as connection:
        assert await connection.scalar(select(records.c.state).where(records.c.database == SCOPE)) is None
    await province.follow()
    async with province.storage.read() as connection:
        assert await connection.scalar(select(records.c.state).where(records.c.database == SCOPE)) == "returned"


async def test_two_branches_become_one_record_that_is_flagged_while_something_is_asked(province: Province) -> None:
    first = await province.save({"members": "5"})
    one = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev)
    other = await province.save({"members": "7"}, record=first.doc_id, parent=first.rev, by="vang")
    found = await row(province, first.doc_id)
    assert (found["branches"], found["flags"]) == (1, ["conflict"])
    merged = await province.journal.document(SCOPE, first.doc_id, found["rev"])
    assert merged is not None
    assert merged.parent == max(one.rev, other.rev)


async def test_nothing_is_projected_before_its_branches_were_closed(province: Province, clock: StandingClock) -> None:
    await province.save({"members": "5"})
    [projecting] = [each for each in province.runner.followers if each.name == "records"]
    assert await projecting.follow_once() == 0


async def test_what_was_entered_at_a_desk_has_no_clock_to_suspect(province: Province) -> None:
    saved = await province.save({"members": "5"})
    answers: dict[str, Json] = {"members": "6"}
    content: dict[str, Json] = {"type": "record", "form": "household", "form_version": "1", "answers": answers}
    made = NewRevision.following(saved.doc_id, content | {"decided": ["/answers/members"]}, saved.rev)
    await province.journal.write(SCOPE, [made], Origin("khang"))
    found = await row(province, saved.doc_id)
    assert (found["rev"], found["flags"], found["by_person"]) == (made.rev, [], "lo")


async def test_a_deleted_record_keeps_what_it_said_and_waits_for_its_approval(province: Province) -> None:
    saved = await province.save({"meta": {"instanceName": "Nhà ông Lò"}})
    await province.decide(saved, "approved")
    await province.delete(saved)
    found = await row(province, saved.doc_id)
    assert (found["is_deleted"], found["title"], found["state"], found["published_rev"]) == (
        True,
        "Nhà ông Lò",
        "amended",
        saved.rev,
    )


@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        ({"house": INSIDE}, []),
        ({"house": "21.03 105.85 10 5"}, ["outside_area"]),
        ({"house": "22.05 103.25 600 80"}, ["poor_gps"]),
        ({"house": "22.05 103.25 0 0"}, []),
        ({"plot": "22.05 103.25; 22.06 103.25; 21.03 105.85; 22.05 103.25"}, ["outside_area"]),
        ({"photo": "nha.jpg"}, ["missing_media"]),
    ],
)
async def test_place_and_files_raise_their_flags(province: Province, answers: dict[str, Any], flags: list[str]) -> None:
    saved = await province.save(answers)
    assert (await row(province, saved.doc_id))["flags"] == flags


@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        ({"members": "30", "visited": "2026-11-21"}, []),
        ({"members": "31"}, ["constraint_broken"]),
        ({"members": None}, []),
        ({"visited": "2026-11-22"}, ["constraint_broken"]),
        ({"crop_row": [{"_rid": "a", "yield": "2"}, {"_rid": "b", "yield": "-2"}]}, ["constraint_broken"]),
        # Nobody is asked for the area of so few.
        ({"members": "2", "area": "-1"}, []),
    ],
)
async def test_an_answer_that_breaks_its_constraint_is_flagged(
    province: Province, answers: dict[str, Any], flags: list[str]
) -> None:
    constraints = {
        "members": 'int" constraint=". &lt;= 30',
        "visited": 'date" constraint=". &lt;= today()',
        "area": 'decimal" constraint=". &gt;= 0" relevant="/data/members &gt; 2',
        "crop_row/yield": 'decimal" constraint=". &gt;= 0',
    }
    await province.publish(version="2", xform=survey(version="2", binds={**BINDS, **constraints}))
    saved = await province.save(answers, form_version="2")
    assert (await row(province, saved.doc_id))["flags"] == flags


@pytest.mark.parametrize("days", [1, -200])
async def test_a_clock_that_cannot_be_right_is_flagged(province: Province, clock: StandingClock, days: int) -> None:
    at = clock.now
    clock.move(days=days)
    wrong = clock.now
    clock.now = at
    saved = await province.save({"members": "1"}, at=wrong)
    assert (await row(province, saved.doc_id))["flags"] == ["clock_suspect"]


async def test_a_photo_that_comes_later_takes_its_flag_away(province: Province, clock: StandingClock) -> None:
    sha256 = "ab" * 32
    photo = {"nha.jpg": {"sha256": sha256, "bytes": "3", "type": "image/jpeg"}}
    saved = await province.save({"photo": "nha.jpg"}, media=photo)
    assert (await row(province, saved.doc_id))["flags"] == ["missing_media"]
    await _arrives(province, sha256, readable=True)
    await _look(province)
    assert (await row(province, saved.doc_id))["flags"] == []


async def test_a_photo_that_cannot_be_opened_is_flagged(province: Province) -> None:
    sha256 = "cd" * 32
    await _arrives(province, sha256, readable=False)
    photo = {"nha.jpg": {"sha256": sha256, "bytes": "3", "type": "image/jpeg"}}
    saved = await province.save({"photo": "nha.jpg"}, media=photo)
    assert (await row(province, saved.doc_id))["flags"] == ["unreadable_media"]


async def test_answers_of_another_shape_than_their_form_never_stop_the_follower(province: Province) -> None:
    odd = await province.save({"house": ["not", "a", "point"], "crop_row": "no rows", "household": [], "meta": None})
    fine = await province.save({"members": "5"})
    assert (await row(province, odd.doc_id))["state"] == "received"
    assert (await row(province, fine.doc_id))["state"] == "received"


class Fragile:
    """A projection that notes the ids that it takes, and fails as it is told to."""

    name = "fragile"
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ()

    def __init__(self, failing: set[str]) -> None:
        self.failing = failing
        self.failure: Exception = ValueError("poison")
        self.taken: list[str] = []
        self.pages: list[int] = []

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        ids = [change.doc_id for change in changes if database == SCOPE]
        if self.failing.intersection(ids):
            raise self.failure

        async def apply(connection: AsyncConnection) -> None:
            self.taken += ids
            self.pages += [len(ids)] if ids else []

        return apply


async def test_a_document_that_cannot_be_taken_is_set_aside_and_blocks_nothing(
    province: Province, clock: StandingClock
) -> None:
    saved = [await province.save({"members": str(number)}) for number in range(3)]
    fragile = Fragile({saved[1].doc_id})
    follower = Follower(province.storage, province.journal, clock, fragile)
    await follower.follow_once()
    assert fragile.taken == [saved[0].doc_id, saved[2].doc_id]
    async with province.storage.read() as connection:
        [aside] = (await connection.execute(select(dead_letters))).mappings()
    assert (aside["doc_id"], aside["attempts"]) == (saved[1].doc_id, 3)
    assert aside["error"].startswith("ValueError at tests")
    assert "poison" not in aside["error"]
    await follower.follow_once()
    assert len(fragile.taken) == 2

    fragile.failing = set()
    assert await follower.retry_dead_letters() == 1
    assert fragile.taken[2:] == [saved[1].doc_id]
    async with province.storage.read() as connection:
        assert (await connection.execute(select(dead_letters))).all() == []


async def test_a_failing_database_poisons_nothing(province: Province, clock: StandingClock) -> None:
    saved = await province.save({"members": "1"})
    fragile = Fragile({saved.doc_id})
    fragile.failure = OperationalError("INSERT", {}, ConnectionResetError("gone"), connection_invalidated=True)
    follower = Follower(province.storage, province.journal, clock, fragile)
    with pytest.raises(OperationalError):
        await follower.follow_once()
    fragile.failing = set()
    await follower.follow_once()
    assert fragile.taken == [saved.doc_id]


async def test_effects_that_fail_leave_the_checkpoint_where_it_was(province: Province, clock: StandingClock) -> None:
    """I7: a checkpoint is never ahead of durable data."""
    await province.save({"members": "1"})

    class Dying(Fragile):
        async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
            async def apply(connection: AsyncConnection) -> None:
                await connection.execute(text("CREATE TABLE half_done (a integer)"))
                raise OSError("no space left")

            return apply

    follower = Follower(province.storage, province.journal, clock, Dying(set()))
    with pytest.raises(OSError, match="no space"):
        await follower.follow_once()
    assert await follower.checkpoints() == {}
    healthy = Fragile(set())
    await Follower(province.storage, province.journal, clock, healthy).follow_once()
    assert len(healthy.taken) == 1


async def test_following_twice_changes_nothing(province: Province) -> None:
    saved = await province.save({"members": "5"})
    before = dict(await row(province, saved.doc_id))
    assert dict(await row(province, saved.doc_id)) == before


@pytest.mark.slow
async def test_a_long_feed_is_taken_in_pages_and_in_shorter_ones_while_somebody_waits_at_a_door(
    province: Province, clock: StandingClock
) -> None:
    for number in range(230):
        await province.save({"members": str(number)})
    fragile = Fragile(set())
    await Follower(province.storage, province.journal, clock, fragile).follow_once()
    assert len(fragile.taken) == 230
    assert fragile.pages == [200, 30]
    busy = Fragile(set())
    busy.name = "busy"
    with province.journal.open_requests.serving():
        await Follower(province.storage, province.journal, clock, busy).follow_once()
    assert busy.taken == fragile.taken
    assert busy.pages == [50, 50, 50, 50, 30]


async def test_a_commit_wakes_the_followers(province: Province) -> None:
    async with province.runner.running():
        saved = await province.save({"members": "5"})
        query = select(records.c.state).where(records.c.id == saved.doc_id)
        for _ in range(500):
            async with province.storage.read() as connection:
                if await connection.scalar(query) == "received":
                    return
            await asyncio.sleep(0.01)
    pytest.fail("the record did not come through")


async def test_a_failure_long_after_another_is_waited_for_no_longer_than_a_first(province: Province) -> None:
    failures = iter([True, True, False, True])
    paused: list[float] = []

    async def look() -> None:
        # The last round works, and the next commit lets a further one fail.
        if next(failures):
            raise OSError("away")
        await province.save({"members": "5"})

    class Scripted(Follower):
        async def follow_once(self) -> int:
            await look()
            return 0

    async def sleep(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            raise asyncio.CancelledError

    scripted = Scripted(province.storage, province.journal, province.clock, Fragile(set()))
    with pytest.raises(asyncio.CancelledError):
        await Runner(province.storage, province.journal, [scripted], sleep=sleep).run()
    assert paused == [2 * IDLE_S, 4 * IDLE_S, 2 * IDLE_S]


async def test_of_two_processes_on_one_postgresql_only_one_follows(province: Province) -> None:
    if not province.storage.is_postgresql:
        # One process at a time opens a file of SQLite; there is nobody to share the lead with.
        return
    from server.platform.db.advisory_locks import AdvisoryLock
    from server.platform.db.leader_lock import lead

    async with lead(province.storage, AdvisoryLock.FOLLOWERS) as mine:
        assert mine is not None
        async with lead(province.storage, AdvisoryLock.FOLLOWERS) as other:
            assert other is None
    async with lead(province.storage, AdvisoryLock.FOLLOWERS) as again:
        assert again is not None


async def _look(province: Province) -> None:
    for look in province.runner.looks:
        await look()


async def _arrives(province: Province, sha256: str, *, readable: bool) -> None:
    values = {"sha256": sha256, "bytes": 3, "type": "image/jpeg", "readable": readable, "person": "lo"}
    async with province.storage.write() as connection:
        await connection.execute(media.insert().values(**values, received_at=province.clock()))
        link = {"sha256": sha256, "database": SCOPE, "record": "r", "name": "nha.jpg"}
        await connection.execute(media_links.insert().values(**link))
