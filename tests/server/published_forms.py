"""Published forms for tests that are not about publishing."""

import hashlib

from server.forms.tables import contents, form_versions
from server.platform.db.insert_missing import insert_missing
from tests.builders import Client


async def publish(client: Client, form: str, version: str, project: str, xform: bytes) -> None:
    """Put a form version where the library finds it, without the steps that its author takes."""
    sha256 = hashlib.sha256(xform).hexdigest()
    state = client.app.state
    async with state["storage"].write() as connection:
        content = {"sha256": sha256, "media_type": "application/xml", "bytes": len(xform), "body": xform}
        await insert_missing(connection, contents, [content])
        row = {
            "form": form,
            "version": version,
            "project": project,
            "titles": {"vi": form, "en": form},
            "languages": ["vi"],
            "xform": sha256,
            "source": sha256,
            "lists": {},
            "points": [],
            "status": "live",
            "loaded_in_browser": True,
            "published_by": None,
            "published_at": state["clock"](),
        }
        await insert_missing(connection, form_versions, [row])
