"""Who walks over all routes: nobody, one person in each role in Sín Chải, and who administers everything."""

from typing import Literal, get_args

from sync.contract.roles import Role
from tests.builders import Client, grant, person_signed_in

Caller = Role | Literal["nobody", "everything"]
RECORD = "018f5c3e-0000-7000-8000-000000000009"
REFUSED = {403, 404}


async def callers(client: Client) -> dict[Caller, dict[str, str]]:
    """Return the headers of nobody, of one person in each role in Sín Chải, and of who administers everything."""
    found: dict[Caller, dict[str, str]] = {"nobody": {}}
    for role in get_args(Role):
        found[role] = (await person_signed_in(client, role, grant(role))).headers
    found["everything"] = (await person_signed_in(client, "everything", grant("administrator", "*", "11"))).headers
    return found
