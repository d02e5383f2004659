"""A phone's request, read once: strict JSON, the wire's schema, and each pushed document by itself.

    body → `PhoneRequest`: an `Envelope` without documents, and the documents

Nothing behind this module reads the wire. A document with a flaw is marked and refused alone: it must not keep a
phone's whole queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from server.errors import Problem
from server.gateway.sync.schemas import REQUEST
from server.gateway.sync.seal import RequestSeal
from server.ingest.document import PushedDocument, read_document
from server.platform.json_reader import place_of, read
from sync.contract.seal import said_digest
from sync.contract.wire import PROTOCOL, Device, Holding
from sync.revisions.canonical import Json, MalformedJson


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request says besides its documents: who sends it, what stays on the phone, what it wants to know.

    `exchange` is the phone's own count of its requests; `verdicts` are the numbers whose final outcome it has stored.
    """

    enrolment: str
    exchange: int
    refresh: str | None
    since: Mapping[str, str]
    holding: Holding
    verdicts: frozenset[str]
    device: Device | None
    max_bytes: int
    seal: RequestSeal


@dataclass(frozen=True, slots=True)
class PhoneRequest:
    """A request as the exchange uses it."""

    envelope: Envelope
    push: Sequence[PushedDocument]


def read_request(body: bytes) -> PhoneRequest:
    """Return what a body says; raise Problem for anything amiss outside the documents."""
    try:
        reading = read(body)
    except MalformedJson as error:
        raise Problem("malformed_json", reason=error.code, where=place_of(error, body)) from error
    flawed = _flawed_documents(reading.flaws)
    value = reading.value
    # Which side must be brought up to date is said before anything else is looked at.
    spoken = value.get("protocol") if isinstance(value, dict) else None
    if isinstance(spoken, int) and spoken != PROTOCOL:
        raise Problem("app_too_old" if spoken < PROTOCOL else "server_too_old", spoken=spoken, expected=PROTOCOL)
    try:
        request = REQUEST.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "/" + "/".join(str(part) for part in first["loc"])
        raise Problem("envelope", reason=first["type"], where=where[:200]) from error
    holding = request.holding
    said = {
        "unsent": holding.unsent,
        "discarded": holding.discarded,
        "drafts": holding.drafts,
        "media": holding.media,
    }
    seal = RequestSeal(
        request.enrolment,
        request.exchange,
        [(item.db, _text(item.doc.get("_id")), _text(item.doc.get("_rev"))) for item in request.push],
        said_digest(said, request.verdicts),
        request.seal,
    )
    envelope = Envelope(
        request.enrolment,
        int(request.exchange),
        request.refresh,
        request.since,
        holding,
        frozenset(request.verdicts),
        request.device,
        request.max_bytes,
        seal,
    )
    push = [
        PushedDocument(item.db, read_document(item.doc, is_flawed=position in flawed), tuple(item.ancestors))
        for position, item in enumerate(request.push)
    ]
    return PhoneRequest(envelope, push)


def _flawed_documents(flaws: Sequence[MalformedJson]) -> set[int]:
    """Return the positions in `push` of documents that strict JSON refuses; raise Problem for a flaw elsewhere."""
    flawed: set[int] = set()
    for flaw in flaws:
        path = flaw.where.split("/")
        if path[1:2] != ["push"] or path[3:4] != ["doc"]:
            raise Problem("malformed_json", reason=flaw.code, where=flaw.where)
        flawed.add(int(path[2]))
    return flawed


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
