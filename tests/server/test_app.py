"""An app whose routes are read once and which is furnished more than once: what the tests themselves stand on."""

from pathlib import Path

from server.app import furnish, unfurnished
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import Client, add_person, grant, quick_passwords, running, sign_in, try_sign_in
from tests.conftest import StandingClock, sqlite_copy

OLD = "mười hai cây chè"


async def test_an_app_furnished_anew_knows_nothing_of_what_it_answered_from_before(
    settings: Settings, clock: StandingClock, tmp_path: Path, sqlite_template: Path
) -> None:
    app = unfurnished(request_bytes=settings.request_bytes)
    first, second = (Storage(sqlite_copy(sqlite_template, tmp_path / f"{name}.sqlite")) for name in ("one", "two"))
    furnish(app, settings, first, clock, quick_passwords())
    async with running(app), Client(app) as client:
        await add_person(client, "hoa", grant("administrator"), password=OLD)
        worker = await sign_in(client, "hoa", password=OLD)
        assert (await client.get("/db/", headers=worker.headers)).status_code == 200
        assert 'route="/api/auth/login"' in (await client.get("/metrics")).text
        of_first = client.app.state.server_id
    furnish(app, settings, second, clock, quick_passwords())
    async with running(app), Client(app) as client:
        assert 'route="/api/auth/login"' not in (await client.get("/metrics")).text
        assert client.app.state.server_id != of_first
        assert (await client.get("/api/me", headers=worker.headers)).status_code == 401
        assert (await try_sign_in(client, "hoa", password=OLD)).status_code == 401
        assert (await client.get("/db/", headers=worker.headers)).json()["uuid"] == client.app.state.server_id
    for storage in (first, second):
        await storage.close()


def test_no_dependency_stays_with_the_routes(settings: Settings) -> None:
    """A dependency that its handler caches outlives what it was made from."""
    app = unfurnished(request_bytes=settings.request_bytes)
    handlers = [each for route in app.routes for each in getattr(route, "route_handlers", [])]
    dependencies = [each.resolve_dependencies() for each in handlers]
    assert "layouts" in {name for each in dependencies for name in each}
    assert not [name for each in dependencies for name, made in each.items() if made.use_cache]
