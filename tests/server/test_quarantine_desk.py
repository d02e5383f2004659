"""What the server keeps aside, as data managers see it, let it in and mark it as seen."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.areas.grants import Grant
from server.auth.audit import acts_on
from server.auth.people import set_grants
from server.background import followers_of
from server.demo.phone import Phone
from server.journal.model import NewRevision, Origin
from sync.revisions.canonical import canonical
from tests.builders import PROVINCE, SIN_THAU, Client, SignedIn, grant, person_signed_in, problem
from tests.conftest import StandingClock
from tests.server.sync_door import DATABASE, FORM, VERSION, a_phone, answer_of, exchange, outcomes, save, with_form

QUEUE = "/api/conflicts/quarantine"


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


@pytest.fixture
async def manager(client: Client) -> SignedIn:
    return await person_signed_in(client, "khang", grant("data_manager"))


async def listed(client: Client, who: SignedIn, **filters: Any) -> dict[str, Any]:
    answer = await client.get(QUEUE, headers=who.headers, params=filters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def only(client: Client, who: SignedIn) -> dict[str, Any]:
    [entry] = (await listed(client, who))["entries"]
    found: dict[str, Any] = entry
    return found


def key(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("database", "id", "rev", "fingerprint")}


async def accept(client: Client, who: SignedIn, entry: Mapping[str, Any]) -> httpx.Response:
    return await client.post(f"{QUEUE}/accept", headers=who.headers, json=key(entry))


async def mark(client: Client, who: SignedIn, entry: Mapping[str, Any], comment: str) -> httpx.Response:
    return await client.post(f"{QUEUE}/seen", headers=who.headers, json={**key(entry), "comment": comment})


async def kept_aside(client: Client, phone: Phone, **answers: Any) -> dict[str, Any]:
    """Bring in a record whose answers don't type."""
    document = save(phone, **(answers or {"trees": "mười hai"}))
    assert outcomes(await exchange(phone))[-1][1:] == ("quarantined", "misfit_answers")
    return document


async def test_what_is_kept_aside_is_shown_with_its_reason_and_the_answer_that_does_not_fit(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    document = await kept_aside(client, phone, trees="mười hai", stranger=["x"])
    entry = await only(client, manager)
    assert entry["doc"] == document
    assert (entry["reason"], entry["by_name"], entry["unit_name"]) == ("misfit_answers", "Người hoa", "Sín Chải")
    assert (entry["form"], entry["form_title"], entry["title"]) == (
        FORM,
        {"vi": FORM, "en": FORM},
        "Cây ở Tả Sìn Thàng",
    )
    assert [(each["path"], each["reason"], each["came"]) for each in entry["misfits"]] == [
        ("/answers/stranger", "unknown", '["x"]'),
        ("/answers/trees", "not_integer", "mười hai"),
    ]
    assert (entry["present"], entry["differs"], entry["may_accept"], entry["why_not"]) == (None, [], True, None)


async def test_an_edit_is_shown_beside_what_stands_with_the_answers_that_differ(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    record = save(phone)["_id"]
    await exchange(phone)
    save(phone, record, trees="một", village="Bản khác")
    await exchange(phone)
    entry = await only(client, manager)
    assert entry["present"]["doc"]["answers"]["trees"] == "12"
    assert (entry["present"]["by_name"], entry["present"]["is_deleted"]) == ("Người hoa", False)
    assert entry["differs"] == ["/answers/trees", "/answers/village"]


async def test_a_form_that_nobody_published_is_shown_as_it_came(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    phone.save(DATABASE, "never_published", "1", {"a": {"b": "c"}})
    await exchange(phone)
    entry = await only(client, manager)
    assert (entry["reason"], entry["form"], entry["is_form_known"], entry["misfits"]) == (
        "unknown_form",
        "never_published",
        False,
        [],
    )


async def test_files_that_are_badly_described_are_named(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    phone.save(DATABASE, FORM, VERSION, {"trees": "1"}, media={"cay.jpg": {"type": "image/jpeg"}})
    await exchange(phone)
    assert [each["path"] for each in (await only(client, manager))["misfits"]] == ["/media"]


async def test_what_is_let_in_stands_in_the_graph_and_the_phone_hears_it_until_it_confirms(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    document = await kept_aside(client, phone)
    answer = await accept(client, manager, await only(client, manager))
    assert (answer.status_code, answer.json()) == (200, {"rev": document["_rev"], "followers": 0})
    assert (await listed(client, manager))["entries"] == []
    stored = await client.app.state["journal"].document(DATABASE, document["_id"])
    assert (stored.rev, stored.person, stored.enrolment) == (document["_rev"], phone.person["id"], phone.enrolment)
    # The first answer after it is lost on the way: the outcome is told again until the phone has said that it knows.
    assert outcomes(answer_of(await phone.post(phone.request()))) == [("1", "stored", None)]
    assert outcomes(await exchange(phone)) == [("1", "stored", None)]
    assert phone.verdicts == {"1"}
    assert (await exchange(phone)).acks == []


async def test_a_phone_that_sends_it_once_more_after_it_was_let_in_is_told_that_it_is_here(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    save(phone, trees="mười hai")
    envelope = phone.request()
    await phone.post(envelope)
    await accept(client, manager, await only(client, manager))
    assert outcomes(answer_of(await phone.post(envelope))) == [("1", "duplicate", None)]
    # What the repeat said is no confirmation; the final word comes once more, by itself.
    assert outcomes(await exchange(phone, push=[], seal=None))[0][:2] == ("1", "stored")


async def test_a_colleague_gets_what_was_let_in_and_reviewers_see_it(client: Client, manager: SignedIn) -> None:
    phone, colleague = await a_phone(client), await a_phone(client, "mai")
    document = await kept_aside(client, phone)
    assert outcomes(await exchange(colleague)) == []
    assert document["_id"] not in colleague.documents.get(DATABASE, {})
    await accept(client, manager, await only(client, manager))
    await exchange(colleague)
    assert colleague.documents[DATABASE][document["_id"]]["_rev"] == document["_rev"]
    await _follow(client)
    found = (await client.get("/api/review/records", headers=manager.headers)).json()
    assert [line["id"] for line in found["records"]] == [document["_id"]]


async def test_whatever_is_let_in_stops_neither_the_followers_nor_reviewers_nor_the_map(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    odd: list[Any] = [
        {"trees": 12, "height_m": "7,5", "place": "91 200", "uses": "leaf"},
        {"trees": ["1"], "height_m": {}, "place": [[]], "uses": {"leaf": "seed"}, "photo": ["cay.jpg"]},
        {"village": "a\x00b", "meta": {"instanceName": "a\x00b", "instanceID": None}},
        {"meta": "words", "photo": "../cay.jpg", "place": "1e999 nan", "trees": "9" * 400},
        {"meta": {"instanceName": {"a": []}}, "place": "22.02 103.17 x y"},
    ]
    for answers in odd:
        phone.save(DATABASE, FORM, VERSION, answers, media={"cay.jpg": {"sha256": "x\x00"}})
    phone.save(DATABASE, "never\x00published", "1\x00", {"a": "\x00"})
    for content in (
        {"form": {"a": "b"}, "form_version": [], "answers": [], "media": []},
        {"form": FORM, "form_version": VERSION, "answers": None, "media": "x"},
        {"form": FORM, "form_version": VERSION},
    ):
        phone.put(DATABASE, str(UUID(int=len(phone.outgoing))), {"type": "record", **content})
    told = outcomes(await exchange(phone))
    assert {outcome for _, outcome, _ in told} == {"quarantined"}
    entries = (await listed(client, manager, limit=50))["entries"]
    assert len(entries) == len(told)
    for entry in entries:
        answer = await accept(client, manager, entry)
        assert answer.status_code == 200, answer.text
    await _follow(client)
    supervisor = await person_signed_in(client, "son", grant("supervisor"))
    records = (await client.get("/api/review/records", headers=supervisor.headers)).json()["records"]
    assert {each["id"] for each in records} == {each["id"] for each in entries}
    for each in records:
        address = f"/api/review/records/{DATABASE}/{each['id']}"
        assert (await client.get(address, headers=supervisor.headers)).status_code == 200
        body = {"rev": each["rev"], "decision": "approved"}
        assert (await client.post(f"{address}/decisions", headers=supervisor.headers, json=body)).status_code == 201
    await _follow(client)
    shown = await client.get(f"/api/publish/{FORM}.geojson", headers=supervisor.headers)
    assert shown.status_code == 200, shown.text


async def test_an_edit_of_what_waits_may_not_be_let_in_before_it(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    document = save(phone, trees="mười hai")
    # A request carried it, so that what is saved next is an edit of it.
    phone.request()
    edited = save(phone, document["_id"], trees="mười ba")
    assert [row[2] for row in outcomes(await exchange(phone))] == ["misfit_answers", "misfit_answers"]
    entries = {entry["rev"]: entry for entry in (await listed(client, manager))["entries"]}
    later = entries[edited["_rev"]]
    assert (later["may_accept"], later["why_not"]) == (False, "parent_waits")
    problem(await accept(client, manager, later), 409, "parent_waits")
    assert (await accept(client, manager, entries[document["_rev"]])).json()["followers"] == 0
    assert (await accept(client, manager, later)).json()["followers"] == 0
    assert outcomes(await exchange(phone)) == [("1", "stored", None), ("2", "stored", None)]


async def test_what_does_not_wait_any_more_cannot_be_let_in_again(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    await kept_aside(client, phone)
    entry = await only(client, manager)
    assert (await accept(client, manager, entry)).status_code == 200
    problem(await accept(client, manager, entry), 409, "not_waiting")
    problem(await mark(client, manager, entry, "muộn rồi"), 409, "not_waiting")
    problem(await accept(client, manager, {**entry, "fingerprint": "00"}), 409, "not_waiting")


async def test_of_several_contents_under_one_id_exactly_the_one_that_was_seen_is_let_in(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    document = save(phone)
    await exchange(phone)
    journal = client.app.state["journal"]
    content = {name: value for name, value in document.items() if not name.startswith("_")}
    contents = [canonical({**content, "answers": {"trees": trees}}) for trees in ("98", "99")]
    forged = [NewRevision(document["_id"], document["_rev"], (), False, each, verify=False) for each in contents]
    assert [each.reason for each in await journal.write(DATABASE, forged, Origin())] == ["known_id_other_content"] * 2
    entries = (await listed(client, manager, reason="known_id_other_content"))["entries"]
    assert len(entries) == 2
    assert len({each["fingerprint"] for each in entries}) == 2
    chosen = next(each for each in entries if each["doc"]["answers"] == {"trees": "99"})
    assert (await accept(client, manager, chosen)).status_code == 200
    winner = await journal.document(DATABASE, document["_id"])
    # It could not come in under an id that is taken: it is an edit of what has it.
    assert (winner.content, winner.parent) == (contents[1], document["_rev"])
    assert (await only(client, manager))["doc"]["answers"] == {"trees": "98"}


@pytest.mark.parametrize(
    "content",
    [
        {"type": "review", "decision": "approved"},
        {"type": "record", "form": FORM, "form_version": VERSION, "merged": ["1-" + "0" * 32]},
    ],
    ids=["a decision", "a merge"],
)
async def test_what_no_phone_may_decide_is_kept_and_never_let_in(
    client: Client, manager: SignedIn, content: dict[str, object]
) -> None:
    phone = await a_phone(client)
    phone.put(DATABASE, "018f5c3e-0000-7000-8000-000000000001", content)
    await exchange(phone)
    entry = await only(client, manager)
    assert (entry["may_accept"], entry["why_not"]) == (False, "not_acceptable")
    problem(await accept(client, manager, entry), 409, "not_acceptable")
    assert (await mark(client, manager, entry, "Máy lạ, đã hỏi người ghi")).status_code == 204


async def test_a_forged_decision_is_not_let_in_because_rights_were_what_was_looked_at(
    client: Client, manager: SignedIn
) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    phone.put(DATABASE, "review:x:018f5c3e-0000-7000-8000-000000000001", {"type": "review", "decision": "approved"})
    async with client.app.state["storage"].write() as connection:
        await set_grants(connection, phone.person["id"], ())
    assert outcomes(await exchange(phone))[0][1:] == ("quarantined", "rights_lost")
    assert (await only(client, manager))["why_not"] == "not_acceptable"


async def test_an_entry_that_was_seen_stays_with_every_comment_and_leaves_the_unseen(
    client: Client, manager: SignedIn, clock: StandingClock
) -> None:
    phone = await a_phone(client)
    await kept_aside(client, phone)
    await kept_aside(client, phone, trees="hai")
    first = (await listed(client, manager))["entries"][0]
    for comment in ("  Đã gọi điện cho Hoa  ", "Hoa sẽ ghi lại"):
        clock.move(minutes=1)
        assert (await mark(client, manager, first, comment)).status_code == 204
    unseen, seen = await listed(client, manager, seen=False), await listed(client, manager, seen=True)
    assert [each["rev"] for each in seen["entries"]] == [first["rev"]]
    assert [each["rev"] for each in unseen["entries"]] != [first["rev"]]
    assert (seen["counts"], unseen["counts"]) == ({"unseen": 1, "seen": 1},) * 2
    assert [(each["by_name"], each["comment"]) for each in seen["entries"][0]["notes"]] == [
        ("Người khang", "Đã gọi điện cho Hoa"),
        ("Người khang", "Hoa sẽ ghi lại"),
    ]
    assert (await accept(client, manager, first)).status_code == 200
    assert (await listed(client, manager))["counts"] == {"unseen": 1, "seen": 0}


async def test_a_comment_says_something(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    await kept_aside(client, phone)
    problem(await mark(client, manager, await only(client, manager), "  \n "), 400, "invalid_request")


async def test_the_trail_tells_who_let_it_in_without_what_it_says(
    client: Client, manager: SignedIn, clock: StandingClock
) -> None:
    phone = await a_phone(client)
    document = await kept_aside(client, phone)
    entry = await only(client, manager)
    await mark(client, manager, entry, "bí mật")
    clock.move(seconds=1)
    await accept(client, manager, entry)
    async with client.app.state["storage"].read() as connection:
        acts = await acts_on(connection, f"{DATABASE}/{document['_id']}")
    assert [(act.action, act.person) for act in acts] == [
        ("quarantine.accepted", manager.person),
        ("quarantine.seen", manager.person),
    ]
    assert acts[0].details == {"rev": entry["rev"], "fingerprint": entry["fingerprint"], "reason": "misfit_answers"}
    assert "bí mật" not in str(acts)


async def test_pages_neither_repeat_nor_skip_and_the_newest_comes_first(
    client: Client, manager: SignedIn, clock: StandingClock
) -> None:
    phone = await a_phone(client)
    saved = []
    for batch in range(3):
        clock.move(minutes=1)
        saved.append({save(phone, trees=f"x{batch}{each}")["_rev"] for each in range(3)})
        await exchange(phone)
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = await listed(client, manager, limit=2, **before)
        seen += [each["rev"] for each in page["entries"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert len(seen) == len(set(seen)) == 9
    assert [set(seen[at : at + 3]) for at in (0, 3, 6)] == saved[::-1]
    for token in ("x", "ñ", "WzFd"):
        problem(await client.get(QUEUE, headers=manager.headers, params={"before": token}), 400, "invalid_request")


async def test_a_page_ends_early_when_its_records_are_large(client: Client, manager: SignedIn) -> None:
    phone = await a_phone(client)
    for _ in range(3):
        save(phone, trees=token_hex(300_000))
    await exchange(phone, max_bytes=5_000_000)
    page = await listed(client, manager)
    assert len(page["entries"]) == 1
    assert page["next"] is not None
    assert len(page["entries"][0]["misfits"][0]["came"]) < 400


async def test_the_queue_is_for_data_managers_and_administrators_in_their_scopes_i9(client: Client) -> None:
    """I9: nothing of a document leaves for a person whose grants don't cover its scope."""
    phone = await a_phone(client)
    await kept_aside(client, phone)
    administrator = await person_signed_in(client, "quan", Grant("administrator", "*", PROVINCE))
    entry = await only(client, administrator)
    supervisor = await person_signed_in(client, "son", grant("supervisor"))
    problem(await client.get(QUEUE, headers=supervisor.headers), 403, "not_allowed")
    problem(await accept(client, supervisor, entry), 403, "not_allowed")
    problem(await mark(client, supervisor, entry, "x"), 403, "not_allowed")
    elsewhere = await person_signed_in(client, "thau", grant("data_manager", unit=SIN_THAU), grant("supervisor"))
    assert await listed(client, elsewhere) == {"entries": [], "next": None, "counts": {"unseen": 0, "seen": 0}}
    problem(await accept(client, elsewhere, entry), 403, "not_allowed")
    stranger = await person_signed_in(client, "la", grant("data_manager", "tourism"))
    problem(await accept(client, stranger, entry), 404, "not_found")
    problem(await client.get(QUEUE, headers=stranger.headers, params={"scope": DATABASE}), 404, "not_found")
    nowhere = {**entry, "database": "agri-99999-2025"}
    problem(await accept(client, administrator, nowhere), 404, "not_found")
    problem(await client.get(QUEUE), 401, "not_signed_in")


async def _follow(client: Client) -> None:
    state = client.app.state
    followers = followers_of(
        state["settings"],
        state["storage"],
        state["journal"],
        clock=state["clock"],
        library=state["library"],
        areas=state["areas"],
    )
    await followers.once()
