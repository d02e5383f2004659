"""The follower that closes branches, over both storages: what it writes, what it asks, and what it waits for."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import RowMapping, event, select

from server.journal.followers.tables import dead_letters
from server.journal.model import NewRevision, Origin, StoredRevision
from server.platform.db.engine import Storage
from server.projections import branches
from server.read_model.record_tables import awaited_forms, open_questions, provenance, records
from sync.merging import merge
from sync.revisions.canonical import Json
from tests.conftest import StandingClock
from tests.surveys import OTHER_SCOPE, SCOPE, Province

pytestmark = pytest.mark.by_turns


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    return await Province(storage, clock).open()


async def questions(province: Province, record: str | None = None) -> list[RowMapping]:
    wanted = select(open_questions).order_by(open_questions.c.database, open_questions.c.path)
    if record is not None:
        wanted = wanted.where(open_questions.c.record == record)
    async with province.storage.read() as connection:
        return [*(await connection.execute(wanted)).mappings()]


async def row(province: Province, record: str, scope: str = SCOPE) -> RowMapping:
    wanted = select(records).where(records.c.id == record, records.c.database == scope)
    async with province.storage.read() as connection:
        return (await connection.execute(wanted)).mappings().one()


async def winner(province: Province, record: str) -> StoredRevision:
    found = await province.journal.document(SCOPE, record)
    assert found is not None
    return found


async def answers(province: Province, record: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((await winner(province, record)).content)["answers"]
    return said


async def live(province: Province, record: str) -> list[str]:
    return [one.rev for one in await province.journal.history(SCOPE, record) if one.is_leaf and not one.deleted]


async def branched(
    province: Province, base: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> tuple[NewRevision, NewRevision, NewRevision]:
    """Save a record, and two edits of it that did not know of each other; the greater one last."""
    first = await province.save(base)
    edits = [
        await province.save(base | said, record=first.doc_id, parent=first.rev, by=by)
        for said, by in ((one, "lo"), (other, "vang"))
    ]
    return first, edits[0], edits[1]


async def decide(province: Province, record: str, said: dict[str, Json], *paths: str) -> NewRevision:
    """Decide as a manager does: an edit of what stands, which names the fields."""
    stands = await winner(province, record)
    content = {
        key: value for key, value in json.loads(stands.content).items() if key not in {"merged", "open", "saved"}
    }
    content["answers"] = content["answers"] | said
    made = NewRevision.following(record, content | {"decided": [*sorted(paths)]}, stands.rev)
    [outcome] = await province.journal.write(SCOPE, [made], Origin("khang"))
    assert outcome.outcome == "stored"
    return made


async def test_edits_of_different_fields_become_one_record_and_nobody_is_asked(province: Province) -> None:
    first, one, other = await branched(province, {"members": "5"}, {"area": "1.0"}, {"note_text": "gần suối"})
    await province.follow()
    assert await answers(province, first.doc_id) == {"members": "5", "area": "1.0", "note_text": "gần suối"}
    assert len(await live(province, first.doc_id)) == 1
    merged = await winner(province, first.doc_id)
    assert (merged.parent, merged.person) == (max(one.rev, other.rev), None)
    assert await questions(province) == []
    found = await row(province, first.doc_id)
    assert (found["rev"], found["flags"], found["branches"]) == (merged.rev, [], 1)
    # It is shown as the work of whoever wrote the line that it stands on.
    assert found["by_person"] == ("lo" if merged.parent == one.rev else "vang")
    async with province.storage.read() as connection:
        [came] = (await connection.execute(select(provenance))).mappings()
    lesser = min(one, other, key=lambda each: each.rev)
    path = "/answers/area" if lesser is one else "/answers/note_text"
    assert (came["path"], came["rev"], came["how"]) == (path, lesser.rev, "only")


async def test_edits_of_the_same_field_are_asked_about_until_somebody_decides(province: Province) -> None:
    said = {"members": "5", "meta": {"instanceName": "Nhà ông Lò"}}
    first, one, other = await branched(province, said, {"members": "6"}, {"members": "7"})
    await province.follow()
    [asked] = await questions(province)
    assert (asked["database"], asked["record"], asked["path"], asked["cause"]) == (
        SCOPE,
        first.doc_id,
        "/answers/members",
        "value",
    )
    assert asked["candidates"] == sorted([one.rev, other.rev], reverse=True)
    assert (asked["people"], asked["title"], asked["folded"]) == (["lo", "vang"], "Nhà ông Lò", asked["folded"])
    assert "vang a sung" in asked["folded"]
    assert (asked["form"], asked["project"], asked["unit"]) == ("household", "agri", "03226-2025")
    found = await row(province, first.doc_id)
    assert (found["flags"], found["branches"]) == (["conflict"], 1)
    assert json.loads((await winner(province, first.doc_id)).content)["open"] == {
        "/answers/members": sorted([one.rev, other.rev])
    }
    await decide(province, first.doc_id, {"members": "7"}, "/answers/members")
    await province.follow()
    assert await questions(province) == []
    assert (await row(province, first.doc_id))["flags"] == []
    assert (await answers(province, first.doc_id))["members"] == "7"


async def test_an_edit_on_top_of_a_merge_leaves_open_what_it_does_not_touch(province: Province) -> None:
    first, *_ = await branched(province, {"members": "5", "area": "1"}, {"members": "6"}, {"members": "7"})
    await province.follow()
    merged = await winner(province, first.doc_id)
    stands = json.loads(merged.content)["answers"]
    later = await province.save(stands | {"area": "2"}, record=first.doc_id, parent=merged.rev)
    await province.follow()
    assert [each["path"] for each in await questions(province)] == ["/answers/members"]
    assert (await row(province, first.doc_id))["flags"] == ["conflict"]
    await province.save(stands | {"area": "2", "members": "8"}, record=first.doc_id, parent=later.rev)
    await province.follow()
    assert await questions(province) == []
    assert (await row(province, first.doc_id))["flags"] == []


async def test_a_deletion_beside_an_edit_is_asked_about_and_the_record_lives(province: Province) -> None:
    first = await province.save({"members": "5"})
    await province.save({"members": "6"}, record=first.doc_id, parent=first.rev, by="vang")
    await province.delete(first)
    await province.follow()
    [asked] = await questions(province)
    assert (asked["path"], asked["cause"]) == ("", "delete")
    assert (await row(province, first.doc_id))["is_deleted"] is False


async def test_a_value_changed_after_an_approval_says_so(province: Province) -> None:
    first = await province.save({"members": "5"})
    await province.decide(first, "approved")
    for said, by in (("6", "lo"), ("7", "vang")):
        await province.save({"members": said}, record=first.doc_id, parent=first.rev, by=by)
    await province.follow()
    assert [each["cause"] for each in await questions(province)] == ["after_approval"]


async def test_an_approval_that_comes_later_changes_why_it_is_asked(province: Province) -> None:
    first, *_ = await branched(province, {"members": "5"}, {"members": "6"}, {"members": "7"})
    await province.follow()
    assert [each["cause"] for each in await questions(province)] == ["value"]
    await province.decide(first, "approved")
    await province.follow()
    assert [each["cause"] for each in await questions(province)] == ["after_approval"]


async def test_branches_of_a_version_that_is_not_here_wait_and_are_closed_when_it_comes(province: Province) -> None:
    first = await province.save({"members": "5"})
    for said, by in (({"members": "6"}, "lo"), ({"area": "2"}, "vang")):
        content = {"members": "5"} | said
        await province.save(content, record=first.doc_id, parent=first.rev, by=by, form_version="2")
    await province.follow()
    assert len(await live(province, first.doc_id)) == 2
    [asked] = await questions(province)
    assert (asked["path"], asked["cause"], len(asked["candidates"])) == ("", "form_version", 2)
    assert (await row(province, first.doc_id))["flags"] == ["conflict"]
    async with province.storage.read() as connection:
        [awaited] = (await connection.execute(select(awaited_forms))).mappings()
    assert (awaited["form"], awaited["version"]) == ("household", "2")
    await province.publish(version="2")
    runner = province.runner
    for look in runner.looks:
        await look()
    await runner.once()
    assert await answers(province, first.doc_id) == {"members": "6", "area": "2"}
    assert len(await live(province, first.doc_id)) == 1
    assert await questions(province) == []
    async with province.storage.read() as connection:
        assert (await connection.execute(select(awaited_forms))).all() == []


async def test_a_record_that_lives_in_two_areas_is_asked_about_in_both(province: Province) -> None:
    here = await province.save({"members": "5"})
    there = await province.save({"members": "6"}, record=here.doc_id, scope=OTHER_SCOPE, by="vang")
    await province.follow()
    asked = await questions(province)
    assert [(each["database"], each["path"], each["cause"]) for each in asked] == [
        (OTHER_SCOPE, "", "moved"),
        (SCOPE, "", "moved"),
    ]
    assert {*asked[0]["candidates"]} == {here.rev, there.rev}
    for scope in (SCOPE, OTHER_SCOPE):
        assert (await row(province, here.doc_id, scope))["flags"] == ["conflict"]
    await province.delete(here)
    await province.follow()
    assert await questions(province) == []
    assert (await row(province, here.doc_id, OTHER_SCOPE))["flags"] == []


@pytest.mark.slow
async def test_many_documents_are_closed_in_few_transactions(province: Province) -> None:
    ids = [(await branched(province, {"members": "5"}, {"members": "6"}, {"area": "7"}))[0].doc_id for _ in range(60)]
    commits: list[object] = []
    event.listen(province.storage.engine.sync_engine, "commit", commits.append)
    await province.follow()
    assert len(commits) < 30
    assert all([len(await live(province, each)) == 1 for each in ids])
    assert await province.journal.faults(SCOPE) == []


@pytest.mark.parametrize("is_long", [False, True])
async def test_a_long_record_is_merged_beside_the_event_loop(
    province: Province, monkeypatch: pytest.MonkeyPatch, *, is_long: bool
) -> None:
    honest = merge.reconcile
    is_beside: list[bool] = []

    def watched(document: Any, forms: Any) -> Any:
        is_beside.append(threading.get_ident() != loops)
        return honest(document, forms)

    loops = threading.get_ident()
    monkeypatch.setattr(branches, "reconcile", watched)
    said = {"members": "5", "note_text": "m" * (50_000 if is_long else 5)}
    first, *_ = await branched(province, said, {"members": "6"}, {"area": "7"})
    await province.follow()
    assert is_beside == [is_long]
    assert await answers(province, first.doc_id) == said | {"members": "6", "area": "7"}


async def test_following_again_writes_nothing(province: Province) -> None:
    await branched(province, {"members": "5"}, {"members": "6"}, {"members": "7"})
    await province.follow()
    state, asked = await province.journal.state(SCOPE), await questions(province)
    await province.follow()
    assert (await province.journal.state(SCOPE), await questions(province)) == (state, asked)


async def test_a_document_that_cannot_be_merged_keeps_no_other_from_it(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, *_ = await branched(province, {"members": "5"}, {"members": "6"}, {"area": "7"})
    fine, *_ = await branched(province, {"members": "5"}, {"members": "6"}, {"area": "7"})
    honest = merge.reconcile

    def failing(document: Any, forms: Any) -> Any:
        if document.doc_id == poison.doc_id:
            raise RecursionError
        return honest(document, forms)

    with monkeypatch.context() as patched:
        patched.setattr(branches, "reconcile", failing)
        await province.follow()
    assert (len(await live(province, poison.doc_id)), len(await live(province, fine.doc_id))) == (2, 1)
    async with province.storage.read() as connection:
        [aside] = (await connection.execute(select(dead_letters))).mappings()
    assert (aside["follower"], aside["doc_id"]) == ("branches", poison.doc_id)
    assert (await row(province, poison.doc_id))["branches"] == 2
    [follower] = [each for each in province.runner.followers if each.name == "branches"]
    assert await follower.retry_dead_letters() == 1
    assert len(await live(province, poison.doc_id)) == 1


async def test_a_document_that_moves_while_it_is_merged_is_merged_as_it_is_then(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, one, _ = await branched(province, {"members": "5"}, {"members": "6"}, {"area": "7"})
    honest = province.journal.__class__.standing_within
    moved: list[NewRevision] = []

    async def late(journal: Any, connection: Any, database: str, leaves: Any) -> Any:
        if not moved:
            said = {"members": "6", "note_text": "muộn"}
            moved.append(NewRevision.following(one.doc_id, json.loads(one.content) | {"answers": said}, one.rev))
            await journal.write_within(connection, database, moved, Origin("lo"))
        return await honest(journal, connection, database, leaves)

    monkeypatch.setattr(province.journal.__class__, "standing_within", late)
    await province.follow()
    await province.follow()
    assert await answers(province, first.doc_id) == {"members": "6", "area": "7", "note_text": "muộn"}
    merges = [each for each in await province.journal.history(SCOPE, first.doc_id) if each.person is None]
    assert len([each for each in merges if not each.deleted]) == 1


async def test_what_comes_after_its_own_edits_changes_what_is_asked(province: Province) -> None:
    """The body of an inner revision changes no leaf, but it says which answers its line really changed."""
    first = await province.save({"members": "5"})
    here = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev, by="lo")
    said = json.loads(first.content)
    middle = NewRevision.following(first.doc_id, said | {"answers": {"members": "7"}}, first.rev)
    last = NewRevision.following(first.doc_id, said | {"answers": {"members": "7", "note_text": "x"}}, middle.rev)
    await province.journal.write(SCOPE, [replace(last, ancestors=(middle.rev, first.rev))], Origin("vang"))
    await province.follow()
    asked = {each["path"]: (each["cause"], set(each["candidates"])) for each in await questions(province)}
    assert asked["/answers/members"] == ("parent_unknown", {here.rev, last.rev})
    await province.journal.write(SCOPE, [middle], Origin("vang"))
    await province.follow()
    [question] = await questions(province)
    assert (question["path"], question["cause"]) == ("/answers/members", "value")
    assert set(question["candidates"]) == {here.rev, middle.rev}
