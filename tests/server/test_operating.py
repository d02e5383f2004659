"""What whoever operates the server meets: settings, health, counters, the API's page, the console."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import text

from server.app import create_app
from server.auth.secret import server_secret
from server.cli import main
from server.platform.api_description import routes as description_routes
from server.platform.db.engine import Storage
from server.settings import Settings, SettingsError, load_settings
from tests.builders import PASSWORD, Client, problem, running, try_sign_in
from tests.conftest import StandingClock


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUONG_PORT", "eighty"),
        ("NUONG_PORT", "70000"),
        ("NUONG_DATABASE_URL", "mysql://nuong:hidden@host/nuong"),
        ("NUONG_DATABASE_URL", "hidden"),
        ("NUONG_SECRET", "hidden"),
        ("NUONG_LOG_LEVEL", "loud"),
        ("NUONG_TRUSTED_PROXIES", "10.0.0.0/8, caddy"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_sentence_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name}: ")
    assert "hidden" not in sentence
    assert "\n" not in sentence


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    secret = "a secret that nobody may read anywhere"
    assert secret not in repr(Settings(secret=secret, metrics_token=secret))


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(secret_file=tmp_path / "made" / "secret")
    made = server_secret(settings)
    assert server_secret(settings) == made
    assert len(made) >= 32
    assert settings.secret_file.stat().st_mode & 0o777 == 0o600
    settings.secret_file.write_bytes(b"short")
    with pytest.raises(SettingsError, match="NUONG_SECRET_FILE"):
        server_secret(settings)


async def test_the_server_is_ready_when_all_its_parts_are(client: Client) -> None:
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    answer = await client.get("/readyz")
    assert answer.json() == {
        "status": "ready",
        "parts": {"database": "ok", "migrations": "ok", "disk": "ok", "media": "ok"},
    }


async def test_a_missing_migration_is_named(client: Client, storage: Storage) -> None:
    async with storage.write() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": "ok", "migrations": "pending", "disk": "ok", "media": "ok"}
    assert (await client.get("/healthz")).status_code == 200


async def test_a_disk_that_is_nearly_full_is_named(storage: Storage, settings: Settings, clock: StandingClock) -> None:
    app = create_app(settings.model_copy(update={"disk_reserve_bytes": 10**18}), storage, clock)
    async with running(app), Client(app) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["disk"] == "nearly_full"


async def test_a_database_that_does_not_answer_is_named(tmp_path: Path, settings: Settings) -> None:
    app = create_app(settings, Storage("postgresql://nuong@127.0.0.1:1/nuong"))
    async with Client(app) as client:
        answer = await client.get("/readyz")
        away = {"database": "unreachable", "migrations": "unknown", "disk": "ok", "media": "unknown"}
        assert answer.json()["parts"] == away
        assert (await client.get("/healthz")).status_code == 200


async def test_while_the_database_is_away_every_door_says_when_to_come_back(settings: Settings) -> None:
    app = create_app(settings, Storage("postgresql://nuong@127.0.0.1:1/nuong"))
    app.state.server_id = "nobody asks"
    async with Client(app) as client:
        answer = await try_sign_in(client, "hoa")
        assert problem(answer, 503, "database_away") == {"wait_s": 10}
        assert answer.headers["retry-after"] == "10"
        answer = await client.get("/db/agri-03226-2025/", auth=("hoa", PASSWORD))
        assert (answer.status_code, answer.json()["error"]) == (503, "service_unavailable")
        assert answer.headers["retry-after"] == "10"


async def test_counters_name_routes_and_never_ids(storage: Storage, settings: Settings, clock: StandingClock) -> None:
    app = create_app(Settings(**settings.model_dump() | {"metrics_token": "watchman"}), storage, clock)
    async with running(app), Client(app) as client:
        await client.get("/api/people/0199-some-id/audit")
        await client.get("/api/typo")
        watched = await client.get("/metrics", headers={"Authorization": "Bearer watchman"})
        assert (await client.get("/metrics")).status_code == 404
        assert (await client.get("/metrics", headers={"Authorization": "Bearer thief"})).status_code == 404
    assert 'nuong_requests_total{method="GET",route="/api/people/{person}/audit",status="401"} 1.0' in watched.text
    assert "some-id" not in watched.text
    assert "typo" not in watched.text


async def test_without_a_token_counters_are_for_the_same_machine_only(app: Litestar, client: Client) -> None:
    async def ask(host: str, **headers: str) -> int:
        transport = httpx.ASGITransport(app, client=(host, 1))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as asking:
            return (await asking.get("/metrics", headers=headers)).status_code

    assert await ask("127.0.0.1") == 200
    assert await ask("10.0.0.7") == 404
    # A proxy on this machine speaks for strangers.
    assert await ask("127.0.0.1", **{"X-Forwarded-For": "203.0.113.9"}) == 404


async def test_the_api_describes_itself_without_reaching_out(client: Client) -> None:
    described = (await client.get("/api/openapi.json")).json()
    assert {"/api/auth/login", "/api/people/{person}/grants", "/api/areas/resolve"} <= set(described["paths"])
    page = await client.get("/api/docs")
    assert "/api/auth/login" in page.text
    assert re.findall(r"https?://|<script|style=", page.text) == []
    style = await client.get("/api/docs/style.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_the_description_is_written_once_however_often_it_is_asked_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def counted(name: str) -> Callable[[object], object]:
        write = getattr(description_routes, name)

        def writing(document: object) -> object:
            written.append(name)
            return write(document)

        return writing

    for name in ("encode_json", "render_page"):
        monkeypatch.setattr(description_routes, name, counted(name))
    paths = ("/api/openapi.json", "/api", "/api/docs")
    answers = [(await client.get(path)).content for path in paths for _ in range(3)]
    # An earlier test may have asked the same app.
    assert len(written) == len({*written})
    assert len({*answers}) == 2


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    error: str


class At:
    """A console in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capture = capture
        monkeypatch.setenv("NUONG_DATABASE_URL", f"sqlite:///{folder / 'var' / 'nuong.db'}")
        monkeypatch.setenv("NUONG_SECRET_FILE", str(folder / "var" / "secret"))

    def nuong(self, *words: str, given: str = "", **changes: str) -> Said:
        code = 0
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["nuong", *words])
            patch.setattr(sys, "stdin", StringIO(given))
            for name, value in changes.items():
                patch.setenv(name, value)
            try:
                main()
            except SystemExit as leaving:
                code = int(leaving.code or 0)
        said = self._capture.readouterr()
        return Said(code, said.out, said.err)


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> At:
    return At(tmp_path, monkeypatch, capsys)


def test_people_are_added_granted_and_listed_at_the_console(at: At) -> None:
    words = ("person", "add", "Lan", "--name", "Lò Thị Lan", "--role", "field_worker", "--project", "agri")
    added = at.nuong(*words, "--unit", "03226", given="mật khẩu rất dài\n")
    assert (added.code, added.error) == (0, "")
    assert "field_worker agri 03226-2025" in added.out
    again = at.nuong(*words, given="mật khẩu rất dài\n")
    assert (again.code, again.out) == (1, "")
    assert again.error == "nuong: Somebody has this name already (username: lan).\n"
    at.nuong("person", "grant", "lan", "supervisor", "tourism")
    assert "supervisor tourism 11" in at.nuong("person", "list").out
    at.nuong("person", "grant", "lan", "supervisor", "tourism", "--remove")
    assert "supervisor" not in at.nuong("person", "list").out


def test_failures_at_the_console_are_a_sentence_and_an_exit_code(at: At) -> None:
    unknown = at.nuong("person", "close", "nobody")
    assert (unknown.code, unknown.error) == (1, "nuong: Nobody is called nobody.\n")
    wrong = at.nuong("person", "list", NUONG_DATABASE_POOL="many")
    assert wrong.code == 2
    assert wrong.error.startswith("nuong: NUONG_DATABASE_POOL: ")
    down = at.nuong("person", "list", NUONG_DATABASE_URL="postgresql://nuong:hidden@127.0.0.1:1/nuong")
    assert down.code == 1
    assert down.error.startswith("nuong: The database can't be used: ")
    assert "hidden" not in down.error
    assert at.nuong("person", "add").code == 2


def test_a_code_is_resolved_at_the_console_with_what_it_is_today(at: At) -> None:
    found = at.nuong("areas", "resolve", "03226", "--on", "2025-06-30").out
    assert "Xã Tả Sìn Thàng" in found
    assert "today in 03226-2025" in found
    assert len(at.nuong("areas", "list", "--on", "2025-07-01").out.splitlines()) == 46


def test_a_server_with_another_secret_says_so_instead_of_starting(at: At) -> None:
    assert at.nuong("migrate").code == 0
    other = "another secret, long enough to be taken"
    refused = at.nuong("serve", "--port", "1", NUONG_SECRET=other)
    assert refused.code == 1
    assert "NUONG_SECRET" in refused.error
    rotated = at.nuong("keys", "rotate", NUONG_SECRET=other)
    assert rotated.code == 0
