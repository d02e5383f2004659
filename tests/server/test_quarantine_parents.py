"""What a quarantined edit waits for: a parent that a person may let in, no other."""

from dataclasses import replace
from typing import Any

from litestar import Litestar

from server.journal.model import NewRevision, Origin
from tests.builders import Client, grant, person_signed_in, running
from tests.server.sync_door import DATABASE, FORM, VERSION, with_form
from tests.server.test_quarantine_desk import accept, listed, only


async def test_nothing_waits_for_a_parent_that_nobody_may_let_in(client: Client) -> None:
    await with_form(client)
    manager = await person_signed_in(client, "khang", grant("data_manager"))
    content: dict[str, Any] = {"type": "record", "form": FORM, "form_version": VERSION, "media": {}}
    content["answers"] = {"trees": "1"}
    forged = NewRevision.following("a", {**content, "comment": "approved"}, None)
    misfit = NewRevision.following("a", {**content, "answers": {"trees": "two"}}, forged.rev)
    journal = client.app.state["journal"]
    held = [replace(forged, quarantine="servers_only"), replace(misfit, quarantine="misfit_answers")]
    await journal.write(DATABASE, held, Origin("hoa"))
    entries = {entry["rev"]: entry for entry in (await listed(client, manager))["entries"]}
    assert [entries[each.rev]["why_not"] for each in (forged, misfit)] == ["not_acceptable", None]
    answer = await accept(client, manager, entries[misfit.rev])
    assert answer.status_code == 200, answer.text
    assert (await only(client, manager))["rev"] == forged.rev
    assert (await journal.document(DATABASE, "a")).rev == misfit.rev
    assert await journal.faults(DATABASE) == []


async def test_edits_that_an_earlier_release_held_for_their_parent_are_judged_again_at_the_start(app: Litestar) -> None:
    content: dict[str, Any] = {"type": "record", "form": FORM, "form_version": VERSION, "media": {}}
    content["answers"] = {"trees": "1"}
    parent = replace(NewRevision.following("a", content, None), quarantine="misfit_answers")
    said = {
        "sound": {**content, "of": "b"},
        "misfit": {**content, "answers": {"trees": "two"}},
        "formless": {**content, "form_version": "not here"},
        "claimed": {**content, "decided": ["/answers/trees"]},
    }
    edits = {name: NewRevision.following("a", each, parent.rev) for name, each in said.items()}
    edits["deleted"] = NewRevision.following("a", {"type": "record"}, parent.rev, deleted=True)
    async with running(app), Client(app) as client:
        await with_form(client)
        held = [replace(each, quarantine="parent_quarantined") for each in edits.values()]
        await app.state.journal.write(DATABASE, [parent, *held], Origin("hoa"))
    async with running(app):
        journal = app.state.journal
        waiting = {each.rev: each for each in await journal.quarantined(DATABASE, "a")}
        names = {each.rev: name for name, each in edits.items()}
        assert {names.get(rev, "parent"): each.reason for rev, each in waiting.items()} == {
            "parent": "misfit_answers",
            "misfit": "misfit_answers",
            "formless": "unknown_form",
            "claimed": "servers_only",
        }
        assert waiting[edits["formless"].rev].awaits is not None
        history = {each.rev: each for each in await journal.history(DATABASE, "a")}
        assert history.keys() == {edits["sound"].rev, edits["deleted"].rev}
        assert {each.person for each in history.values()} == {"hoa"}
        assert await journal.faults(DATABASE) == []
