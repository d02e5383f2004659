"""No request costs the product of two things that its sender chooses: what is long is looked up, merged, or refused.

Work is counted, not timed.
"""

import json
import random
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server.gateway.couchdb.changes import MAX_DOC_IDS
from server.gateway.couchdb.refusals import Refusal
from server.gateway.couchdb.selector import MAX_PARTS, matcher
from server.gateway.sync.numbers import Numbers
from server.gateway.sync.progress import MAX_RANGES, Progress
from server.gateway.sync.read_request import Envelope, read_request
from server.journal.model import NewRevision, Receipt
from server.journal.store.batch import Batch
from server.journal.store.branches import Branches
from server.journal.store.rows import FeedEnd
from server.platform.request_envelope import ADDRESS_BYTES
from sync.revisions.admission import MAX_LEAVES
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId
from tests.builders import Client, problem
from tests.contracts.building import SOMEBODY, edit
from tests.server.couchdb_door import a_database, rev

MANY = 20_000


class Counted(str):
    """A text that counts how often texts like it are compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


@pytest.mark.parametrize("operator", ["$in", "$nin", "$all"])
def test_a_document_is_looked_up_among_any_number_of_values(operator: str) -> None:
    among: Any = [Counted(f"value {number}") for number in range(MANY)]
    matches = matcher({"a": {operator: among}})
    value = [Counted(f"other {number}") for number in range(200)]
    Counted.compared = 0
    assert matches({"a": value}) is (operator == "$nin")
    assert matches({"a": Counted("another")}) is (operator == "$nin")
    assert Counted.compared < 1_000


@pytest.mark.parametrize("walk", ["$elemMatch", "$allMatch"])
def test_a_selector_walks_through_lists_a_few_times_only(walk: str) -> None:
    matcher({"$or": [{"a": {walk: {"$eq": number}}} for number in range(5)]})
    with pytest.raises(Refusal, match="too large"):
        matcher({"$or": [{"a": {walk: {"$eq": number}}} for number in range(MAX_PARTS // 25)]})


def test_values_are_the_same_for_lists_of_values_as_alone() -> None:
    values: list[Any] = [None, True, False, 0, 1, 1.0, "1", "", [], [1], [True], {}, {"a": 1}, {"a": [True]}]
    for one in values:
        for other in values:
            is_same = matcher({"a": {"$eq": one}})({"a": other})
            if isinstance(one, list | dict):
                # Python takes 1 for True inside a list; lists of values don't.
                is_same = repr(one) == repr(other)
            assert matcher({"a": {"$in": [one]}})({"a": [other]}) is is_same
            assert matcher({"a": {"$nin": [one]}})({"a": other}) is not is_same
            assert matcher({"a": {"$all": [one]}})({"a": [other]}) is is_same


async def test_more_ids_than_a_replica_names_are_refused_in_a_filter(client: Client) -> None:
    door = await a_database(client)
    body = {"doc_ids": [str(number) for number in range(MAX_DOC_IDS + 1)]}
    answer = await door.ask("POST", "/_changes?filter=_doc_ids", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/", "/api/me", "/api/typo", "/db/", "/db/notes/_all_docs"])
async def test_an_address_of_megabytes_is_refused_before_it_is_taken_apart(client: Client, path: str) -> None:
    """Anybody may send one, and a server of HTTP takes any length."""
    assert problem(await client.get(f"{path}?{'a=b&' * 16_001}"), 413, "too_large") == {"limit": ADDRESS_BYTES}
    assert (await client.get(f"{path}?{'a=b&' * 10_000}")).status_code != 413


def test_sets_of_numbers_are_subtracted_as_sets_are() -> None:
    chance = random.Random(20261130)
    for _ in range(300):
        one, other = ({chance.randrange(1, 60) for _ in range(chance.randrange(40))} for _ in range(2))
        assert Numbers.of(one).minus(Numbers.of(other)) == Numbers.of(one - other)
        assert all((number in Numbers.of(one)) is (number in one) for number in range(1, 62))


class Stepped(tuple[tuple[int, int], ...]):
    """Ranges that count how often one of them is read."""

    read = 0

    def __getitem__(self, position: Any) -> Any:
        Stepped.read += 1
        return super().__getitem__(position)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for each in super().__iter__():
            Stepped.read += 1
            yield each


def test_subtracting_reads_each_range_a_few_times() -> None:
    odd = Numbers(Stepped((number, number) for number in range(1, 2 * MANY, 2)))
    even = Numbers(Stepped((number, number) for number in range(2, 2 * MANY, 2)))
    Stepped.read = 0
    assert odd.minus(even).ranges == tuple(odd.ranges)
    assert Stepped.read < 10 * MANY


def said(**holding: Any) -> Envelope:
    request = {"protocol": 2, "enrolment": "e" * 43, "exchange": "1", "holding": holding}
    return read_request(json.dumps(request).encode()).envelope


def test_of_numbers_that_no_phone_has_only_so_many_ranges_are_kept() -> None:
    odd = [str(number) for number in range(1, MANY, 2)]
    thirds = [str(number) for number in range(2, MANY, 3)]
    received = Numbers.of(range(5, 5 * MANY, 5))
    after = Progress().after(received, Numbers(), said(unsent=odd, discarded=thirds))
    for kept in (after.received, after.refused, after.unsent, after.discarded, after.gaps):
        assert len(kept.ranges) <= MAX_RANGES
    # The lowest stay, and what is cut off is asked for again.
    assert 5 in after.received
    assert 1 in after.unsent
    assert 2 in after.discarded
    # What an honest phone says is kept whole.
    honest = Progress().after(Numbers.of(range(1, 4000)), Numbers(), said(unsent=["4001", "4003"], discarded=["4002"]))
    assert (str(honest.received), str(honest.unsent), str(honest.discarded)) == ("1-3999", "4001,4003", "4002")
    assert str(honest.gaps) == "4000"


async def test_edits_of_one_document_never_copy_what_stands_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def counting(name: str) -> Callable[..., Any]:
        whole = getattr(Graph, name)

        def counted(graph: Graph, *arguments: Any, **named: Any) -> Any:
            looks.append(name)
            return whole(graph, *arguments, **named)

        return counted

    for name in ("adding", "naming", "leaves", "counting_leaves", "reached"):
        monkeypatch.setattr(Graph, name, counting(name))
    line: list[NewRevision] = []
    forks: list[NewRevision] = []
    for number in range(300):
        line.append(edit("a", str(number), line[-1] if line else None))
        if number < MAX_LEAVES - 2:
            forks.append(edit("a", f"fork {number}", line[0]))
    head = FeedEnd("agri-03226-2025", 0, b"", "0" * 32, 0, 0, takes_anything=False)
    batch = Batch(head, {}, Receipt(SOMEBODY, datetime.now(UTC)))
    outcomes = [batch.take(each).outcome for each in [line[0], *forks, *line[1:], *line]]
    assert outcomes == ["stored"] * (300 + len(forks)) + ["duplicate"] * 300
    assert len(batch.rows().revisions) == 300 + len(forks)
    assert looks == []


class CountedLines(Branches):
    """Branches that count how often a line is walked."""

    walked = 0

    def line(self, rev: RevisionId, until: Collection[RevisionId] = ()) -> list[RevisionId]:
        CountedLines.walked += 1
        return super().line(rev, until)


def test_what_any_number_of_revisions_led_to_is_found_in_one_walk_a_leaf() -> None:
    line = [rev(generation, "a") for generation in range(1, 301)]
    forks = [rev(301, name) for name in "bcd"]
    parents = {line[0]: None, **dict(zip(line[1:], line, strict=False)), **dict.fromkeys(forks, line[-1])}
    of = CountedLines("a", Graph(parents, dict.fromkeys(parents, False)))
    CountedLines.walked = 0
    assert all(sorted(of.latest(each)) == sorted(forks) for each in line)
    assert all(of.latest(fork) == [fork] for fork in forks)
    assert of.latest(rev(1, "unknown")) == []
    assert CountedLines.walked == len(forks)
