"""`GET` and `POST /{db}/_all_docs`: documents in the order of their ids, by range or by keys."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from server.gateway.couchdb.answer import Answer
from server.gateway.couchdb.attachments_out import PAGE_WITH_DATA, with_data
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import Refusal, bad_parameter
from server.gateway.couchdb.write_documents import Stride, document, joined, rev_list, string
from server.journal.store import document_list
from server.journal.store.branches import Branches, branches
from server.journal.store.document_list import Listed, Range

PAGE = 500


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of a request, from its query or its body."""

    of: Range
    keys: list[str] | None
    limit: int | None
    skip: int
    include_docs: bool
    attachments: bool
    conflicts: bool
    update_seq: bool


async def all_docs(call: Call) -> Answer:
    """List the documents that live in a range; or a row for each key, whatever stands there."""
    said = await call.mapping_if_any() if call.method == "POST" else {}
    options = _options(call, said)
    async with call.parts.storage.read() as connection:
        of = await document_list.info(connection, call.db.name)
        before = await document_list.count_before(connection, call.db.name, options.of) if options.keys is None else 0
        start = None
        if options.skip and options.keys is None:
            start = await document_list.skip(connection, call.db.name, options.of, options.skip)
    head = b'{"total_rows":%d,"offset":' % of.documents
    head += b"null" if options.keys is not None else b"%d" % min(of.documents, before + options.skip)
    if options.update_seq:
        head += b',"update_seq":%b' % string(of.update_seq)
    head += b',"rows":['
    is_past_end = bool(options.skip) and start is None
    rows = _by_keys(call, options) if options.keys is not None else _in_range(call, options, start, is_past_end)
    return Answer(pieces=_joined(head, rows))


async def _joined(head: bytes, pages: AsyncIterator[Iterable[bytes]]) -> AsyncIterator[bytes]:
    start = head + b"\r\n"
    async for page in pages:
        for piece in joined(page, b",\r\n"):
            yield start + piece
            start = b",\r\n"
    yield (b"" if start == b",\r\n" else start) + b"\r\n]}\n"


async def _in_range(
    call: Call, options: _Options, after: str | None, is_past_end: bool
) -> AsyncIterator[Iterable[bytes]]:
    left = options.limit
    stride = Stride(PAGE_WITH_DATA if options.attachments else PAGE, has_documents=options.include_docs)
    while not is_past_end and (left is None or left > 0):
        limit = stride.rows if left is None else min(stride.rows, left)
        async with call.parts.storage.read() as connection:
            found = await document_list.page(
                connection, call.db.name, options.of, after=after, limit=limit, include_docs=options.include_docs
            )
            torn = await _torn(call, connection, options, found)
        found = await _with_data(call, options, found)
        stride.came(each.content for each in found)
        if found:
            yield map(partial(_row, options=options, torn=torn), found)
            after = found[-1].doc_id
        if len(found) < limit:
            return
        left = None if left is None else left - len(found)


async def _by_keys(call: Call, options: _Options) -> AsyncIterator[Iterable[bytes]]:
    keys = options.keys or []
    keys = keys[::-1] if options.of.descending else keys
    end = None if options.limit is None else options.skip + options.limit
    left = iter(keys[options.skip : end])
    stride = Stride(PAGE_WITH_DATA if options.attachments else PAGE, has_documents=options.include_docs)
    while page := list(islice(left, stride.rows)):
        async with call.parts.storage.read() as connection:
            found = await document_list.by_ids(
                connection, call.parts.sql, call.db.name, page, include_docs=options.include_docs
            )
            torn = await _torn(call, connection, options, list(found.values()))
        found = {each.doc_id: each for each in await _with_data(call, options, list(found.values()))}
        stride.came(each.content for each in found.values())
        yield map(partial(_row_of_key, found=found, options=options, torn=torn), page)


async def _with_data(call: Call, options: _Options, found: list[Listed]) -> list[Listed]:
    if not options.attachments:
        return found
    return [
        each if each.content is None else replace(each, content=await with_data(call, each.content)) for each in found
    ]


async def _torn(call: Call, connection: Any, options: _Options, found: list[Listed]) -> Mapping[str, Branches]:
    """Return the branches of those documents that have several, where conflicts are asked for."""
    if not (options.conflicts and options.include_docs):
        return {}
    ids = [each.doc_id for each in found if len(each.leaves) > 1]
    return await branches(connection, call.parts.sql, call.db.name, ids) if ids else {}


def _row_of_key(key: str, found: Mapping[str, Listed], options: _Options, torn: Mapping[str, Branches]) -> bytes:
    if key not in found:
        return b'{"key":%b,"error":"not_found"}' % string(key)
    return _row(found[key], options, torn)


def _row(each: Listed, options: _Options, torn: Mapping[str, Branches]) -> bytes:
    of = torn.get(each.doc_id)
    name = string(each.doc_id)
    flag = b',"deleted":true' if each.deleted else b""
    doc = b""
    if options.include_docs and each.deleted:
        doc = b',"doc":null'
    elif options.include_docs and each.content is not None:
        more = rev_list(b"_conflicts", of.losers(deleted=False)) if of is not None else b""
        doc = b',"doc":' + document(each.doc_id, each.winner, each.content, more=more)
    return b'{"id":%b,"key":%b,"value":{"rev":"%b"%b}%b}' % (name, name, each.winner.encode(), flag, doc)


def _options(call: Call, said: Mapping[str, Any]) -> _Options:
    values = {**{name: call.json(name) for name in _JSON & call.query.keys()}, **said}
    for name, alias in (("start_key", "startkey"), ("end_key", "endkey")):
        if name in values:
            values.setdefault(alias, values[name])
    keys = values.get("keys")
    if keys is not None:
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise Refusal(400, "bad_request", "`keys` member must be an array of strings.")
        if any(name in values for name in ("key", "startkey", "endkey")):
            raise Refusal(400, "query_parse_error", "`keys` is incompatible with `key`, `start_key` and `end_key`")
    start, end = _text(values, "startkey"), _text(values, "endkey")
    inclusive = _flag(values, "inclusive_end", default=True)
    if (key := _text(values, "key")) is not None:
        start, end, inclusive = key, key, True
    return _Options(
        Range(start, end, inclusive, _flag(values, "descending")),
        keys,
        _count(values, "limit"),
        _count(values, "skip") or 0,
        _flag(values, "include_docs"),
        _flag(values, "include_docs") and _flag(values, "attachments"),
        _flag(values, "conflicts"),
        _flag(values, "update_seq"),
    )


_JSON = frozenset(
    {"keys", "key", "startkey", "start_key", "endkey", "end_key", "inclusive_end", "descending", "limit", "skip"}
    | {"include_docs", "attachments", "conflicts", "update_seq"}
)


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if isinstance(value, str) and "\0" in value:
        raise Refusal(400, "query_parse_error", f"`{name}` holds a NUL, which no id does")
    if value is None or isinstance(value, str):
        return value
    # Ids are strings, and CouchDB sorts every other kind of value before them, but for lists and objects.
    return "" if isinstance(value, int | float) else "\U0010ffff"


def _flag(values: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise bad_parameter(name)
    return value


def _count(values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise bad_parameter(name)
    return value
