"""What waits in the catalog shows at the desk, too: a hub brings it from its province, and nobody's scope is it."""

from secrets import token_hex

from server.areas.grants import Grant
from server.journal.model import NewRevision, Origin
from sync.revisions.canonical import canonical
from tests.builders import PROVINCE, Client, grant, person_signed_in, problem
from tests.server.test_quarantine_desk import QUEUE, accept, listed, mark, only


async def test_what_waits_in_the_catalog_shows_to_who_administers_everything(client: Client) -> None:
    manager = await person_signed_in(client, "khang", grant("data_manager"))
    administrator = await person_signed_in(client, "dung", Grant("administrator", "*", PROVINCE))
    other = NewRevision("form:x", f"1-{token_hex(16)}", (), False, canonical({"type": "note"}), "not_a_record", False)
    [outcome] = await client.app.state.journal.write("catalog", [other], Origin())
    assert outcome.outcome == "quarantined"
    entry = await only(client, administrator)
    assert (entry["database"], entry["unit_name"], entry["may_accept"]) == ("catalog", "catalog", False)
    assert (await listed(client, administrator, scope="catalog"))["counts"] == {"unseen": 1, "seen": 0}
    assert (await accept(client, administrator, entry)).status_code == 409
    assert (await mark(client, administrator, entry, "asked the province")).status_code == 204
    assert (await listed(client, administrator))["counts"] == {"unseen": 0, "seen": 1}
    # It says nothing of anybody's scope.
    assert (await listed(client, manager))["entries"] == []
    problem(await client.get(QUEUE, headers=manager.headers, params={"scope": "catalog"}), 404, "not_found")
