"""The demo province: people of every role and seven forms in a folder of its own, kept from start to start."""

import shutil
from pathlib import Path

from server.areas.commands import open_atlas
from server.auth.members import Manager, NewMember
from server.auth.passwords import Passwords
from server.console import Console, Failure
from server.demo.people import FORM_PROJECTS, PASSWORD, PEOPLE
from server.forms.commands import publish_upload
from server.forms.conversion.xlsform import Upload

FORMS = Path(__file__).parent / "forms"


def settings_for(folder: Path) -> dict[str, str]:
    """Return the environment of a server whose everything lies in `folder`."""
    return {
        "NUONG_DATABASE_URL": f"sqlite:///{folder / 'nuong.db'}",
        "NUONG_MEDIA_DIR": str(folder / "media"),
        "NUONG_SECRET_FILE": str(folder / "secret"),
    }


def reset(folder: Path) -> None:
    """Remove everything that a demo in `folder` has kept; a folder that holds anything else stays as it is."""
    if not folder.exists():
        return
    strangers = [
        path.name for path in folder.iterdir() if not path.name.startswith(("nuong.db", "media", "secret", "filled"))
    ]
    if strangers:
        raise Failure(f"{folder} holds more than a demo ({', '.join(sorted(strangers)[:3])}): nothing was removed.")
    shutil.rmtree(folder)


async def prepare(console: Console) -> None:
    """Bring in the people and forms that are missing; what is there stays as somebody may have changed it."""
    atlas = await open_atlas(console)
    manager = Manager(console.storage, Passwords(), console.clock, atlas, principal=None)
    known = {person.username for person in await manager.everybody()}
    for person in PEOPLE:
        if person.username not in known:
            await manager.add(
                NewMember(person.username, person.name, PASSWORD, birth_year=person.birth_year, grants=person.grants)
            )
    for name, project in FORM_PROJECTS.items():
        checked, version = await publish_upload(console, Upload((FORMS / f"{name}.xlsx").read_bytes()), project)
        if version is None:
            raise Failure(f"The form {name} was not published: {checked.findings[0].message}")


def sign_ins(url: str) -> str:
    """Return what a person at the console needs to know."""
    lines = [
        "",
        f"  Nương is at {url}  (Ctrl+C ends it; what you enter is kept)",
        f"  Everybody's password is  {PASSWORD}",
        "",
        *(f"    {person.username:8}{person.name:28}{person.about}" for person in PEOPLE),
        "",
        "  All people, places of work and records here are made up.",
        "",
    ]
    return "\n".join(lines)
