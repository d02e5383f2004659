"""Schemathesis reads the API's description and finds nothing that the server does otherwise.

Every operation is tried at the borders of what is described and with what lies in and beyond it, as an administrator
of everything one day and as a field worker the next, half of them each: no 500, no status, type or body that is not
described, nothing invalid taken, nothing valid refused, nobody let in without credentials, and `Allow` tells the truth.
"""

import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

import pytest
import schemathesis
import structlog
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.core import EventStream
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.python.asgi import shutdown_lifespans

from server.app import create_app
from server.areas.grants import Grant
from server.platform.api_description.description import describe
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import SIN_CHAI, SIN_THAU, Client, an_app, grant, person_signed_in, quick_passwords, running
from tests.conftest import TURN, StandingClock, run

#: Where chance begins, which is elsewhere each day; the borders of what is described are the same every time.
SEED = int(os.environ.get("NUONG_TEST_SEED", datetime.now(UTC).toordinal()))
#: How many requests chance makes up for each operation, beside those at the borders; `make torture` asks for more,
#: and for both days.
EXAMPLES = int(os.environ.get("NUONG_TEST_EXAMPLES", "3"))
#: So long one role may take; one that a slow machine cuts short says so.
LIMIT_S = 120 + 20 * EXAMPLES
GRANTS: dict[str, Grant] = {"administrator": grant("administrator", "*", "11"), "field_worker": grant("field_worker")}
#: Refusals of what a schema lets pass, because no schema can say it: the code and the parameter or field that is named.
BEYOND_SCHEMAS = {
    ("malformed_json", ""): "strict JSON refuses numbers that no reader keeps and texts that are no Unicode",
    ("upload_metadata", ""): "pairs of keys and base64 in one header",
    ("invalid_request", "filters"): "a NUL in one of several units",
    ("invalid_request", "before"): "a place in a list, which only the server can name",
    ("invalid_request", "url"): "an address without password, query and fragment",
}
#: The framework reads this text of a query parameter that may be absent as if it were absent.
NULL = "null"
#: What this server answers besides what schemathesis expects: too large, too guessable, locked, another tus.
ALSO_REFUSED = ["412", "413", "422", "423"]
CONFIG: dict[str, Any] = {
    "seed": SEED,
    # No `max-time`: it is also the least, which is filled with more of the same.
    "continue-on-failure": True,
    "generation": {"max-examples": EXAMPLES, "database": "none", "allow-x00": False},
    "phases": {"examples": {"enabled": False}, "stateful": {"enabled": False}},
    "dictionaries": {"databases": {"values": [f"agri-{SIN_CHAI}", f"agri-{SIN_THAU}"]}},
    "parameters": {"path.database": {"dictionary": "databases", "probability": 0.7}},
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "429", *ALSO_REFUSED[1:]],
        },
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "415", "429", *ALSO_REFUSED],
        },
        "missing_required_header": {"expected-statuses": ["400", "401", "403", "412"]},
    },
}


@schemathesis.serializer("application/offset+octet-stream")
def as_bytes(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send bytes as they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def quiet() -> Iterator[None]:
    """Write no line for each of thousands of requests."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(wrapper_class=before)


class Report:
    """What a run found."""

    def __init__(self) -> None:
        self.cases = 0
        self.operations: set[str] = set()
        self.wrong: dict[tuple[str, str, str], str] = {}
        self.was_cut = False
        self._until = monotonic() + LIMIT_S

    def follow(self, stream: EventStream) -> None:
        """Add what a run tells, and stop it where it takes too long."""
        for event in stream:
            self.read(event)
            if not self.was_cut and monotonic() > self._until:
                self.was_cut = True
                stream.stop()

    def read(self, event: events.EngineEvent) -> None:
        """Add what an event tells."""
        if isinstance(event, events.ScenarioFinished):
            self._read_scenario(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.wrong[event.label, "error", type(event.value).__name__] = str(event.value)

    def _read_scenario(self, recorder: ScenarioRecorder) -> None:
        self.cases += len(recorder.cases)
        self.operations.add(recorder.label)
        for case, checks in recorder.checks.items():
            interaction = recorder.interactions.get(case)
            answer = interaction.response if interaction else None
            address = interaction.request.uri if interaction else ""
            for check in checks:
                if check.failure_info is None or (answer and is_beyond_schemas(check.name, address, answer)):
                    continue
                failure = check.failure_info.failure
                told = f"{failure.message}\n{check.failure_info.code_sample[:1000]}"
                told += f"\n→ {answer.status_code} {answer.content[:500]!r}" if answer else ""
                self.wrong.setdefault((recorder.label, check.name, failure.title), told)


def is_beyond_schemas(check: str, address: str, answer: Any) -> bool:
    """Whether something valid was refused, or something else taken, for what no schema can say."""
    if check == "negative_data_rejection":
        return any(NULL in values for values in parse_qs(urlsplit(address).query).values())
    if check != "positive_data_acceptance" or answer.status_code != 400:
        return False
    problem = answer.json()
    params = problem["params"]
    fields = {each["field"] for each in params.get("fields", [])} or {params.get("parameter", "")}
    return all({(problem["code"], field), (problem["code"], "")} & BEYOND_SCHEMAS.keys() for field in fields)


def is_tried_today(operation: str, role: str) -> bool:
    """Whether it is this role's turn to try an operation; tomorrow it is the other's."""
    return (crc32(operation.encode()) + list(GRANTS).index(role) + TURN) % len(GRANTS) == 0


def tried(settings: Settings, clock: StandingClock, role: str, username: str, paths: str) -> Report:
    """Return what schemathesis finds at the addresses that `paths` fits, as a new person in a role."""
    headers: dict[str, str] = {}

    async def arrange() -> None:
        storage = Storage(settings.database_url)
        with an_app(settings, storage, clock) as app:
            async with running(app), Client(app) as client:
                headers.update((await person_signed_in(client, username, GRANTS[role])).headers)
        await storage.close()

    run(arrange())
    app = create_app(settings, None, clock, quick_passwords())
    config = SchemathesisConfig.from_dict({**CONFIG, "headers": headers})
    # Made now: on a busy machine it can take longer than one request may.
    describe(app)
    report = Report()
    try:
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, config=config)
        chosen = schema.include(lambda each: is_tried_today(each.operation.label, role), path_regex=paths)
        report.follow(from_schema(chosen).execute())
    finally:
        shutdown_lifespans()
    return report


@pytest.mark.slow
@pytest.mark.timeout(2 * LIMIT_S)
@pytest.mark.parametrize("role", GRANTS)
def test_schemathesis_finds_nothing(
    *,
    storage: Storage,
    settings: Settings,
    clock: StandingClock,
    role: str,
    quiet: None,
    record_property: Callable[[str, object], None],
) -> None:
    if (role == "administrator") != storage.is_postgresql:
        pytest.skip("each role is tried over one store")
    # Nobody's guesses are slowed down: most of these are of one address.
    patient = settings.model_copy(
        update={
            "database_url": storage.engine.url.render_as_string(hide_password=False),
            "login_burst": 1_000_000,
            "login_per_minute": 1_000_000,
        }
    )
    # Whoever ends their own sign-ins is not let in afterwards.
    first = tried(patient, clock, role, "first", r"^(?!/api/me/sessions)")
    last = tried(patient, clock, role, "last", r"^/api/me/sessions")
    operations = len(first.operations | last.operations)
    cut = ", cut short" if first.was_cut or last.was_cut else ""
    told = f"{first.cases + last.cases} cases of schemathesis over {operations} operations, as {role}{cut}"
    record_property("told", told)
    wrong = "\n\n".join(f"{': '.join(where)}\n{told}" for where, told in (first.wrong | last.wrong).items())
    assert not wrong, f"{wrong}\n\nagain: NUONG_TEST_SEED={SEED}"
