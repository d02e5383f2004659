"""`GET` and `POST /{db}/_changes`: one row a document, at its latest sequence.

    normal        what stands, in one answer
    longpoll      waits for the first row when nothing stands
    continuous    a line a row, for as long as both sides like
    eventsource   the same as server-sent events

Rows are read in pages, each in a transaction of its own, up to where the feed stood when the reading began: a slow
client holds no connection, and a document that moves meanwhile stands behind the end, where the client goes on.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.feed_reading import FeedPosition, Reader, Selection
from server.gateway.couchdb.live_feed import FeedTiming, continuous, eventsource, longpoll, watched
from server.gateway.couchdb.refusals import Refusal, bad_parameter, missing
from server.gateway.couchdb.selector import Matcher, matcher
from server.journal.store import document_list
from sync.revisions import checkpoint_chain

Feed = Literal["normal", "longpoll", "continuous", "eventsource"]

DEFAULT_TIMEOUT_MS = 60_000
DEFAULT_HEARTBEAT_MS = 60_000
LEAST_HEARTBEAT_MS = 100
#: The ids are looked up anew for every page of rows.
MAX_DOC_IDS = 20_000


@dataclass(frozen=True, slots=True)
class _Kind:
    feed: Feed
    pace: FeedTiming


async def changes(call: Call) -> Answer:
    """Answer the feed as it was asked for."""
    said = await call.mapping_if_any() if call.method == "POST" else {}
    selection = _selection(call, said)
    kind = _kind(call)
    reader = Reader(call, selection, await _place(call))
    match kind.feed:
        case "normal":
            return Answer(pieces=_normal(reader))
        case "longpoll":
            return Answer(pieces=longpoll(reader, kind.pace), is_live=True)
        case "continuous":
            return Answer(pieces=continuous(reader, kind.pace), is_live=True)
        case "eventsource":
            return Answer(pieces=eventsource(reader, kind.pace), is_live=True, media_type="text/event-stream")


async def _normal(reader: Reader) -> AsyncIterator[bytes]:
    start = b'{"results":[\n'
    async for rows in watched(reader):
        yield start + b",\n".join(rows)
        start = b",\n"
    yield (b"" if start == b",\n" else start) + b"\n]," + await reader.tail()


def _kind(call: Call) -> _Kind:
    feed = call.query.get("feed", "normal")
    if feed not in get_args(Feed):
        raise Refusal(400, "bad_request", "Supported `feed` types: normal, continuous, longpoll, eventsource")
    heartbeat_ms: int | None = None
    if call.query.get("heartbeat") == "true":
        heartbeat_ms = DEFAULT_HEARTBEAT_MS
    elif call.query.get("heartbeat", "false") != "false":
        heartbeat_ms = max(LEAST_HEARTBEAT_MS, call.count("heartbeat") or 0)
    timeout_ms = call.count("timeout")
    # As in CouchDB: who wants heartbeats waits for as long as they come.
    if timeout_ms is None and heartbeat_ms is None:
        timeout_ms = DEFAULT_TIMEOUT_MS
    if heartbeat_ms is not None:
        timeout_ms = None
    heartbeat_s = None if heartbeat_ms is None else heartbeat_ms / 1000
    return _Kind(feed, FeedTiming(heartbeat_s, None if timeout_ms is None else timeout_ms / 1000))  # type: ignore[arg-type]


async def _place(call: Call) -> FeedPosition:
    since = call.query.get("since", call.request.headers.get("last-event-id", "0")).strip('"')
    async with call.parts.storage.read() as connection:
        of = await document_list.info(connection, call.db.name)
    if since == "now":
        return FeedPosition(of.seq, of.update_seq, of.created_at)
    seq = await call.parts.journal.position(call.db.name, since)
    return FeedPosition(
        seq, since if seq else checkpoint_chain.token(0, checkpoint_chain.seed(call.db.name)), of.created_at
    )


def _selection(call: Call, said: Mapping[str, Any]) -> Selection:
    style = call.query.get("style", "main_only")
    if style not in ("main_only", "all_docs"):
        raise bad_parameter("style")
    name = call.query.get("filter")
    ids: list[str] | None = None
    matches: Matcher | None = None
    if name == "_doc_ids":
        asked = said["doc_ids"] if "doc_ids" in said else call.json("doc_ids") if "doc_ids" in call.query else None
        if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
            raise Refusal(400, "bad_request", "`doc_ids` must be an array of strings.")
        if len(asked) > MAX_DOC_IDS:
            raise Refusal(400, "bad_request", f"`doc_ids` may name {MAX_DOC_IDS} documents at most.")
        ids = asked
    elif name == "_selector":
        matches = matcher(said.get("selector"))
    elif name == "_design":
        matches = _is_design_document
    elif name is not None and ("/" in name or (name == "_view" and "view" in call.query)):
        # A function of a design document: none is run here.
        raise missing("missing")
    elif name is not None:
        raise Refusal(400, "bad_request", "filters here are `_design`, `_doc_ids` and `_selector`")
    return Selection(
        limit=call.count("limit"),
        with_all_leaves=style == "all_docs",
        include_docs=call.flag("include_docs"),
        attachments=call.flag("include_docs") and call.flag("attachments"),
        conflicts=call.flag("conflicts"),
        descending=call.flag("descending"),
        seq_interval=max(1, call.count("seq_interval") or 1),
        ids=ids,
        matches=matches,
    )


def _is_design_document(document: Any) -> bool:
    return bool(document["_id"].startswith("_design/"))
