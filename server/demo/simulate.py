"""Some weeks of fieldwork in a minute: simulated phones bring made-up records in through the public HTTP API.

People sign in on phones, fetch their forms, fill them where they work, take pictures and send; they amend some, and two
of them edit one record, or record one household, without knowing of each other. Supervisors then approve, return with
comments and reject, and some returned records are corrected. Every name, place and picture says that it is a demo.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from server.areas.atlas import LOCAL_TIME
from server.demo import files, names
from server.demo.disagreements import Side, disagree, keep_aside
from server.demo.filling import Filler, SurveySite
from server.demo.people import FIELD_WORKERS, PASSWORD, SUPERVISORS
from server.demo.phone import Attachment, Document, Phone
from server.forms.answers.record_answers import to_json
from server.forms.schema import FormSchema
from sync.contract.scope import Scope

SEND_EVERY = 8
SHARE_AMENDED, SHARE_APPROVED, SHARE_RETURNED, SHARE_REJECTED = 0.08, 0.5, 0.12, 0.03
FOLLOW_TIMEOUT_S = 120.0
COMMENTS = (
    "Xem lại số liệu này giúp tôi (demo)",
    "Tên bản chưa đúng với danh sách của xã (demo)",
    "Chụp lại ảnh cho rõ hơn (demo)",
)

Say = Callable[[str], None]


@dataclass(slots=True)
class Summary:
    """Counts of the records and decisions that were made."""

    records: int = 0
    files: int = 0
    amended: int = 0
    conflicts: int = 0
    pairs: int = 0
    approved: int = 0
    returned: int = 0
    rejected: int = 0
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A published form as a phone has it."""

    name: str
    version: str
    project: str
    filler: Filler
    schema: FormSchema


@dataclass(slots=True)
class Worker:
    """A field worker with a phone, and the forms and places that it carries."""

    phone: Phone
    forms: list[Form] = field(default_factory=list)
    places: dict[str, SurveySite] = field(default_factory=dict)
    records: list[tuple[str, str]] = field(default_factory=list)

    def choices(self) -> list[tuple[Form, str]]:
        """Return every (form, database) that this person can fill."""
        return [
            (form, database)
            for form in self.forms
            for database in self.places
            if database.startswith(form.project + "-")
        ]


class Simulation:
    """One run; the same seed makes the same answers, under new ids."""

    def __init__(self, client: httpx.AsyncClient, seed: int, say: Say) -> None:
        """Speak to the server that `client` is based at; `say` tells a person how it goes."""
        self._client = client
        self._chance = random.Random(seed)  # noqa: S311 - chance that a seed repeats
        self._say = say
        self._summary = Summary()
        self._contents: dict[str, Form] = {}

    async def run(self, records: int) -> Summary:
        """Bring in `records`, decide about them, and return what was done."""
        workers = [await self._start(person.username) for person in FIELD_WORKERS]
        able = [worker for worker in workers if worker.choices()]
        if not able:
            raise LookupError("no form is live for the demo's people: publish the forms of the demo first")
        await self._fieldwork(able, records)
        await self._conflicts(able)
        await self._decide()
        await self._correct(able)
        return self._summary

    async def _start(self, username: str) -> Worker:
        phone = await Phone(self._client, label=f"demo: {username}").sign_in(username, PASSWORD)
        await phone.sync(max_bytes=2_000_000)
        worker = Worker(phone)
        catalog = phone.documents.get("catalog", {}).values()
        for document in catalog:
            if document["type"] == "form" and document["status"] == "live":
                if any(Scope.of(database).project == document["project"] for database in phone.carry):
                    worker.forms.append(await self._form(phone, document))
            elif document["type"] == "area" and document["longitude"]:
                place = SurveySite(document["code"], float(document["latitude"]), float(document["longitude"]))
                for database in phone.carry:
                    if Scope.of(database).unit == document["unit"]:
                        worker.places[database] = place
        return worker

    async def _form(self, phone: Phone, document: Document) -> Form:
        sha256 = str(document["xform"])
        if sha256 not in self._contents:
            headers = {"Authorization": f"Bearer {phone.access_token}"}
            response = await self._client.get(f"/api/contents/{sha256}", headers=headers)
            response.raise_for_status()
            self._contents[sha256] = Form(
                str(document["form"]),
                str(document["version"]),
                str(document["project"]),
                Filler(response.content),
                FormSchema.parse(response.content),
            )
        return self._contents[sha256]

    async def _fieldwork(self, workers: list[Worker], records: int) -> None:
        # Every form in turn, so that even a small run has some of each.
        forms = sorted({form.name for worker in workers for form in worker.forms})
        for number in range(records):
            wanted = forms[number % len(forms)]
            fitting = [
                (worker, choice) for worker in workers for choice in worker.choices() if choice[0].name == wanted
            ]
            worker, (form, database) = self._chance.choice(fitting)
            at = datetime.now(UTC) - timedelta(minutes=(records - number) * self._chance.randrange(60, 240))
            self._record(worker, form, database, at)
            if self._chance.random() < SHARE_AMENDED:
                await worker.phone.sync()
                self._edit(worker, *worker.records[-1])
                self._summary.amended += 1
            if len(worker.phone.outgoing) >= SEND_EVERY:
                await worker.phone.sync()
        for worker in workers:
            await worker.phone.sync()
        self._say(f"{self._summary.records} records and {self._summary.files} files are in.")

    def _record(self, worker: Worker, form: Form, database: str, at: datetime) -> None:
        filled = form.filler.fill(self._chance, worker.places[database], at.astimezone(LOCAL_TIME))
        answers = to_json(form.schema, filled.xml)
        _name_rows(answers, self._chance)
        phone, media = worker.phone, {}
        document = phone.save(database, form.name, form.version, answers, at=at.isoformat())
        for name, kind in filled.files:
            content = files.made_up(kind, self._chance)
            item = Attachment(database, document["_id"], name, files.TYPES[kind], content)
            media[name] = phone.attach(item)
            self._summary.files += 1
        if media:
            record = document["_id"]
            phone.save(database, form.name, form.version, answers, media=media, record=record, at=at.isoformat())
        worker.records.append((database, document["_id"]))
        self._summary.records += 1

    def _edit(self, worker: Worker, database: str, record: str, **answers: Any) -> None:
        document = worker.phone.documents[database][record]
        changed = {**document["answers"], **(answers or {"village": names.village(self._chance)})}
        worker.phone.save(
            database,
            document["form"],
            document["form_version"],
            changed,
            media=document["media"],
            record=record,
        )

    async def _conflicts(self, workers: list[Worker]) -> None:
        """Let two people of one commune disagree and record a household twice, and one save what is kept aside."""
        pairs = [
            (one, two, shared)
            for one in workers
            for two in workers
            if one is not two
            for shared in one.places.keys() & two.places.keys()
        ]
        if not pairs:
            return
        one, two, database = pairs[0]
        await one.phone.sync()
        await two.phone.sync()
        mine, theirs = (Side(each.phone, {form.name: form.schema for form in each.forms}) for each in (one, two))
        self._summary.conflicts = disagree(mine, theirs, database, self._chance)
        keep_aside(mine, database)
        await one.phone.exchange()
        await two.phone.exchange()
        await self._twice(one, two, database)

    async def _twice(self, one: Worker, two: Worker, database: str) -> None:
        """Let both record one household, each without knowing of the other."""
        form = next((form for form, where in one.choices() if where == database and form.schema.identifying), None)
        if form is None:
            return
        self._record(one, form, database, datetime.now(UTC))
        await one.phone.sync()
        first = one.phone.documents[database][one.records[-1][1]]
        again = two.phone.save(database, form.name, form.version, first["answers"], media=first["media"])
        two.records.append((database, again["_id"]))
        self._summary.records += 1
        self._summary.pairs += 1
        await two.phone.sync()

    async def _decide(self) -> None:
        for person in SUPERVISORS:
            desk = await Phone(self._client, label=f"demo: {person.username}").sign_in(person.username, PASSWORD)
            for line in await self._queue(desk):
                chosen = self._chance.random()
                for share, verdict in (
                    (SHARE_APPROVED, "approved"),
                    (SHARE_RETURNED, "returned"),
                    (SHARE_REJECTED, "rejected"),
                ):
                    if chosen < share:
                        await self._decision(desk, line, verdict)
                        break
                    chosen -= share
        done = self._summary
        self._say(f"{done.approved} are approved, {done.returned} returned, {done.rejected} rejected.")

    async def _queue(self, desk: Phone) -> list[dict[str, Any]]:
        """Return the records that wait for a supervisor, once the lists show what was sent."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FOLLOW_TIMEOUT_S
        lines: list[dict[str, Any]] = []
        while loop.time() < deadline:
            before, lines = len(lines), await self._lines(desk)
            if lines and len(lines) == before:
                break
            await asyncio.sleep(1.5)
        # What people disagree about is a data manager's first.
        open_ = ("received", "amended")
        return [line for line in lines if line["state"] in open_ and "conflict" not in line["flags"]]

    async def _lines(self, desk: Phone) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        before: str | None = None
        while True:
            params = {"limit": "100", **({"before": before} if before else {})}
            headers = {"Authorization": f"Bearer {desk.access_token}"}
            response = await self._client.get("/api/review/records", params=params, headers=headers)
            response.raise_for_status()
            page = response.json()
            lines += page["records"]
            before = page["next"]
            if not before:
                return lines

    async def _decision(self, desk: Phone, line: dict[str, Any], verdict: str) -> None:
        said = self._chance.choice(COMMENTS) if verdict != "approved" else ""
        body = {
            "rev": line["rev"],
            "decision": verdict,
            "comment": said,
            "comments": {"/answers/village": said} if verdict == "returned" else {},
        }
        response = await self._client.post(
            f"/api/review/records/{line['database']}/{line['id']}/decisions",
            json=body,
            headers={"Authorization": f"Bearer {desk.access_token}"},
        )
        # Somebody at the real desk may have decided meanwhile; that stands.
        if response.status_code != httpx.codes.CONFLICT:
            response.raise_for_status()
            setattr(self._summary, verdict, getattr(self._summary, verdict) + 1)

    async def _correct(self, workers: list[Worker]) -> None:
        """Let the authors see what was returned, and correct every other one."""
        for worker in workers:
            await worker.phone.sync()
            for database, record in worker.records:
                held = worker.phone.documents[database]
                reviews = [held[name] for name in held if name.startswith(f"review:{record}:")]
                if any(review["decision"] == "returned" for review in reviews) and self._chance.random() < 0.5:
                    self._edit(worker, database, record)
                    self._summary.corrected += 1
            await worker.phone.sync()
        self._say(f"{self._summary.corrected} returned records are corrected.")


async def simulate(url: str, records: int, seed: int, say: Say) -> Summary:
    """Run a simulation against the server at `url`."""
    async with httpx.AsyncClient(base_url=url, timeout=60, headers={"Accept-Encoding": "br, gzip"}) as client:
        return await Simulation(client, seed, say).run(records)


def _name_rows(value: Any, chance: random.Random) -> None:
    """Give every row of a repeat an id from the seed where the form's own calculation gave a random one."""
    if isinstance(value, dict):
        if value.get("_rid"):
            digits = f"{chance.getrandbits(128):032x}"
            value["_rid"] = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        for member in value.values():
            _name_rows(member, chance)
    elif isinstance(value, list):
        for member in value:
            _name_rows(member, chance)
