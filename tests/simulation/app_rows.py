"""What a real phone's IndexedDB holds, as the rows that the checks read from a Python phone."""

from typing import Any

from sync.revisions.canonical import canonical
from tests.simulation.store import Held, Own, Receipt, Rows, ServerState

Tables = dict[str, list[dict[str, Any]]]


def rows_of(tables: Tables, enrolment: str, person: str) -> Rows:
    """Return the rows of one enrolment out of all tables of the app's store."""
    device = next((row for row in tables["enrolments"] if row["id"] == enrolment), None)
    own = {row["rev"]: _own(row) for row in tables["revisions"] if row["enrolment"] == enrolment}
    return Rows(
        own,
        _servers(tables, enrolment),
        {(row["database"], row["record"]): _base(row) for row in tables["drafts"] if row["person"] == person},
        device["highestNumber"] if device else 0,
        device.get("exchange", 0) if device else 0,
        frozenset(device["discarded"]) if device else frozenset(),
    )


def _own(row: dict[str, Any]) -> Own:
    receipts = sorted((name, Receipt(one["outcome"], one["reason"])) for name, one in row["receipts"].items())
    place = row["database"], row["id"], row["parent"]
    content = canonical(row["content"])
    return Own(row["rev"], *place, row["deleted"] == 1, content, row["number"], row["frozen"] == 1, tuple(receipts))


def _base(row: dict[str, Any]) -> tuple[str, bytes] | None:
    return None if row["base"] is None else (row["base"]["rev"], canonical(row["base"]["content"]))


def _servers(tables: Tables, enrolment: str) -> dict[str, ServerState]:
    # What servers hold is there for whoever is signed in.
    is_before = any(row["enrolment"] == enrolment for row in tables["session"])
    servers = {row["id"]: _server(row) for row in tables["servers"]} if is_before else {}
    for row in tables["standings"]:
        if row["enrolment"] == enrolment:
            state = servers.setdefault(row["server"], ServerState())
            state.verdicts, state.discarded = frozenset(row["verdicts"]), frozenset(row["discarded"])
            state.safe = row["safe"]
    for session in tables["session"]:
        if session["enrolment"] == enrolment:
            for name, let_in in {**session["elsewhere"], session["server"]: session}.items():
                state = servers.setdefault(name, ServerState())
                state.token = let_in["accessToken"] if let_in["expired"] == 0 else None
                state.refresh = let_in["refreshToken"]
    for row in tables["epochs"]:
        servers.setdefault(row["server"], ServerState()).epoch = row["epoch"]
    bodies = {(row["database"], row["id"], row["rev"]): row["content"] for row in tables["bodies"]}
    for row in tables["copies"] if is_before else ():
        content = canonical(bodies[row["database"], row["id"], row["rev"]])
        held = Held(row["rev"], row["deleted"] == 1, content, row["pull"])
        servers.setdefault(row["server"], ServerState()).documents[row["database"], row["id"]] = held
    return servers


def _server(row: dict[str, Any]) -> ServerState:
    return ServerState(
        since=row["since"],
        pulls=row["pulls"],
        afresh=row["afresh"],
        carry=tuple(row["carry"]),
        max_bytes=row["maxBytes"],
    )
