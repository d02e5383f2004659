"""The heaviest request that each route takes, over a store that is arranged for them.

A request is heavy where its sender chooses how much work it is. Routes that look at a page of rows, or at one row of a
person's own, have no heavier request than their usual one; the lists of the desk stand here for all of those.
"""

import base64
import gzip
import hashlib
import io
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from PIL import Image

from server.demo.phone import Attachment, Phone
from server.platform.clock import system_clock
from server.platform.ids import uuid7
from tests.bench import record_set
from tests.bench.heaviest_store import (
    ADMINISTRATOR,
    ASKED,
    CONFLICTS,
    DESK,
    HUB,
    PLAIN,
    Arranged,
)
from tests.builders import PASSWORD
from tests.workbooks import GOOD, question, xlsform

MANY = 20_000
Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Heavy:
    """A request, ready to be sent; `statuses` are the answers that show that the route did the work."""

    what: str
    send: Send
    statuses: frozenset[int] = frozenset({200, 201, 204})


@dataclass(slots=True)
class Senders:
    """Who sends them: headers of a desk's person and of an administrator, and a phone that works alone."""

    store: Arranged
    desk: dict[str, str]
    administrator: dict[str, str]
    phone: Phone
    chance: random.Random = field(default_factory=lambda: random.Random(20261130))

    def requests(self) -> Iterator[Heavy]:
        """Give them all; each is made just before it is sent, since it may follow from those before."""
        # What a busy machine takes alone.
        yield Heavy("nothing", lambda client: client.get("/healthz"))
        yield from self._reading_replicas()
        yield from self._writing_replicas()
        yield from self._phones()
        yield from self._media()
        yield from self._forms()
        yield from self._desks()
        yield from self._sign_ins()

    # --- replicas ---------------------------------------------------------------------------------------------------

    def _reading_replicas(self) -> Iterator[Heavy]:
        scope, plain = f"/db/{self.store.database}", f"/db/{PLAIN}"
        values = [f"value {number}" for number in range(MANY)]
        for operator in ("$in", "$all"):
            body = {"selector": {"answers.owner.owner_name": {operator: values}}}
            yield self._db(f"selector, {operator} of {MANY:,} values", f"{scope}/_changes?filter=_selector", body)
        deep = {"$or": [{"answers.remarks": {"$gt": "z" * number}} for number in range(1, 220)]}
        yield self._db("selector of 220 comparisons", f"{scope}/_changes?filter=_selector", {"selector": deep})
        ids = {"doc_ids": [*self.store.records, *values][:MANY]}
        yield self._db(f"{MANY:,} doc_ids", f"{scope}/_changes?filter=_doc_ids&include_docs=true", ids)
        yield self._db("_changes with documents", f"{scope}/_changes?include_docs=true&conflicts=true", {})
        yield self._db("_all_docs with documents", f"{scope}/_all_docs?include_docs=true", {"keys": ids["doc_ids"]})
        line = [f"{number}-{self.chance.getrandbits(128):032x}" for number in range(1, MANY)]
        yield self._db(f"_revs_diff, {MANY:,} revisions of one", f"{plain}/_revs_diff", {self.store.plain[0]: line})
        each = {doc_id: [f"1-{self.chance.getrandbits(128):032x}"] for doc_id in [*self.store.records, *values][:MANY]}
        yield self._db(f"_revs_diff, {MANY:,} documents", f"{scope}/_revs_diff", each)
        asked = [{"id": doc_id} for doc_id in self.store.records * 2]
        yield self._db("_bulk_get with revs", f"{scope}/_bulk_get?revs=true", {"docs": asked})
        asked = [{"id": self.store.plain[0]}] * 10_000
        yield self._db("_bulk_get, one 10,000 times", f"{plain}/_bulk_get?revs=true&latest=true", {"docs": asked})

    def _writing_replicas(self) -> Iterator[Heavy]:
        scope, plain = f"/db/{self.store.database}", f"/db/{PLAIN}"
        nodes = {"_id": "nodes", "all": [[] for _ in range(200_000)]}
        yield self._db("_bulk_docs, a document of 200,000 nodes", f"{plain}/_bulk_docs", {"docs": [nodes]})
        small = [{"_id": f"small{number}", "n": str(number)} for number in range(10_000)]
        yield self._db("_bulk_docs, 10,000 edits", f"{plain}/_bulk_docs", {"docs": small})
        copies = [self._copy(f"copy{number}") for number in range(6_000)]
        yield self._db("_bulk_docs, 6,000 copies", f"{plain}/_bulk_docs", {"docs": copies, "new_edits": False})
        line = [self._copy("line", generations=number, text="x" * 100) for number in range(1, 5_001)]
        yield self._db("_bulk_docs, 5,000 edits of one", f"{plain}/_bulk_docs", {"docs": line, "new_edits": False})
        one = [self._copy("one", generations=1000, fork=number, path=1000) for number in range(1, 200)]
        yield self._db("_bulk_docs, 200 long branches", f"{plain}/_bulk_docs", {"docs": one, "new_edits": False})
        found = [{**self._copy(uuid7(system_clock), text=""), **self._record()} for _ in range(3_000)]
        for each in found:
            del each["text"]
        for name in ("hoa", HUB):
            body = {"docs": found, "new_edits": False}
            yield self._db(f"_bulk_docs, 3,000 records by {name}", f"{scope}/_bulk_docs", body, name)
        line = [{**self._record(), **self._copy("edited", generations=number, text="x")} for number in range(1, 2_301)]
        for each in line:
            del each["text"]
        body = {"docs": line[::-1], "new_edits": False}
        yield self._db("_bulk_docs, 2,300 edits of one record", f"{scope}/_bulk_docs", body, "hoa")
        files = [
            {
                "_id": f"files{number}",
                "_attachments": {
                    f"{place}.txt": {"content_type": "text/plain", "data": base64.b64encode(b"a" * 500).decode()}
                    for place in range(20)
                },
            }
            for number in range(450)
        ]
        yield self._db("_bulk_docs, 9,000 attachments", f"{plain}/_bulk_docs", {"docs": files})
        yield self._db("_changes with attachments", f"{plain}/_changes?include_docs=true&attachments=true", {})

    def _copy(
        self, doc_id: str, *, generations: int = 1, fork: int = 0, path: int = 2, text: str = "x" * 800
    ) -> dict[str, Any]:
        """Return a revision as other replicas have it: the last of a line, or of one that forks at its end."""
        names = [f"{doc_id} {number}" for number in range(generations, max(0, generations - path), -1)]
        names[0] += f" {fork}" if fork else ""
        ids = [hashlib.md5(name.encode()).hexdigest() for name in names]
        revisions = {"start": generations, "ids": ids}
        return {"_id": doc_id, "_rev": f"{generations}-{ids[0]}", "_revisions": revisions, "text": text}

    def _record(self) -> dict[str, Any]:
        record = self.chance.choice(self.store.set)
        saved = {"by": "A" * 43, "number": "1", "at": record["at"]}
        of_form = {"form": record_set.FORM, "form_version": record_set.VERSION}
        return {"type": "record", **of_form, "answers": record["answers"], "media": {}, "saved": saved}

    def _db(self, what: str, path: str, body: Any, username: str = ADMINISTRATOR) -> Heavy:
        plain = json.dumps(body, separators=(",", ":")).encode()
        # What packs too well is taken for a bomb.
        packed = gzip.compress(plain, 1)
        is_packed = len(plain) < 50 * len(packed)
        content = packed if is_packed else plain
        name = base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {name}", "Content-Type": "application/json"}
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return Heavy(what, lambda client: client.post(path, content=content, headers=headers))

    # --- phones -----------------------------------------------------------------------------------------------------

    def _phones(self) -> Iterator[Heavy]:
        phone, database = self.phone, self.store.database
        yield Heavy("sync, first pull of 16 MB", lambda _: phone.post(phone.request(max_bytes=16_000_000)))

        def holding(_: httpx.AsyncClient) -> Awaitable[httpx.Response]:
            odd, even = ([str(number) for number in range(start, 2 * MANY, 2)] for start in (100_001, 100_002))
            request = phone.request(max_bytes=1000)
            numbers = {"unsent": odd[:MANY], "discarded": even[:MANY], "drafts": 0, "media": 0}
            return phone.post(phone.sealed({**request, "holding": numbers, "verdicts": odd[:MANY]}))

        yield Heavy(f"sync, holding {MANY:,} and {MANY:,} ranges", holding)

        def pushing(count: int, make: Callable[[], object]) -> Send:
            def send(_: httpx.AsyncClient) -> Awaitable[httpx.Response]:
                for _number in range(count):
                    make()
                return phone.post(phone.request(max_bytes=1000))

            return send

        records = itertools.cycle(self.store.set)
        yield Heavy("sync, a push of 5,000 records", pushing(5_000, lambda: _saved(phone, database, next(records))))
        phone.outgoing.clear()
        edited = _saved(phone, database, next(records))

        def edit() -> None:
            record = next(records)
            phone.outgoing[-1].is_frozen = True
            content = {**_content(record), "media": {}}
            phone.put(database, edited, content)

        yield Heavy("sync, a push of 400 edits of one record", pushing(400, edit))
        phone.outgoing.clear()

    # --- media ------------------------------------------------------------------------------------------------------

    def _media(self) -> Iterator[Heavy]:
        for what, kind, content in (
            ("a photo of 59 megapixels, PNG", "image/png", _picture("PNG")),
            ("a photo of 59 megapixels, WebP", "image/webp", _picture("WEBP")),
            ("a file of 100 MB", "application/zip", self.chance.randbytes(1_000_000) * 100),
        ):
            yield Heavy(what, self._upload(kind, content))

    def _upload(self, kind: str, content: bytes) -> Send:
        record = self.store.records[0]

        async def send(client: httpx.AsyncClient) -> httpx.Response:
            file = Attachment(self.store.database, record, f"{hashlib.md5(content).hexdigest()}.bin", kind, content)
            headers = {"Upload-Length": str(len(content)), "Upload-Metadata": file.metadata(), **self.phone.tus()}
            begun = await client.post("/api/media", headers=headers)
            if begun.status_code != 201:
                return begun
            sent = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", **self.phone.tus()}
            return await client.patch(begun.headers["Location"], content=content, headers=sent)

        return send

    # --- forms ------------------------------------------------------------------------------------------------------

    def _forms(self) -> Iterator[Heavy]:
        long = [question("text", f"q{number}", relevant=f"${{q{number - 1}}} != ''") for number in range(1, 950)]
        wrong = [question("txt", f"w{number}", relevant=f"${{v{number}}} = 1") for number in range(950)]
        choices = [("yes_no", f"c{number}", f"Chọn {number}", f"Choice {number}") for number in range(900)]
        nested = "+".join("(1" for _ in range(60)) + ")" * 60
        deep = [question("calculate", f"d{number}", calculation=nested) for number in range(900)]
        for what, survey, listed in (
            ("a form of 950 questions", [*GOOD, question("text", "q0"), *long], choices),
            ("a form of 950 mistakes", [*GOOD, *wrong], choices),
            ("a form of 900 long calculations", [*GOOD, *deep], choices),
        ):
            yield Heavy(what, self._checked(xlsform(survey, listed)))
        rows = "\n".join(f"r{number},Hàng {number},Row {number}" for number in range(4_900))
        lists = {f"list{number}.csv": f"name,label_vi,label_en\n{rows}".encode() for number in range(5)}
        picks = [question(f"select_one_from_file {name}", f"p{place}") for place, name in enumerate(lists)]
        yield Heavy("a form with lists of 25,000 rows", self._checked(xlsform([*GOOD, *picks]), lists))

    def _checked(self, workbook: bytes, lists: dict[str, bytes] | None = None) -> Send:
        files = [("file", ("household.xlsx", workbook)), *(("lists", pair) for pair in (lists or {}).items())]
        return lambda client: client.post(
            "/api/forms/check", data={"project": "agri"}, files=files, headers=self.administrator
        )

    # --- desks ------------------------------------------------------------------------------------------------------

    def _desks(self) -> Iterator[Heavy]:
        database = self.store.database
        yield self._get("the desk's list of records", "/api/review/records?q=lo+van")
        yield self._get("the desk's list of conflicts", "/api/conflicts?q=lo+van")
        yield self._get("the desk's quarantine", "/api/conflicts/quarantine")
        yield self._get("the desk's duplicates", "/api/duplicates")
        yield self._get("published records as GeoJSON", f"/api/publish/{record_set.FORM}.geojson")
        yield self._get("a record of 1,500 rows, reviewed", f"/api/review/records/{database}/{self.store.long[0]}")
        yield self._get("a conflict of 20 branches", f"/api/conflicts/{database}/{self.store.torn}")
        pair = "/".join(sorted(self.store.long))
        yield self._get("two long records side by side", f"/api/duplicates/{database}/{pair}")
        yield Heavy("two long records joined", lambda client: self._joining(client, pair))
        token = ""

        async def look(client: httpx.AsyncClient) -> httpx.Response:
            nonlocal token
            rule = {"form": record_set.FORM, "path": ASKED, "kind": "value", "rule": {"take": "later"}}
            body = {"dry_run": True, **rule, "filters": {"scope": database}}
            answer = await client.post("/api/conflicts/batch", json=body, headers=self.desk)
            token = answer.json().get("token", "")
            return answer

        async def apply(client: httpx.AsyncClient) -> httpx.Response:
            return await client.post("/api/conflicts/batch", json={"dry_run": False, "token": token}, headers=self.desk)

        async def take_back(client: httpx.AsyncClient) -> httpx.Response:
            return await client.post("/api/conflicts/batch/undo", json={"batch": token}, headers=self.desk)

        yield Heavy(f"a dry run over {CONFLICTS} conflicts", look)
        yield Heavy(f"{CONFLICTS} conflicts decided at once", apply)
        yield Heavy(f"{CONFLICTS} decisions taken back", take_back)

    async def _joining(self, client: httpx.AsyncClient, pair: str) -> httpx.Response:
        path = f"/api/duplicates/{self.store.database}/{pair}"
        page = (await client.get(path, headers=self.desk)).json()
        revs = {each["record"]: each["rev"] for each in page["records"]}
        body = {"verdict": "same", "survivor": self.store.long[0], "take": [], "revs": revs, "saw": page["at"]}
        return await client.post(f"{path}/decide", json=body, headers=self.desk)

    def _get(self, what: str, path: str) -> Heavy:
        return Heavy(what, lambda client: client.get(path, headers=self.desk))

    # --- sign-ins ---------------------------------------------------------------------------------------------------

    def _sign_ins(self) -> Iterator[Heavy]:
        pairs = "&".join(f"{quote(f'ô{number}')}=%41%42" for number in range(600_000))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        told = json.dumps({f"m{number}": "x" for number in range(400_000)})
        refused = frozenset({400, 413})
        plain = {"Content-Type": "application/json"}
        yield Heavy(
            "/_session, a form of 10 MB", lambda each: each.post("/db/_session", content=pairs, headers=form), refused
        )
        yield Heavy(
            "/_session, JSON of 6 MB", lambda each: each.post("/db/_session", content=told, headers=plain), refused
        )
        yield Heavy(
            "login, JSON of 6 MB", lambda each: each.post("/api/auth/login", content=told, headers=plain), refused
        )
        desk = {"username": DESK, "password": PASSWORD}

        async def forty(client: httpx.AsyncClient) -> httpx.Response:
            for _ in range(40):
                answer = await client.post("/api/auth/login", json=desk)
            return answer

        yield Heavy("forty sign-ins in a row", forty)


def _saved(phone: Phone, database: str, record: dict[str, Any]) -> str:
    """Save a record without the files that it names, and return its id."""
    made = phone.save(database, record_set.FORM, record_set.VERSION, record["answers"], at=record["at"])
    return str(made["_id"])


def _content(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "form": record_set.FORM,
        "form_version": record_set.VERSION,
        "answers": record["answers"],
    }


def _picture(kind: str) -> bytes:
    kept = io.BytesIO()
    Image.effect_noise((7_600, 7_700), 20).convert("RGB").resize((7_600, 7_700)).save(kept, kind, quality=30)
    return kept.getvalue()
