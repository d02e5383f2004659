"""A simulated phone: what the app does on a device, over the public HTTP API and nothing else.

It has a P-256 key of its own, counts its saves, freezes a revision when a request first carries it, keeps `since`,
acknowledgements and verdicts, compares digests, and sends media in pieces. Demo, tests and benches use it.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.api_jws import PyJWS

from server.auth.jwk import jwk_of, thumbprint
from server.platform.clock import Clock, system_clock
from server.platform.ids import uuid7
from sync.contract.reasons import STORED
from sync.contract.seal import said_digest, sealed_payload
from sync.contract.wire import PROTOCOL
from sync.revisions.canonical import Json, canonical
from sync.revisions.digest import EMPTY, moved, term
from sync.revisions.revision_id import rank, revision_id

Document = dict[str, Any]
_JWS = PyJWS(algorithms=["ES256"])


class PhoneRefused(Exception):
    """The server answered with a problem; `status` and `code` say which."""

    def __init__(self, response: httpx.Response) -> None:
        """Read the problem, or what stands in its place."""
        self.status = response.status_code
        try:
            self.problem: dict[str, Any] = response.json()
        except ValueError:
            self.problem = {}
        self.code = str(self.problem.get("code", ""))
        super().__init__(f"{response.status_code} {self.code or response.text[:200]}")


class DigestMismatch(Exception):
    """The phone's copy of a database is not what the server says it is."""


@dataclass(slots=True)
class Outgoing:
    """An own revision that is not settled yet; frozen once a request has carried it."""

    database: str
    document: Document
    ancestors: tuple[str, ...]
    is_frozen: bool = False

    @property
    def number(self) -> str:
        """Return the save's number."""
        return str(self.document["saved"]["number"])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a record, on its way."""

    database: str
    record: str
    name: str
    type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the content's hash."""
        return hashlib.sha256(self.content).hexdigest()

    def about(self) -> dict[str, str]:
        """Return what the record's `media` says of it."""
        return {"sha256": self.sha256, "bytes": str(len(self.content)), "type": self.type}

    def metadata(self) -> str:
        """Return the `Upload-Metadata` header."""
        said = {
            "sha256": self.sha256,
            "type": self.type,
            "db": self.database,
            "record": self.record,
            "name": self.name,
        }
        return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


class HeldDocuments(Mapping[str, Document]):
    """A phone's documents of one database, by id, with their digest as a sum: an exchange doesn't read them all."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._documents: dict[str, Document] = {}
        self.digest = EMPTY

    def __getitem__(self, doc_id: str) -> Document:
        """Return the document; raise KeyError if it isn't held."""
        return self._documents[doc_id]

    def __iter__(self) -> Iterator[str]:
        """Give the ids, those that came first first."""
        return iter(self._documents)

    def __len__(self) -> int:
        """Return how many documents are held."""
        return len(self._documents)

    def place(self, document: Document) -> None:
        """Hold a document as it is now; one that is deleted is held no longer."""
        doc_id = document["_id"]
        before = self._documents.get(doc_id)
        change = -term(doc_id, before["_rev"]) if before else 0
        if document.get("_deleted"):
            self._documents.pop(doc_id, None)
        else:
            self._documents[doc_id] = document
            change += term(doc_id, document["_rev"])
        self.digest = moved(self.digest, change)


@dataclass(slots=True)
class Phone:
    """One device; `client` has the server's address as its base. Use `sign_in`, `save`, `attach`, `sync`."""

    client: httpx.AsyncClient
    label: str = "simulated phone"
    clock: Clock = system_clock
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    access_token: str | None = None
    refresh_token: str | None = None
    person: dict[str, Any] = field(default_factory=dict)
    server: str | None = None
    since: dict[str, str] = field(default_factory=dict)
    documents: dict[str, HeldDocuments] = field(default_factory=dict)
    outgoing: list[Outgoing] = field(default_factory=list)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    carry: list[str] = field(default_factory=list)
    safe: int = 0
    highest: int = 0
    exchanges: int = 0
    verdicts: set[str] = field(default_factory=set)
    discarded: list[str] = field(default_factory=list)
    media_waiting: list[Attachment] = field(default_factory=list)

    @property
    def enrolment(self) -> str:
        """Return the thumbprint that names this phone."""
        return thumbprint(jwk_of(self.key.public_key()))

    async def sign_in(self, username: str, password: str) -> Self:
        """Sign a person in and register the phone's key."""
        device = {"jwk": jwk_of(self.key.public_key()), "label": self.label}
        body = {"username": username, "password": password, "enrolment": device}
        answer = _checked(await self.client.post("/api/auth/login", json=body)).json()
        self.access_token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        self.person, self.server = answer["person"], answer["server"]
        self.highest = max(self.highest, int(answer["enrolment"]["highest_number"]))
        return self

    def save(
        self,
        database: str,
        form: str,
        form_version: str,
        answers: Mapping[str, Any],
        *,
        media: Mapping[str, Mapping[str, str]] | None = None,
        record: str | None = None,
        at: str | None = None,
    ) -> Document:
        """Save a record, or an edit of `record`; returns the document as it will be sent."""
        content: dict[str, Any] = {
            "type": "record",
            "form": form,
            "form_version": form_version,
            "answers": dict(answers),
            "media": {name: dict(file) for name, file in (media or {}).items()},
        }
        return self.put(database, record or uuid7(self.clock), content, at=at)

    def delete(self, database: str, record: str) -> Document:
        """Delete a record that this phone has."""
        return self.put(database, record, {"type": "record"}, deleted=True)

    def put(
        self,
        database: str,
        doc_id: str,
        content: Mapping[str, Any],
        *,
        deleted: bool = False,
        at: str | None = None,
        source: Mapping[str, str] | None = None,
    ) -> Document:
        """Make the next revision of a document; an own edit that no request has carried is replaced.

        `source` is the record that saved it to another form's.
        """
        last = next((item for item in reversed(self.outgoing) if item.document["_id"] == doc_id), None)
        number, ancestors = str(self.highest + 1), self._ancestors(database, doc_id, last)
        if last is not None and not last.is_frozen:
            self.outgoing.remove(last)
            number, ancestors = last.number, last.ancestors
        else:
            self.highest += 1
        saved: dict[str, Json] = {"by": self.enrolment, "number": number, "at": at or self.clock().isoformat()}
        if source is not None:
            saved["from"] = dict(source)
        body: dict[str, Json] = {**content, "saved": saved}
        parent = ancestors[0] if ancestors else None
        rev = revision_id(doc_id, deleted=deleted, parent=parent, content=canonical(body))
        document: Document = {"_id": doc_id, "_rev": rev, **({"_deleted": True} if deleted else {}), **body}
        self.outgoing.append(Outgoing(database, document, ancestors))
        return document

    def _ancestors(self, database: str, doc_id: str, last: Outgoing | None) -> tuple[str, ...]:
        if last is not None:
            return (str(last.document["_rev"]), *last.ancestors)
        stands = self.documents.get(database, HeldDocuments()).get(doc_id)
        return (str(stands["_rev"]),) if stands else ()

    def attach(self, attachment: Attachment) -> dict[str, str]:
        """Keep a file for sending; returns what the record's `media` says of it."""
        self.media_waiting.append(attachment)
        return attachment.about()

    def request(self, *, max_bytes: int = 250_000, limit: int | None = None) -> dict[str, Any]:
        """Return the next exchange's request; what it carries is frozen from here on."""
        self.exchanges += 1
        sending = self.outgoing[:limit]
        for item in sending:
            item.is_frozen = True
        staying = [item.number for item in self.outgoing[len(sending) :]]
        envelope: dict[str, Any] = {
            "protocol": PROTOCOL,
            "enrolment": self.enrolment,
            "exchange": str(self.exchanges),
            "since": dict(self.since),
            "push": [
                {"db": item.database, "doc": item.document, "ancestors": list(item.ancestors)} for item in sending
            ],
            "holding": {
                "unsent": staying,
                "discarded": list(self.discarded),
                "drafts": 0,
                "media": len(self.media_waiting),
            },
            "verdicts": sorted(self.verdicts, key=int),
            "device": {"app": "simulated", "free_bytes": 1_000_000_000, "persistent": True},
            "max_bytes": max_bytes,
        }
        return self.sealed(envelope)

    def sealed(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        """Return an envelope with the seal that fits what it says."""
        push = [
            (item["db"], _text(item["doc"].get("_id")), _text(item["doc"].get("_rev"))) for item in envelope["push"]
        ]
        said = said_digest(envelope["holding"], envelope["verdicts"])
        payload = sealed_payload(self.enrolment, envelope["exchange"], push, said)
        return {**envelope, "seal": self.sign(payload)}

    def sign(self, payload: bytes) -> str:
        """Return a detached JWS over `payload` by the phone's key."""
        return _JWS.encode(payload, self.key, algorithm="ES256", headers={"b64": False}, is_payload_detached=True)

    async def post(self, envelope: Mapping[str, Any], *, token: str | None = None) -> httpx.Response:
        """Send an envelope as the app does: gzipped, with the access token where there is one."""
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        bearer = token if token is not None else self.access_token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        return await self.client.post("/api/sync", content=gzip.compress(body, 6), headers=headers)

    async def exchange(self, *, max_bytes: int = 250_000, limit: int | None = None) -> dict[str, Any]:
        """Do one exchange and keep what it brought; an access token that ran out is renewed inside it."""
        envelope = self.request(max_bytes=max_bytes, limit=limit)
        response = await self.post(envelope)
        if response.status_code == 401 and self.refresh_token:
            response = await self.post({**envelope, "refresh": self.refresh_token})
        answer: dict[str, Any] = _checked(response).json()
        self.receive(answer, envelope)
        return answer

    def receive(self, answer: Mapping[str, Any], envelope: Mapping[str, Any]) -> None:
        """Take an answer in: acknowledgements, documents, checkpoints and tokens together."""
        if answer["tokens"]:
            self.access_token, self.refresh_token = answer["tokens"]["access_token"], answer["tokens"]["refresh_token"]
        pushed = {item["doc"]["_rev"]: item for item in envelope["push"]}
        self.verdicts -= set(envelope["verdicts"])
        for ack in answer["acks"]:
            self._settle(ack, pushed.get(ack["rev"]))
        for database, changes in answer["changes"].items():
            held = self.documents.setdefault(database, HeldDocuments())
            for document in changes["docs"]:
                held.place(document)
            self.since[database] = changes["since"]
            if "digest" in changes and changes["digest"] != held.digest:
                raise DigestMismatch(database)
        if answer["carry"] is not None:
            self.carry = list(answer["carry"])
        self.safe = int(answer["safe"])
        self.server = answer["server"]

    def _settle(self, ack: Mapping[str, Any], pushed: Mapping[str, Any] | None) -> None:
        if ack["number"] is not None:
            before = self.outcomes.get(ack["number"])
            self.outcomes[ack["number"]] = dict(ack)
            if pushed is None or (before is not None and before["outcome"] == "quarantined"):
                self.verdicts.add(ack["number"])
        if ack["outcome"] == "refused":
            return
        self.outgoing = [item for item in self.outgoing if item.document["_rev"] != ack["rev"]]
        if pushed is not None and ack["outcome"] in STORED:
            self._place(pushed)

    def _place(self, pushed: Mapping[str, Any]) -> None:
        """Show what the server took, unless a colleague's branch wins: the answer need not bring that one again."""
        held, document = self.documents.setdefault(pushed["db"], HeldDocuments()), pushed["doc"]
        stands = held.get(document["_id"])
        is_branch = stands is not None and stands["_rev"] not in pushed["ancestors"]
        is_deleted = bool(document.get("_deleted"))
        if stands and is_branch and rank(stands["_rev"], deleted=False) > rank(document["_rev"], deleted=is_deleted):
            return
        held.place(document)

    async def sync(self, *, max_bytes: int = 250_000, limit: int | None = None) -> list[dict[str, Any]]:
        """Exchange until nothing that can be sent waits here and the server has no more; then send the media."""
        answers = []
        while True:
            waiting = len(self.outgoing)
            answers.append(await self.exchange(max_bytes=max_bytes, limit=limit))
            has_more = any(changes["more"] for changes in answers[-1]["changes"].values())
            if not has_more and (not self.outgoing or len(self.outgoing) == waiting):
                break
        await self.send_media()
        return answers

    async def send_media(self, piece_bytes: int = 256 * 1024) -> None:
        """Send every file that waits, in pieces, from where each one stands."""
        while self.media_waiting:
            await self.upload(self.media_waiting[0], piece_bytes)
            self.media_waiting.pop(0)

    async def upload(self, attachment: Attachment, piece_bytes: int = 256 * 1024) -> None:
        """Send one file by tus 1.0."""
        content = attachment.content
        headers = {"Upload-Length": str(len(content)), "Upload-Metadata": attachment.metadata(), **self.tus()}
        begun = _checked(await self.client.post("/api/media", headers=headers))
        offset = int(begun.headers["Upload-Offset"])
        while offset < len(content):
            piece = content[offset : offset + piece_bytes]
            headers = {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                **self.tus(),
            }
            taken = _checked(await self.client.patch(begun.headers["Location"], content=piece, headers=headers))
            offset = int(taken.headers["Upload-Offset"])

    def tus(self) -> dict[str, str]:
        """Return the headers that every request about media bears."""
        return {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {self.access_token}"}


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code >= 400:
        raise PhoneRefused(response)
    return response


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
