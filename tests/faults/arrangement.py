"""What every fault strikes: a real server process over a storage with people and a form."""

import random
from pathlib import Path

from server.app import create_app
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.settings import Settings
from tests.builders import Client, add_person, grant, running
from tests.e2e.live_server import LiveServer
from tests.faults.fieldwork import Fieldwork
from tests.server.published_forms import publish
from tests.server.sync_door import FORM, VERSION, XFORM

PHONES = [f"worker{number}" for number in range(5)]
COMMUNES = 2
#: So short that tokens run out, and are renewed inside an exchange, while the server is being killed.
ACCESS_TOKEN_S = "20"


async def arrange(server: LiveServer, seed: int) -> Fieldwork:
    """Make people and a form in the server's storage; return the phones' work, which is not yet signed in."""
    settings = Settings(
        database_url=server.database_url, media_dir=server.folder / "media", secret_file=server.folder / "secret"
    )
    storage = Storage(settings.database_url, pool_size=3)
    await migrate(storage)
    app = create_app(settings, storage)
    async with running(app), Client(app) as client:
        atlas = await app.state["areas"].atlas()
        communes = [unit.id for unit in atlas.units.values() if unit.has_scopes][:COMMUNES]
        for username in PHONES:
            await add_person(client, username, *(grant("field_worker", unit=unit) for unit in communes))
        await publish(client, FORM, VERSION, "agri", XFORM)
    await storage.close()
    return Fieldwork(server.url, tuple(f"agri-{unit}" for unit in communes), random.Random(seed))


def server_in(folder: Path, database_url: str | None = None, access_token_s: str = ACCESS_TOKEN_S) -> LiveServer:
    """Return a server over a folder; nothing runs yet."""
    folder.mkdir(exist_ok=True)
    return LiveServer(folder, database_url, access_token_s=access_token_s, disk_reserve_bytes="1")
