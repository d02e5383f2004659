"""Errors over HTTP: one shape, whatever raised them, and nothing of a bug but its id."""

import errno
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog
from litestar import get
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from server.app import create_app
from server.auth.audit import note
from server.errors import KINDS, Problem
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.error_kinds import is_disk_full
from server.platform.logs import blot_secrets, configure_logs
from server.platform.problems import problem_body
from server.settings import Settings
from sync.contract.members import TELLING_OF_PEOPLE
from tests.builders import PASSWORD, Client, add_person, grant, person_signed_in, problem, running, sign_in, try_sign_in
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

SECRET_OF_A_BUG = "the answer was 42"


@get("/api/test/bug")
async def bug() -> None:
    raise RuntimeError(SECRET_OF_A_BUG)


@get("/api/test/full")
async def full() -> None:
    raise RuntimeError("while writing") from OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
async def broken(storage: Storage, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    # An app of its own: its routes would stay for later tests.
    app = create_app(settings, storage, clock)
    app.register(bug)
    app.register(full)
    async with running(app), Client(app) as client:
        yield client


async def test_a_bug_is_logged_once_with_the_id_that_the_client_is_shown(broken: Client) -> None:
    with capture_logs() as logged:
        answer = await broken.get("/api/test/bug")
    params = problem(answer, 500, "internal")
    assert SECRET_OF_A_BUG not in answer.text
    errors = [entry for entry in logged if entry["log_level"] == "error"]
    assert [(entry["event"], entry["error_id"]) for entry in errors] == [("unexpected_error", params["error_id"])]
    assert isinstance(errors[0]["exc_info"], RuntimeError)


async def test_a_full_disk_is_told_as_such(broken: Client) -> None:
    answer = await broken.get("/api/test/full")
    problem(answer, 507, "disk_full")
    assert answer.headers["retry-after"] == "60"


async def test_a_full_disk_is_recognised_in_sqlite(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'small.db'}")
    async with storage.write() as connection:
        await connection.execute(text("PRAGMA max_page_count = 2"))
        await connection.execute(text("CREATE TABLE t (body BLOB)"))
        with pytest.raises(OperationalError) as refusal:
            await connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    await storage.close()
    assert is_disk_full(refusal.value)
    assert not is_disk_full(RuntimeError("something else"))


@pytest.mark.parametrize("path", ["/api/typo", "/api/areas/typo/deeper", "/api/docs/typo", "/.well-known/typo"])
async def test_unknown_addresses_of_the_api_are_problems_and_never_the_app(client: Client, path: str) -> None:
    problem(await client.get(path), 404, "not_found")


async def test_text_that_no_database_keeps_is_refused(client: Client) -> None:
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    for changes in ({"name": "a\0b"}, {"username": "a\0b"}, {"name": "a\nb"}):
        body = {"username": "lan", "name": "Lan", "password": PASSWORD} | changes
        problem(await client.post("/api/people", json=body, headers=admin.headers), 400, "invalid_request")
    problem(await try_sign_in(client, "la\0n"), 400, "invalid_request")
    answer = await client.get("/api/people/a%00b/audit", headers=admin.headers)
    assert answer.status_code in (400, 404)
    lone = b'{"username": "\\ud800", "password": "x"}'
    answer = await client.post("/api/auth/login", content=lone, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401)


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = await client.get("/api/auth/login")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
    problem(await client.post("/api/typo", json={}), 404, "not_found")


async def test_a_body_of_eleven_megabytes_is_refused(client: Client) -> None:
    body = b'{"username": "' + b"a" * 11_000_000 + b'"}'
    answer = await client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 413, "too_large")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"username": 5}'])
async def test_a_body_of_another_form_is_refused_in_the_same_shape(client: Client, body: bytes) -> None:
    answer = await client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"a":1}' * 2, b'{"username": NaN}', b'{"a": 1, "a": 2}'])
async def test_a_malformed_body_is_refused_with_what_is_wrong_and_where(client: Client, body: bytes) -> None:
    answer = await client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert set(problem(answer, 400, "malformed_json")) == {"reason", "where"}


async def test_a_refused_body_names_the_fields_and_repeats_no_input(client: Client) -> None:
    answer = await client.post("/api/auth/login", json={"username": "lan", "passwort": PASSWORD})
    params = problem(answer, 400, "invalid_request")
    assert {misfit["field"] for misfit in params["fields"]} == {"password", "passwort"}
    assert PASSWORD not in answer.text


async def test_every_answer_carries_the_security_headers_and_a_request_id(client: Client) -> None:
    for path in ("/", "/healthz", "/api/typo", "/api/me", "/api/docs"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "geolocation=(self), camera=(self), microphone=(self)" in headers["permissions-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 32


async def test_a_request_id_of_a_proxy_is_kept_unless_it_is_odd(client: Client) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "caddy-0123456789"})
    assert kept.headers["x-request-id"] == "caddy-0123456789"
    odd = await client.get("/healthz", headers={"X-Request-Id": "a b"})
    assert odd.headers["x-request-id"] != "a b"


@pytest.fixture
def log() -> Iterator[StringIO]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    stream = StringIO()
    configure_logs("debug", stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


async def test_logs_hold_no_password_token_or_query(client: Client, log: StringIO) -> None:
    await add_person(client, "lan")
    await try_sign_in(client, "lan", "một mật khẩu sai")
    worker = await sign_in(client, "lan")
    await client.get("/api/me?access_token=in-the-query", headers=worker.headers | {"Cookie": "session=in-a-cookie"})
    await client.post("/api/auth/refresh", json={"refresh_token": worker.refresh})
    written = log.getvalue()
    assert '"event": "request"' in written
    for secret in (PASSWORD, "một mật khẩu sai", worker.access, worker.refresh, "in-the-query", "in-a-cookie"):
        assert secret not in written


def test_fields_that_are_named_like_secrets_are_blotted_out() -> None:
    event = blot_secrets(None, "info", {"event": "x", "refresh_token": "a", "Authorization": "b", "path": "/"})
    assert event == {"event": "x", "refresh_token": "***", "Authorization": "***", "path": "/"}


@pytest.mark.parametrize("member", sorted(TELLING_OF_PEOPLE))
async def test_what_tells_of_people_stands_in_no_log_and_no_audit(member: str, storage: Storage) -> None:
    event = {"event": "x", member: "Lò Văn Ban", "held": {"document": {member: "Lò Văn Ban"}, "rev": "1-a"}}
    told = blot_secrets(None, "info", event)
    assert told == {"event": "x", member: "***", "held": {"document": {member: "***"}, "rev": "1-a"}}
    async with storage.write() as connection:
        with pytest.raises(ValueError, match=member):
            await note(connection, system_clock, None, "act", "subject", rev="1-a", **{member: "Lò Văn Ban"})


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_has_a_title_and_an_error_status(code: str) -> None:
    body = problem_body(Problem(code))
    assert 400 <= KINDS[code].status < 600
    assert body["title"]
    assert not str(body["title"]).endswith(".")


def test_a_code_that_is_not_in_the_table_can_not_be_raised() -> None:
    with pytest.raises(KeyError):
        Problem("no_such_code")
