"""Records that may be of one household: joined, parted, told apart, and what late edits of the one that went become."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.auth.audit import acts_on
from server.forms.answers.engine_forms import MergingForms
from server.journal.model import NewRevision, Origin
from server.projections.aliases import AliasesProjection
from tests.builders import PROVINCE, SIN_CHAI, SIN_THAU, Client, SignedIn, grant, person_signed_in, problem
from tests.server.published_forms import publish

pytestmark = pytest.mark.by_turns

DATABASE = f"agri-{SIN_CHAI}"
FORM, VERSION = "household_crop", "2026112101"
XFORM = (Path(__file__).parents[2] / "vectors" / "forms" / "household_crop.xml").read_bytes()
PAIRS = "/api/duplicates"
MEMBERS = "/answers/household/members"
OLDER, NEWER = "0193a1b2-0000-7000-8000-00000000000a", "0193a1b2-0000-7000-8000-00000000000b"
HOA: dict[str, Any] = {
    "survey_date": "2026-11-20",
    "household": {
        "head_name": "Lò Thị Hoa",
        "head_birth_year": "1980",
        "phone": "0912345678",
        "dwelling_code": None,
        "members": "5",
        "house_point": "22.05 103.25 600 4.5",
        "house_photo": "nha.jpg",
    },
    "land": {"has_plots": "yes", "plot": [{"_rid": "r1", "plot_name": "Nương trên", "crops": ["rice", "maize"]}]},
    "outlook": {"losses": ["none"], "remarks": None},
}
AGAIN: dict[str, Any] = {
    "survey_date": "2026-11-20",
    "household": {
        "head_name": "Lo Thi Hoa",
        "head_birth_year": "1980",
        "phone": None,
        "dwelling_code": "NL-041",
        "members": "6",
        "house_point": "22.0501 103.2501 600 9",
        "house_photo": "nha.jpg",
    },
    "land": {"has_plots": "yes", "plot": [{"_rid": "r9", "plot_name": "Nương dưới", "crops": ["maize"]}]},
    "outlook": {"losses": ["none"], "remarks": "Cần giống"},
}
PHOTOS = {OLDER: "ab" * 32, NEWER: "cd" * 32}


@pytest.fixture
async def manager(client: Client) -> SignedIn:
    await publish(client, FORM, VERSION, "agri", XFORM)
    return await person_signed_in(client, "khang", grant("data_manager", unit=PROVINCE))


async def save(
    client: Client, record: str, answers: dict[str, Any], parent: str | None = None, person: str = "hoa"
) -> str:
    content: dict[str, Any] = {
        "type": "record",
        "form": FORM,
        "form_version": VERSION,
        "answers": answers,
        "media": {"nha.jpg": {"sha256": PHOTOS[record], "bytes": "3", "type": "image/jpeg"}},
        "saved": {"by": "phone", "number": "1", "at": "2026-11-20T08:00:00+07:00"},
    }
    revision = NewRevision.following(record, content, parent)
    [outcome] = await client.app.state["journal"].write(DATABASE, [revision], Origin(person))
    assert outcome.outcome == "stored", outcome
    return revision.rev


async def follow(client: Client) -> None:
    for _ in range(3):
        await client.app.state["runner"].once()


async def content_of(client: Client, record: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await client.app.state["journal"].document(DATABASE, record)).content)
    return found


@pytest.fixture
async def pair(client: Client, manager: SignedIn) -> dict[str, str]:
    """Two records of one household; their revisions."""
    revs = {OLDER: await save(client, OLDER, HOA), NEWER: await save(client, NEWER, AGAIN, person="pao")}
    await follow(client)
    return revs


async def page(client: Client, who: SignedIn) -> dict[str, Any]:
    answer = await client.get(f"{PAIRS}/{DATABASE}/{OLDER}/{NEWER}", headers=who.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def say(client: Client, who: SignedIn, act: str = "decide", **said: Any) -> Any:
    return await say_of(client, who, await page(client, who), act, **said)


async def say_of(client: Client, who: SignedIn, shown: dict[str, Any], act: str = "decide", **said: Any) -> Any:
    seen: dict[str, Any] = {"revs": {record: doc["_rev"] for record, doc in shown["docs"].items()}}
    if act == "decide":
        seen["saw"] = shown["at"]
    return await client.post(f"{PAIRS}/{DATABASE}/{NEWER}/{OLDER}/{act}", headers=who.headers, json=seen | said)


async def join(client: Client, who: SignedIn, *take: str) -> dict[str, Any]:
    answer = await say(client, who, verdict="same", survivor=OLDER, take=list(take), comment="cùng một nhà")
    assert answer.status_code == 201, answer.text
    await follow(client)
    found: dict[str, Any] = answer.json()
    return found


async def test_a_pair_stands_in_the_queue_with_what_speaks_for_it(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    listed = (await client.get(PAIRS, headers=manager.headers)).json()
    assert listed["counts"] == {"open": 1, "unsure": 0, "same": 0, "different": 0}
    [line] = listed["pairs"]
    assert [each["record"] for each in line["records"]] == [OLDER, NEWER]
    assert {each["particular"]: each["agreement"] for each in line["agreements"]} == {
        "name": "same",
        "birth_year": "same",
        "place": "same",
    }
    shown = await page(client, manager)
    by_name = next(each for each in shown["agreements"] if each["particular"] == "name")
    assert by_name["values"] == {OLDER: "Lò Thị Hoa", NEWER: "Lo Thi Hoa"}


async def test_records_stand_side_by_side_and_what_one_lacks_is_proposed_from_the_other(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    shown = await page(client, manager)
    assert (shown["suggested"], shown["can_join"], shown["may_decide"]) == (OLDER, True, True)
    fields = {each["path"]: each for each in shown["fields"]}
    assert fields["/answers/survey_date"]["is_same"]
    members = fields["/answers/household/members"]
    assert (members["is_same"], members["is_taken"]) == (False, False)
    assert members["values"] == {
        OLDER: {"value": "5", "is_absent": False},
        NEWER: {"value": "6", "is_absent": False},
    }
    assert members["label"]["en"]
    taken = {path for path, each in fields.items() if each["is_taken"]}
    assert taken == {
        "/answers/household/dwelling_code",
        "/answers/outlook/remarks",
        "/answers/land/plot/r9",
    }
    assert "/answers/land/plot/r9/crops" not in fields


async def test_joining_takes_what_was_chosen_and_says_in_the_other_which_it_is(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    shown = await join(client, manager, "/answers/household/dwelling_code", "/answers/land/plot/r9")
    assert (shown["verdict"], shown["survivor"]) == ("same", OLDER)
    stays, goes = await content_of(client, OLDER), await content_of(client, NEWER)
    assert stays["answers"]["household"] == {**HOA["household"], "dwelling_code": "NL-041"}
    assert [row["_rid"] for row in stays["answers"]["land"]["plot"]] == ["r1", "r9"]
    assert stays["decided"] == ["/answers/household/dwelling_code", "/answers/land/plot/r9"]
    assert goes["answers"] == AGAIN
    assert goes["same_as"]["record"] == OLDER
    listed = (await client.get(PAIRS, headers=manager.headers, params={"verdict": "same"})).json()
    [line] = listed["pairs"]
    assert (line["survivor"], line["comment"], line["by_name"]) == (OLDER, "cùng một nhà", "Người khang")


async def test_a_photo_that_comes_over_gets_another_name_where_its_own_is_taken(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager, "/answers/household/house_photo")
    stays = await content_of(client, OLDER)
    name = stays["answers"]["household"]["house_photo"]
    assert name != "nha.jpg"
    assert stays["media"][name]["sha256"] == PHOTOS[NEWER]
    assert stays["media"]["nha.jpg"]["sha256"] == PHOTOS[OLDER]


async def test_a_late_edit_of_the_record_that_went_lands_on_the_one_that_stays(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager, "/answers/household/dwelling_code")
    later = {**AGAIN, "household": {**AGAIN["household"], "phone": "0987654321", "members": "7"}}
    await save(client, NEWER, later, parent=pair[NEWER], person="pao")
    await follow(client)
    household = (await content_of(client, OLDER))["answers"]["household"]
    assert (household["members"], household["dwelling_code"]) == ("7", "NL-041")
    history = await client.app.state["journal"].history(DATABASE, OLDER)
    assert "pao" in {each.person for each in history if b'"forwarded"' in each.content}
    before = len(history)
    await follow(client)
    assert len(await client.app.state["journal"].history(DATABASE, OLDER)) == before


async def test_parting_gives_back_what_came_over_and_both_stand_for_themselves(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager, "/answers/household/dwelling_code", "/answers/land/plot/r9")
    later = {**AGAIN, "household": {**AGAIN["household"], "members": "7"}}
    await save(client, NEWER, later, parent=pair[NEWER], person="pao")
    await follow(client)
    answer = await say(client, manager, "part", comment="hai nhà khác nhau")
    assert answer.status_code == 201, answer.text
    await follow(client)
    stays, goes = await content_of(client, OLDER), await content_of(client, NEWER)
    # What the form computes is computed anew.
    assert {name: stays["answers"][name] for name in HOA} == HOA
    assert "same_as" not in goes
    assert goes["answers"]["household"]["members"] == "7"
    [line] = (await client.get(PAIRS, headers=manager.headers)).json()["pairs"]
    assert (line["verdict"], line["survivor"]) == ("open", None)
    refused = await say(client, manager, "part")
    problem(refused, 409, "pair_not_joined")


async def test_parting_leaves_what_was_decided_before_the_joining(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    for members, person in (("7", "hoa"), ("8", "pao")):
        answers = {**HOA, "household": {**HOA["household"], "members": members}}
        await save(client, OLDER, answers, parent=pair[OLDER], person=person)
    await follow(client)
    at = f"/api/conflicts/{DATABASE}/{OLDER}"
    asked = (await client.get(at, headers=manager.headers)).json()
    decision = {"rev": asked["rev"], "leaves": asked["leaves"], "choices": [{"path": MEMBERS, "value": "9"}]}
    assert (await client.post(f"{at}/decide", headers=manager.headers, json=decision)).status_code == 201
    await follow(client)
    await join(client, manager)
    assert (await say(client, manager, "part")).status_code == 201
    await follow(client)
    assert (await content_of(client, OLDER))["answers"]["household"]["members"] == "9"
    assert (await client.get("/api/conflicts", headers=manager.headers)).json()["total"] == 0


async def test_different_and_unsure_are_kept_beside_the_pair_and_taken_back(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    for verdict in ("unsure", "different", "open"):
        answer = await say(client, manager, verdict=verdict, comment="")
        assert answer.status_code == 201, answer.text
        await follow(client)
        listed = (await client.get(PAIRS, headers=manager.headers, params={"verdict": verdict})).json()
        assert len(listed["pairs"]) == 1
    async with client.app.state["storage"].read() as connection:
        acts = await acts_on(connection, f"{DATABASE}/{OLDER}")
    assert {each.action for each in acts} == {"pair.open", "pair.different", "pair.unsure"}


async def test_a_verdict_about_a_record_that_changed_meanwhile_is_refused_and_nothing_is_written(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    seen = {"revs": pair, "verdict": "same", "survivor": OLDER, "take": [], "comment": ""}
    await save(client, OLDER, {**HOA, "survey_date": "2026-11-21"}, parent=pair[OLDER])
    answer = await client.post(f"{PAIRS}/{DATABASE}/{OLDER}/{NEWER}/decide", headers=manager.headers, json=seen)
    problem(answer, 409, "record_moved_on")
    assert "same_as" not in await content_of(client, NEWER)


async def test_the_audit_tells_what_a_joining_and_a_parting_did(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager, MEMBERS)
    word = json.loads((await client.app.state["journal"].document(DATABASE, NEWER)).content)["same_as"]
    assert (await say(client, manager, "part")).status_code == 201
    async with client.app.state["storage"].read() as connection:
        acts: dict[str, Any] = {each.action: each.details for each in await acts_on(connection, f"{DATABASE}/{OLDER}")}
    assert set(acts) == {"pair.same", "pair.parted"}
    same = acts["pair.same"]
    assert (same["survivor"], same["taken"], same["saw"]) == (OLDER, [MEMBERS], pair)
    assert {"record": OLDER, "rev": word["took"]} in same["revs"]
    assert {each["record"] for each in acts["pair.parted"]["revs"]} == {OLDER, NEWER}


async def test_who_has_not_seen_what_another_manager_said_is_told_and_overwrites_nothing(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    second = await person_signed_in(client, "mai", grant("data_manager", unit=PROVINCE))
    stale = await page(client, second)
    assert (await say(client, manager, verdict="different", comment="hai nhà")).status_code == 201
    for said in ({"verdict": "same", "survivor": OLDER}, {"verdict": "unsure"}):
        problem(await say_of(client, second, stale, **said), 409, "pair_said")
    assert "same_as" not in await content_of(client, NEWER)
    shown = await page(client, second)
    assert (shown["verdict"], shown["comment"]) == ("different", "hai nhà")
    assert (await say_of(client, second, shown, verdict="unsure")).status_code == 201


async def test_only_what_a_question_asks_comes_over(client: Client, manager: SignedIn, pair: dict[str, str]) -> None:
    for path in ("/form_version", "/type", "/nowhere/x", "/answers/land/plot/r9/crops", "/answers/household"):
        answer = await say(client, manager, verdict="same", survivor=OLDER, take=[MEMBERS, path])
        assert problem(answer, 422, "unknown_choice") == {"path": path}
    assert "same_as" not in await content_of(client, NEWER)


@pytest.mark.slow
async def test_parting_waits_until_what_was_brought_over_is_merged(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager)
    stands = await client.app.state["journal"].document(DATABASE, OLDER)
    parent = stands.rev
    for remarks in ("một", "hai"):
        answers = {**HOA, "outlook": {**HOA["outlook"], "remarks": remarks}}
        parent = await save(client, OLDER, answers, parent=parent)
    await save(client, NEWER, {**AGAIN, "survey_date": "2026-11-19"}, parent=pair[NEWER], person="pao")
    # Brought over, and not yet merged there.
    await client.app.state["runner"].once()
    shown = await page(client, manager)
    problem(await say_of(client, manager, shown, "part"), 409, "record_moved_on")
    await follow(client)
    assert (await content_of(client, OLDER))["answers"]["survey_date"] == "2026-11-19"
    assert (await say(client, manager, "part")).status_code == 201
    await follow(client)
    stays = await content_of(client, OLDER)
    assert (stays["answers"]["survey_date"], stays["answers"]["outlook"]["remarks"]) == ("2026-11-20", "hai")


async def test_what_was_on_its_way_over_when_the_records_were_parted_stays_where_it_was(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager)
    state = client.app.state
    await save(client, NEWER, {**AGAIN, "survey_date": "2026-11-19"}, parent=pair[NEWER], person="pao")
    forms_of = partial(MergingForms.over, state["library"])
    aliases = AliasesProjection(state["storage"], state["journal"], state["areas"], forms_of=forms_of)
    effects = await aliases.effects(DATABASE, await state["journal"].changes_of(DATABASE, [NEWER]))
    word = await state["journal"].document(DATABASE, NEWER)
    alone = {name: value for name, value in json.loads(word.content).items() if name != "same_as"}
    for leaf in (await state["journal"].whole(DATABASE, [NEWER]))[NEWER].graph.leaves():
        said = json.loads((await state["journal"].document(DATABASE, NEWER, leaf)).content)
        if "same_as" in said:
            await state["journal"].write(DATABASE, [NewRevision.following(NEWER, alone, leaf)], Origin("khang"))
    before = len(await state["journal"].history(DATABASE, OLDER))
    async with state["storage"].write() as connection:
        await effects(connection)
    assert len(await state["journal"].history(DATABASE, OLDER)) == before


async def test_a_record_that_is_joined_is_not_joined_again(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    await join(client, manager)
    answer = await say(client, manager, verdict="same", survivor=NEWER, take=[], comment="")
    problem(answer, 409, "pair_joined")
    answer = await say(client, manager, verdict="different", comment="")
    problem(answer, 409, "pair_joined")


async def test_only_those_who_settle_conflicts_of_the_area_see_and_decide(
    client: Client, manager: SignedIn, pair: dict[str, str]
) -> None:
    worker = await person_signed_in(client, "hoa", grant("field_worker"))
    elsewhere = await person_signed_in(client, "binh", grant("data_manager", unit=SIN_THAU))
    administrator = await person_signed_in(client, "son", grant("administrator", unit=PROVINCE))
    path = f"{PAIRS}/{DATABASE}/{OLDER}/{NEWER}"
    problem(await client.get(path, headers=worker.headers), 403, "not_allowed")
    problem(await client.get(path, headers=elsewhere.headers), 404, "not_found")
    assert (await client.get(PAIRS, headers=elsewhere.headers)).json()["pairs"] == []
    assert (await page(client, administrator))["may_decide"] is False
    problem(await say(client, administrator, verdict="unsure"), 403, "not_allowed")
    problem(await client.get(f"{path}x", headers=manager.headers), 404, "not_found")
