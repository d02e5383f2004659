"""One database of a peer, by the verbs of CouchDB's replication protocol; no answer is believed unchecked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from server.peers import remote
from server.peers.failures import PeerFailed
from server.peers.remote import Remote, RemoteAnswer
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, generation_of, is_revision_id

LONGPOLL_S = 45
#: Several revisions are no longer than this together, or they are asked for in smaller parts: read and taken apart,
#: they are in memory several times over. A single one may be as long as any answer.
SEVERAL_BYTES = 8_000_000
Document = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RemoteChanges:
    """A page of a peer's feed: leaves by document, where it ends, and how many changes remain (None: not told)."""

    leaves: Mapping[str, tuple[RevisionId, ...]]
    last_seq: str
    pending: int | None


@dataclass(frozen=True, slots=True)
class PulledRevision:
    """A revision from a peer as it came; `document` is None where the peer had a reason not to give it.

    Of its own the peer says `not_found`; `followed` is what looking again made of that: another revision came after it.
    """

    doc_id: str
    rev: RevisionId
    document: Document | None
    ancestors: tuple[RevisionId, ...] = ()
    reason: str | None = None


class RemoteDatabase:
    """A database at the peer."""

    def __init__(self, at: Remote, name: str) -> None:
        """Ask nothing yet."""
        self.name = name
        self._remote = at
        self._path = quote(name, safe="") + "/"
        self._has_bulk_get = True

    async def keeps_history(self) -> bool:
        """Whether earlier revisions stay readable there."""
        return await self._remote.keeps_history()

    async def make(self) -> None:
        """Make the database where it is missing, open to this system's role and one of its own name only."""
        found = await self._remote.ask("GET", self._path, may_fail=(404,))
        if found.status != 404:
            found.object()
            return
        made = await self._remote.ask("PUT", self._path, may_fail=(412,))
        if made.status != 412:
            roles = {"names": [], "roles": ["nuong", self.name]}
            security: Json = {"admins": {"names": [], "roles": ["_admin"]}, "members": roles}
            await self._remote.ask("PUT", self._path + "_security", body=security)

    async def local(self, name: str) -> Mapping[str, Any] | None:
        """Return the `_local` document, None where there is none."""
        found = await self._remote.ask("GET", f"{self._path}_local/{name}", may_fail=(404,))
        # A database that is missing answers alike; whoever pulls from it hears so from its feed.
        return None if found.status == 404 else found.object()

    async def put_local(self, name: str, content: Mapping[str, Any], over: str | None) -> str | None:
        """Return the revision of the `_local` document once it is written over `over`; None where another one stands.

        `over` None: where none stands.
        """
        body = {**content, "_id": f"_local/{name}"} | ({} if over is None else {"_rev": over})
        said = await self._remote.ask("PUT", f"{self._path}_local/{name}", body=body, may_fail=(409,))
        if said.status == 409:
            return None
        rev = said.object().get("rev")
        if not isinstance(rev, str):
            raise PeerFailed("garbage", "_local without a revision")
        return rev

    async def changes(self, since: str | None, limit: int, *, is_waiting: bool = False) -> RemoteChanges:
        """Return a page of the feed; `is_waiting` blocks at its end until something comes or the peer tires."""
        query = {"style": "all_docs", "limit": str(limit), **({"since": since} if since else {})}
        if is_waiting:
            query |= {"feed": "longpoll", "timeout": str(LONGPOLL_S * 1000)}
        silence_s = LONGPOLL_S + remote.SILENCE_S if is_waiting else None
        said = (await self._remote.ask("GET", self._path + "_changes", query=query, silence_s=silence_s)).object()
        rows, last_seq, pending = said.get("results"), said.get("last_seq"), said.get("pending")
        if not isinstance(rows, Sequence) or not isinstance(last_seq, str | int):
            raise PeerFailed("garbage", "_changes without results")
        leaves = dict(map(_leaves, rows))
        return RemoteChanges(leaves, str(last_seq), pending if isinstance(pending, int) else None)

    async def missing(self, leaves: Mapping[str, Sequence[RevisionId]]) -> dict[str, list[RevisionId]]:
        """Return which of these revisions the peer lacks."""
        asked = {doc_id: list(revs) for doc_id, revs in leaves.items()}
        said = (await self._remote.ask("POST", self._path + "_revs_diff", body=asked)).object()
        found: dict[str, list[RevisionId]] = {}
        for doc_id, difference in said.items():
            lacks = difference.get("missing") if isinstance(difference, Mapping) else None
            if doc_id not in asked or not isinstance(lacks, Sequence):
                raise PeerFailed("garbage", "_revs_diff of something else")
            found[doc_id] = [rev for rev in asked[doc_id] if rev in lacks]
        return found

    async def put(self, documents: Sequence[Document]) -> dict[tuple[str, str], str]:
        """Bring in revisions as they are; return the reasons of those that the peer will never take."""
        body: Json = {"docs": list(documents), "new_edits": False}
        said = (
            await self._remote.ask("POST", self._path + "_bulk_docs", body=body, silence_s=remote.BULK_SILENCE_S)
        ).value
        if not isinstance(said, Sequence) or isinstance(said, str):
            raise PeerFailed("garbage", "_bulk_docs without a list")
        refused: dict[tuple[str, str], str] = {}
        for row in said:
            if not isinstance(row, Mapping):
                raise PeerFailed("garbage", "_bulk_docs with something else")
            if "error" not in row:
                continue
            if row["error"] not in ("forbidden", "unauthorized", "bad_request", "doc_validation", "illegal_docid"):
                raise PeerFailed("failing", f"{row['error']} {row.get('reason', '')}")
            # A design document there may refuse one document of an account that may write the others, with
            # `unauthorized` too; an account that may write none of them is refused as a whole.
            reason = f"{row['error']}: {row.get('reason', '')}"
            of = [
                (str(document["_id"]), str(document["_rev"]))
                for document in documents
                if document["_id"] == row.get("id") and row.get("rev", document["_rev"]) == document["_rev"]
            ]
            if not of:
                # What it is about is unknown, so none of them counts as taken.
                raise PeerFailed("garbage", f"_bulk_docs about something else: {reason}")
            refused |= dict.fromkeys(of, reason)
        return refused

    async def commit(self) -> None:
        """Return when what was brought in is on the peer's disk; newer CouchDBs answer at once."""
        await self._remote.ask("POST", self._path + "_ensure_full_commit", body={}, may_fail=(404, 405, 501))

    async def get(self, wanted: Mapping[str, Sequence[RevisionId]]) -> list[PulledRevision]:
        """Return every wanted revision with its ancestors, or the peer's reason for lacking it.

        Raise `half`, and AnswerTooLong where several are too long together.
        """
        if self._has_bulk_get:
            docs = [{"id": doc_id, "rev": rev} for doc_id, revs in wanted.items() for rev in revs]
            path = self._path + "_bulk_get"
            said = await self._remote.ask(
                "POST",
                path,
                query={"revs": "true", "short_revs": "true"} if await self.keeps_history() else {"revs": "true"},
                body={"docs": docs},
                may_fail=(400, 404, 405, 501),
                silence_s=remote.BULK_SILENCE_S,
                most_bytes=SEVERAL_BYTES if len(docs) > 1 else remote.MAX_ANSWER_BYTES,
            )
            if said.status < 300:
                return _complete(wanted, _from_bulk_get(said))
            self._has_bulk_get = False
        found: list[PulledRevision] = []
        for doc_id, revs in wanted.items():
            found += await self._open_revs(doc_id, revs)
        return _complete(wanted, found)

    async def look_again(self, doc_id: str, revs: Sequence[RevisionId]) -> list[PulledRevision]:
        """Return what the peer did not find, asked for by another verb; what is not there now either with its reason.

        The feed named it, so that one `not_found` may be anything: a compaction under way, a node that lags behind.
        """
        found = {one.rev: one for one in await self._open_revs(doc_id, revs)}
        if all(rev in found and found[rev].reason != "not_found" for rev in revs):
            return [found[rev] for rev in revs]
        leaves = await self._open_revs(doc_id, None)
        found |= {one.rev: one for one in leaves}
        followed = {rev for leaf in leaves for rev in leaf.ancestors}
        for rev in revs:
            if rev not in found or found[rev].reason == "not_found":
                found[rev] = PulledRevision(doc_id, rev, None, reason="followed" if rev in followed else "not_found")
        return [found[rev] for rev in revs]

    async def _open_revs(self, doc_id: str, revs: Sequence[RevisionId] | None) -> list[PulledRevision]:
        """Return these revisions, or the leaves (None); a document that is missing has none."""
        listed = "all" if revs is None else "[" + ",".join(f'"{rev}"' for rev in revs) + "]"
        query = {"revs": "true", "open_revs": listed}
        said = await self._remote.ask("GET", self._path + quote(doc_id, safe=""), query=query, may_fail=(404,))
        if said.status == 404:
            return []
        if not isinstance(said.value, Sequence):
            raise PeerFailed("garbage", "open_revs without a list")
        flawed = {_part(flaw.where, 1) for flaw in said.flaws}
        found: list[PulledRevision] = []
        for position, row in enumerate(said.value):
            if not isinstance(row, Mapping):
                raise PeerFailed("garbage", "open_revs with something else")
            if "ok" in row:
                found.append(_brought(row["ok"], is_flawed=str(position) in flawed))
            elif isinstance(row.get("missing"), str):
                found.append(PulledRevision(doc_id, str(row["missing"]), None, reason="not_found"))
        return found


def _leaves(row: object) -> tuple[str, tuple[RevisionId, ...]]:
    if isinstance(row, Mapping) and isinstance(row.get("id"), str) and isinstance(row.get("changes"), Sequence):
        changes = [change.get("rev") if isinstance(change, Mapping) else None for change in row["changes"]]
        revs = tuple(rev for rev in changes if isinstance(rev, str))
        if revs and len(revs) == len(changes):
            return row["id"], revs
    raise PeerFailed("garbage", "_changes with something else")


def _from_bulk_get(said: RemoteAnswer) -> list[PulledRevision]:
    results = said.object().get("results")
    if not isinstance(results, Sequence):
        raise PeerFailed("garbage", "_bulk_get without results")
    # A flaw stands under /results/<n>/docs/<m>/ok/…
    flawed = {(_part(flaw.where, 2), _part(flaw.where, 4)) for flaw in said.flaws}
    found: list[PulledRevision] = []
    for first, result in enumerate(results):
        docs = result.get("docs") if isinstance(result, Mapping) else None
        if not isinstance(docs, Sequence):
            raise PeerFailed("garbage", "_bulk_get without documents")
        for second, row in enumerate(docs):
            if isinstance(row, Mapping) and "ok" in row:
                found.append(_brought(row["ok"], is_flawed=(str(first), str(second)) in flawed))
            elif isinstance(row, Mapping) and isinstance(error := row.get("error"), Mapping):
                reason = str(error.get("error", "unknown"))
                found.append(PulledRevision(str(error.get("id")), str(error.get("rev")), None, reason=reason))
            else:
                raise PeerFailed("garbage", "_bulk_get with something else")
    return found


def _part(pointer: str, position: int) -> str:
    parts = pointer.split("/")
    return parts[position] if len(parts) > position else ""


def _brought(document: object, *, is_flawed: bool) -> PulledRevision:
    if not isinstance(document, Mapping) or not isinstance(document.get("_id"), str):
        raise PeerFailed("garbage", "a document without an id")
    doc_id, rev = document["_id"], document.get("_rev")
    if not isinstance(rev, str) or not is_revision_id(rev):
        return PulledRevision(doc_id, str(rev), None, reason="malformed")
    ancestors = _ancestors(rev, document.get("_revisions"))
    if is_flawed or ancestors is None:
        return PulledRevision(doc_id, rev, None, reason="malformed")
    return PulledRevision(
        doc_id, rev, {name: value for name, value in document.items() if name != "_revisions"}, ancestors
    )


def _ancestors(rev: RevisionId, path: object) -> tuple[RevisionId, ...] | None:
    """Return the path parent first; None when it is not the revision's own."""
    if path is None:
        return ()
    ids = path.get("ids") if isinstance(path, Mapping) else None
    if not isinstance(path, Mapping) or not isinstance(ids, Sequence) or not ids:
        return None
    start = generation_of(rev)
    if f"{path.get('start')}-{ids[0]}" != rev:
        return None
    return tuple(f"{start - distance}-{digest}" for distance, digest in enumerate(ids) if distance)


def _complete(wanted: Mapping[str, Sequence[RevisionId]], found: Iterable[PulledRevision]) -> list[PulledRevision]:
    """Return what was found of what was wanted; raise `half` where something was passed over in silence."""
    by_key = {(one.doc_id, one.rev): one for one in found}
    keys = [(doc_id, rev) for doc_id, revs in wanted.items() for rev in revs]
    if absent := [key for key in keys if key not in by_key]:
        raise PeerFailed("half", f"{len(absent)} of {len(keys)} revisions are not in the answer")
    return [by_key[key] for key in keys]
