"""What a quarantined edit waits for: a parent that a person may let in, no other."""

from dataclasses import replace
from typing import Any

from server.journal.model import NewRevision, Origin
from tests.builders import Client, grant, person_signed_in
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
