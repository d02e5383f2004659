"""What a tampered phone sends: revisions that must never reach a winner, replace what is stored, or count as kept."""

import copy
import json
from typing import TYPE_CHECKING, Any

from sync.contract.wire import PROTOCOL
from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import revision_id
from tests.simulation.checks import Broken
from tests.simulation.phone import NetworkFailed, Phone, Refused
from tests.simulation.province import FORM, SCOPES, VERSION

if TYPE_CHECKING:
    from tests.simulation.world import World

#: The attack, and what may become of it.
EXPECTED = {
    "forged generation": ("quarantined",),
    "other content under a known id": ("quarantined", "refused"),
    "an id that is no digest": ("refused",),
    "a foreign scope": ("refused",),
}


async def attack(world: "World") -> None:
    """Let somebody with a valid key send something forged to the province."""
    random = world.random
    phone, to = random.choice(world.phones), world.servers["province"]
    state = phone.rows.servers.get(to.name)
    if state is None or state.token is None or not any(name in SCOPES for name in state.carry):
        return
    kind = random.choice(list(EXPECTED))
    database = random.choice([name for name in state.carry if name in SCOPES])
    world.log(f"a tampered {phone.name} sends {to.name} {kind}")
    item = _forged(world, phone, kind, database)
    request: dict[str, Any] = {
        "protocol": PROTOCOL,
        "enrolment": phone.enrolment,
        "exchange": str(phone.rows.exchange),
        "push": [item],
        "holding": {"unsent": [], "discarded": [], "drafts": 0, "media": 0},
        "verdicts": [],
    }
    before = {key for key in to.promised if key[2] == item["doc"]["_rev"]}
    body = phone.pack(copy.deepcopy(request))
    try:
        answer = json.loads(await world.network.deliver_raw(to, body))
    except (NetworkFailed, Refused) as error:
        world.log(f"  and is not heard: {error}")
        return
    heard = world.network.heard[to.name][phone.enrolment]
    # It spoke in the device's name, so its number counts as the device's; its empty hands do once, if nobody was heard
    # under that count.
    if int(request["exchange"]) > heard.exchange:
        heard.holding, heard.exchange = set(), int(request["exchange"])
    if answer["acks"][0]["number"] is not None:
        heard.numbers.add(int(answer["acks"][0]["number"]))
    outcome, reason = answer["acks"][0]["outcome"], answer["acks"][0]["reason"]
    if reason == "not_allowed" and kind != "a foreign scope":
        # Its grants were taken since it heard what it carries: nobody looks further.
        return
    world.seen[f"rogue: {kind}"] += 1
    if outcome not in EXPECTED[kind] and not before and (database, item["doc"]["_id"]) in world.highest:
        raise Broken("admission", f"{kind} was {outcome}")


def _forged(world: "World", phone: Phone, kind: str, database: str) -> dict[str, Any]:
    random = world.random
    doc_id = random.choice(world.records[database])
    if kind == "a foreign scope":
        database = "agri-99999-2025"
    content: dict[str, Json] = {
        "type": "record",
        "form": FORM[database.partition("-")[0]],
        "form_version": VERSION,
        "answers": {"crop": "giả", "area": str(random.randrange(9)), "note": None},
        "media": {},
        "saved": {"by": phone.enrolment, "number": "1", "at": "forged"},
    }
    parent = (
        world.network.servers["province"]
        .reader.execute("SELECT winner FROM documents WHERE database = ? AND doc_id = ?", (database, doc_id))
        .fetchone()
    )
    base = parent["winner"] if parent is not None else f"1-{'0' * 32}"
    ancestors = [base]
    if kind == "forged generation":
        ancestors = [f"{random.randint(1500, 9_000_000)}-{random.getrandbits(128):032x}"]
    rev = revision_id(doc_id, deleted=False, parent=ancestors[0], content=canonical(content))
    if kind == "an id that is no digest":
        rev = f"{rev.split('-')[0]}-{random.getrandbits(128):032x}"
    if kind == "other content under a known id":
        rev, ancestors = base, []
    return {"db": database, "doc": {"_id": doc_id, "_rev": rev, **content}, "ancestors": ancestors}
