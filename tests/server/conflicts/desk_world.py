"""What the tests of the desk arrange: a form of plots, open questions as the follower leaves them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from server.reconcile.tables import open_questions
from sync.folding import fold
from tests.builders import SIN_CHAI, SIN_THAU, Client
from tests.server.published_forms import publish

DATABASE = f"agri-{SIN_CHAI}"
OTHER = f"agri-{SIN_THAU}"
FORM, VERSION = "plot", "1"
XFORM = (Path(__file__).parent / "plot.xml").read_bytes()


async def with_form(client: Client) -> None:
    """Publish the form of plots."""
    await publish(client, FORM, VERSION, "agri", XFORM)


async def ask_about(client: Client, record: str, path: str = "/answers/area", **changes: Any) -> None:
    """Put a question into the queue."""
    clock = client.app.state["clock"]
    database = changes.pop("database", DATABASE)
    project, _, unit = database.partition("-")
    title = changes.get("title", f"Nương {record}")
    row: dict[str, Any] = {
        "database": database,
        "record": record,
        "path": path,
        "cause": "value",
        "candidates": ["3-" + "b" * 32, "2-" + "a" * 32],
        "people": [],
        "form": FORM,
        "project": project,
        "unit": unit,
        "title": title,
        "since": clock(),
        "folded": fold(title),
        **changes,
    }
    assert isinstance(row["since"], datetime)
    async with client.app.state["storage"].write() as connection:
        await connection.execute(open_questions.insert().values(**row))
