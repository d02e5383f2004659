"""Whatever the order and the cuts, the journal ends with the same documents: random trees on both stores."""

from dataclasses import replace
from random import Random

import pytest

from server.journal.journal import Journal
from server.journal.model import Change, NewRevision
from tests.contracts.building import ANOTHER, AREA, OTHER_AREA, SOMEBODY, foreign, outcomes


def forest(random: Random) -> list[NewRevision]:
    """Return all revisions of thirty documents, each with its whole line."""
    made: list[NewRevision] = []
    for number in range(30):
        tree: list[NewRevision] = []
        for _ in range(random.randint(1, 9)):
            parent = random.choice(tree) if tree else None
            line = (parent.rev, *parent.ancestors) if parent else ()
            rev = f"{len(line) + 1}-{random.getrandbits(128):032x}"
            tree.append(foreign(f"doc-{number}", rev, *line, deleted=random.random() < 0.3))
        made += tree
    return made


def cut(random: Random, revisions: list[NewRevision]) -> list[NewRevision]:
    """Return them in any order, some twice, with histories cut anywhere."""
    sent = revisions + random.sample(revisions, len(revisions) // 3)
    random.shuffle(sent)
    return [replace(one, ancestors=one.ancestors[: random.randint(0, len(one.ancestors))]) for one in sent]


async def write_in_batches(journal: Journal, database: str, revisions: list[NewRevision], random: Random) -> None:
    rest = revisions
    while rest:
        size = random.randint(1, 40)
        written = await journal.write(database, rest[:size], SOMEBODY)
        assert set(outcomes(written)) <= {"stored", "duplicate"}
        rest = rest[size:]


async def shown(journal: Journal, database: str) -> list[Change]:
    rows = (await journal.changes(database, include_docs=True)).rows
    return sorted((replace(row, seq=0) for row in rows), key=lambda row: row.doc_id)


@pytest.mark.parametrize("seed", range(3))
async def test_i4_any_order_gives_the_same_leaves_winners_and_digest(journal: Journal, seed: int) -> None:
    random = Random(seed)
    whole = forest(random)
    sent = cut(random, whole)
    await write_in_batches(journal, AREA, sent, random)
    await write_in_batches(journal, OTHER_AREA, random.sample(sent, len(sent)), random)
    assert await shown(journal, AREA) == await shown(journal, OTHER_AREA)
    here, there = await journal.state(AREA), await journal.state(OTHER_AREA)
    assert (here.digest, here.documents, here.deleted) == (there.digest, there.documents, there.deleted)
    # With every line whole there is nothing left to learn: the leaves are those of the trees.
    await write_in_batches(journal, AREA, whole, random)
    parents = {one.ancestors[0] for one in whole if one.ancestors}
    leaves = {leaf for row in await shown(journal, AREA) for leaf in row.leaves}
    assert leaves == {one.rev for one in whole} - parents
    assert await journal.faults(AREA) == []
    assert await journal.faults(OTHER_AREA) == []


@pytest.mark.parametrize("seed", range(3))
async def test_i3_everything_again_changes_nothing(journal: Journal, seed: int) -> None:
    random = Random(seed)
    sent = cut(random, forest(random))
    await write_in_batches(journal, AREA, sent, random)
    state = await journal.state(AREA)
    assert set(outcomes(await journal.write(AREA, sent, ANOTHER))) == {"duplicate"}
    assert await journal.state(AREA) == state
