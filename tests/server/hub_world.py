"""Builders for tests of a hub and its province: people and phones at both, records with photos, what has arrived."""

from typing import Any

from sqlalchemy import select

from server.demo.phone import Attachment, Phone
from server.media.files import MediaFiles
from server.media.tables import media_uploads
from server.peers.book import Status
from server.peers.model import Peer
from tests.builders import PASSWORD, Client, add_person, grant
from tests.server.peers_world import sync, synced
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION, Picture, with_form
from tests.server.test_peers_hub import as_hub

#: The name under which the status of files stands beside those of databases.
MEDIA = "media"


def with_photo(phone: Phone, content: bytes, record: str | None = None, database: str = DATABASE) -> Attachment:
    """Save a record with a photo that the phone keeps for itself as yet; return the photo."""
    about = Picture(content).of("").about()
    saved = phone.save(database, FORM, VERSION, ANSWERS, media={"cay.jpg": about}, record=record)
    return Picture(content).of(saved["_id"], database)


async def followed(*servers: Client) -> None:
    """Let the followers of these servers take in what stands, also what has come of files."""
    for server in servers:
        runner = server.app.state["runner"]
        await runner.once()
        for look in runner.looks:
            await look()


async def is_here(server: Client, item: Attachment) -> bool:
    """Whether a server keeps exactly this content."""
    path = MediaFiles(server.app.state["settings"].media_dir).content_path(item.sha256)
    return path.exists() and path.read_bytes() == item.content


async def a_hub(hub: Client, province: Client) -> Peer:
    """Make a hub that has the form and the people of its scope."""
    await with_form(province)
    for name in ("hoa", "lan"):
        await add_person(province, name, grant("field_worker"))
    peer = await as_hub(hub, province)
    await synced(hub.app, peer, province.app)
    return peer


async def on_phone(server: Client, name: str = "hoa") -> Phone:
    return await Phone(server, clock=server.app.state["clock"]).sign_in(name, PASSWORD)


async def given_to(server: Client, content: bytes, name: str = "hoa") -> Attachment:
    """Record with a photo on a new phone, and give both to one server."""
    phone = await on_phone(server, name)
    item = with_photo(phone, content)
    phone.attach(item)
    await phone.sync()
    return item


async def after_the_records(hub: Client, peer: Peer, province: Client, **through: Any) -> dict[tuple[str, str], Status]:
    """Exchange the records, let both sides find out what they await, and exchange again."""
    await synced(hub.app, peer, province.app)
    await followed(hub, province)
    return await sync(hub.app, peer, **(through or {"other": province.app}))


async def uploads_of(server: Client) -> list[Any]:
    async with server.app.state["storage"].read() as connection:
        return list((await connection.execute(select(media_uploads))).all())
