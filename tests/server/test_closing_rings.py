"""Servers that merge alone and meet later: they come to rest, and then agree on leaves, answers and questions (I4)."""

import json
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.journal import quarantine
from server.journal.model import NewRevision, Origin
from server.platform.db.engine import Storage
from server.read_model.record_tables import open_questions
from tests.conftest import StandingClock
from tests.surveys import SCOPE, Province

FIELDS = ("members", "area", "note_text")
ROUNDS = {2: 4, 3: 6, 4: 8, 5: 10}


@pytest.fixture
async def servers(
    tmp_path: Path, sqlite_template: Path, clock: StandingClock, request: pytest.FixtureRequest
) -> AsyncIterator[list[Province]]:
    made = []
    for number in range(request.param):
        path = tmp_path / f"{number}.sqlite"
        shutil.copy(sqlite_template, path)
        made.append(await Province(Storage(f"sqlite:///{path}"), clock).open())
    yield made
    for each in made:
        await each.storage.close()


async def send(source: Province, target: Province, record: str, chance: random.Random) -> None:
    """Bring over every revision of a record, in any order, as replication does: what is known changes nothing."""
    whole = (await source.journal.whole(SCOPE, [record])).get(record)
    if whole is None:
        return
    revisions = [
        NewRevision(record, rev, whole.graph.ancestors(rev), one.deleted, one.content, verify=False)
        for rev, one in whole.revisions.items()
    ]
    chance.shuffle(revisions)
    for one in revisions:
        await target.journal.write(SCOPE, [one], Origin(whole.revisions[one.rev].person))


async def stands(server: Province, record: str) -> Any:
    """Return leaves, answers and questions of a record."""
    whole = (await server.journal.whole(SCOPE, [record]))[record]
    leaves = whole.graph.leaves()
    asked = select(open_questions.c.path, open_questions.c.cause, open_questions.c.candidates).order_by("path")
    async with server.storage.read() as connection:
        questions = [tuple(row) for row in await connection.execute(asked.where(open_questions.c.record == record))]
        assert await quarantine.waiting_for_revisions(connection) == []
    return leaves, json.loads(whole.revisions[leaves[0]].content), questions


RINGS = [2, 3, *(pytest.param(count, marks=pytest.mark.slow) for count in (4, 5))]


@pytest.mark.slow
@pytest.mark.parametrize("servers", RINGS, indirect=True, ids=lambda count: f"ring of {count}")
async def test_a_ring_of_servers_comes_to_rest_and_agrees(servers: list[Province]) -> None:
    chance = random.Random(len(servers))
    first = await servers[0].save({"members": "5", "area": "1.0"})
    for each in servers[1:]:
        await send(servers[0], each, first.doc_id, chance)
    for number, each in enumerate(servers):
        for turn in range(2):
            said = {"members": "5", "area": "1.0", chance.choice(FIELDS): str(10 * number + turn)}
            await each.save(said, record=first.doc_id, parent=first.rev, by="lo" if turn else "vang")
        await each.follow()
    before: list[Any] = []
    rounds = ROUNDS[len(servers)]
    for _ in range(rounds + 1):
        for number, each in enumerate(servers):
            await send(each, servers[(number + 1) % len(servers)], first.doc_id, chance)
        for each in servers:
            await each.follow()
        after = [await stands(each, first.doc_id) for each in servers]
        if after == before:
            break
        before = after
    else:
        pytest.fail(f"a ring of {len(servers)} was not at rest after {rounds} rounds")
    assert all(each == before[0] for each in before)
    for each in servers:
        assert await each.journal.faults(SCOPE) == []
        live = [one for one in await each.journal.history(SCOPE, first.doc_id) if one.is_leaf and not one.deleted]
        assert len(live) == 1


@pytest.mark.slow
@pytest.mark.parametrize("servers", [2, 3], indirect=True, ids=lambda count: f"ring of {count}")
async def test_servers_that_have_met_tell_the_same_of_what_is_open(servers: list[Province]) -> None:
    chance = random.Random(len(servers))
    first = await servers[0].save({"members": "5", "area": "1.0"})
    beside = f"open:{first.doc_id}"
    for each in servers[1:]:
        await send(servers[0], each, first.doc_id, chance)
    # Each server has a question of its own, and one of them has nothing to ask.
    for number, each in enumerate(servers[:-1]):
        for turn in range(2):
            said = {"members": "5", "area": "1.0", FIELDS[number]: str(10 * number + turn)}
            await each.save(said, record=first.doc_id, parent=first.rev, by="lo" if turn else "vang")
        await each.follow()
    for _ in range(ROUNDS[len(servers)]):
        for number, each in enumerate(servers):
            for name in (beside, first.doc_id):
                await send(each, servers[(number + 1) % len(servers)], name, chance)
            await each.follow()
    for each in servers:
        await each.follow()
    told = [await each.journal.document(SCOPE, beside) for each in servers]
    assert len({one.rev for one in told if one is not None}) == 1
    for each, one in zip(servers, told, strict=True):
        _, _, questions = await stands(each, first.doc_id)
        assert one is not None
        assert json.loads(one.content)["paths"] == [path for path, *_ in questions] != []


@pytest.mark.parametrize("servers", [2], indirect=True)
async def test_what_was_decided_on_one_server_is_settled_on_the_other(servers: list[Province]) -> None:
    """I6: a human decision changes only by another human act."""
    chance = random.Random(6)
    here, there = servers
    first = await here.save({"members": "5"})
    one = await here.save({"members": "6"}, record=first.doc_id, parent=first.rev)
    await here.save({"members": "7"}, record=first.doc_id, parent=first.rev, by="vang")
    for each in (here, there):
        await send(here, there, first.doc_id, chance)
        await each.follow()
    leaves, content, questions = await stands(here, first.doc_id)
    assert (await stands(there, first.doc_id)) == (leaves, content, questions)
    assert [each[0] for each in questions] == ["/answers/members"]
    kept = {name: value for name, value in content.items() if name not in {"merged", "open"}}
    decision = NewRevision.following(
        first.doc_id, kept | {"answers": {"members": "6"}, "decided": ["/answers/members"]}, leaves[0]
    )
    await here.journal.write(SCOPE, [decision], Origin("khang"))
    # Whoever had not heard of it goes on with the branch that lost, in another field.
    await there.save({"members": "6", "area": "2"}, record=first.doc_id, parent=one.rev)
    for _ in range(3):
        await send(here, there, first.doc_id, chance)
        await send(there, here, first.doc_id, chance)
        for each in servers:
            await each.follow()
    leaves, content, questions = await stands(here, first.doc_id)
    assert (await stands(there, first.doc_id)) == (leaves, content, questions)
    assert (content["answers"], questions) == ({"members": "6", "area": "2"}, [])
