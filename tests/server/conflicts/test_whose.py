"""A record stays its worker's in every list and on every page, whatever a desk has decided about it."""

import json
from typing import Any

import pytest

from server.ingest.peer_ingest import PeerSender
from server.peers.background import parts_of
from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem
from tests.server.conflicts.desk_world import DATABASE, FIRST, Desk, two_areas, with_workers
from tests.server.conflicts.test_deciding import AREA
from tests.server.conflicts.test_pairs import NEWER, OLDER, follow, join, save, say
from tests.server.conflicts.test_pairs import manager as manager  # noqa: PLC0414 — a fixture
from tests.server.conflicts.test_pairs import pair as pair  # noqa: PLC0414 — a fixture

pytestmark = pytest.mark.by_turns

LO, VANG, KHANG = "Lò Văn Ban", "Vàng A Súng", "Người khang"


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def supervisor(client: Client) -> SignedIn:
    return await person_signed_in(client, "chief", grant("supervisor", unit=PROVINCE))


async def listed(client: Client, who: SignedIn, **filters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/review/records", headers=who.headers, params=filters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["records"]
    return found


async def whose(client: Client, who: SignedIn, record: str) -> tuple[str, str | None]:
    [line] = [each for each in await listed(client, who) if each["id"] == record]
    page = (await client.get(f"/api/review/records/{DATABASE}/{record}", headers=who.headers)).json()
    told = (page["by_name"], page["decided_by_name"])
    assert told == (line["by_name"], line["decided_by_name"])
    return told


async def test_a_decided_record_stays_the_workers_and_tells_who_decided(desk: Desk) -> None:
    known = await two_areas(desk)
    record, chief = known["record"], await supervisor(desk.client)
    author = LO if known["other"] > known["one"] else VANG
    assert await whose(desk.client, chief, record) == (author, None)
    made = await desk.decide(await desk.page(record), {"path": AREA, "value": "0.95"})
    await desk.follow()
    assert await whose(desk.client, chief, record) == (author, KHANG)
    page = (await desk.client.get(f"/api/review/records/{DATABASE}/{record}", headers=chief.headers)).json()
    assert [each["kind"] for each in page["history"] if each["is_winner"]] == ["decision"]
    assert {each["kind"] for each in page["history"]} >= {"edit", "merge", "decision"}
    assert page["sent_at"] < page["received_at"]
    await desk.undo(await desk.page(record), made["rev"])
    await desk.follow()
    assert await whose(desk.client, chief, record) == (author, None)


async def test_a_decided_record_is_found_by_its_worker_and_by_who_decided(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("lo", {**FIRST, "area": "1.2"}, edits=first)
    await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    await desk.follow()
    await desk.decide(await desk.page(first.doc_id), {"path": AREA, "value": "0.95"})
    await desk.follow()
    chief = await supervisor(desk.client)
    for words in ("lo van ban", "khang"):
        assert [each["id"] for each in await listed(desk.client, chief, q=words)] == [first.doc_id], words
    later = await desk.edit("vang", first.doc_id, crop="rice")
    await desk.follow()
    assert await whose(desk.client, chief, later.doc_id) == (VANG, None)


async def test_neither_who_edited_nor_who_decided_approves_though_the_decision_was_taken_back(desk: Desk) -> None:
    client = desk.client
    both = [grant("data_manager", unit=PROVINCE), grant("supervisor", unit=PROVINCE)]
    judge = await person_signed_in(client, "judge", *both)
    known = await two_areas(desk)
    made = await desk.decide(await desk.page(known["record"]), {"path": AREA, "value": "0.95"}, by=judge)
    await desk.undo(await desk.page(known["record"]), made["rev"])
    await desk.follow()
    path = f"/api/review/records/{DATABASE}/{known['record']}"
    page = (await client.get(path, headers=judge.headers)).json()
    assert (page["may_approve"], page["why_not"]) == (False, "own_work")
    body = {"rev": page["rev"], "decision": "approved"}
    problem(await client.post(f"{path}/decisions", headers=judge.headers, json=body), 403, "own_work")
    chief = await supervisor(client)
    assert (await client.post(f"{path}/decisions", headers=chief.headers, json=body)).status_code == 201


async def test_joined_and_parted_records_stay_their_workers(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await with_workers(client, {"hoa": "Lò Thị Hoa", "pao": "Giàng A Páo"})
    chief = await supervisor(client)
    await join(client, manager, "/answers/household/dwelling_code")
    assert await whose(client, chief, OLDER) == ("Lò Thị Hoa", "Người khang")
    assert await whose(client, chief, NEWER) == ("Giàng A Páo", "Người khang")
    assert (await say(client, manager, "part")).status_code == 201
    await follow(client)
    assert await whose(client, chief, OLDER) == ("Lò Thị Hoa", None)
    assert await whose(client, chief, NEWER) == ("Giàng A Páo", None)


async def test_an_edit_that_came_over_from_a_joined_record_is_its_workers_with_their_devices_time(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await with_workers(client, {"pao": "Giàng A Páo"})
    chief = await supervisor(client)
    await join(client, manager, "/answers/household/dwelling_code")
    content = json.loads((await client.app.state["journal"].document(DATABASE, NEWER, pair[NEWER])).content)
    household = {**content["answers"]["household"], "phone": "0987654321"}
    await save(client, NEWER, {**content["answers"], "household": household}, parent=pair[NEWER], person="pao")
    await follow(client)
    [line] = [each for each in await listed(client, chief) if each["id"] == OLDER]
    # It stands on the decision, as the joining says.
    assert (line["by_name"], line["decided_by_name"]) == ("Giàng A Páo", None)
    assert line["recorded_at"] == "2026-11-20T08:00:00+07:00"


async def test_a_decision_that_a_peer_brought_leaves_the_record_its_workers(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    content: dict[str, Any] = {"type": "record", "form": "plot", "form_version": "1"}
    content["answers"] = {**FIRST, "area": "2.0"}
    decided = {"_id": first.doc_id, "_rev": f"2-{'d' * 32}", **content, "media": {}, "decided": [AREA]}
    ingest = parts_of(desk.client.app).ingest
    await ingest.receive(DATABASE, [(decided, (first.rev,))], PeerSender("peer:province", is_believed=True))
    await desk.follow()
    assert await whose(desk.client, await supervisor(desk.client), first.doc_id) == (LO, "")
