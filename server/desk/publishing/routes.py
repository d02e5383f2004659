"""`/api/forms/candidates/{candidate}/effect`: what a new version would do, asked before it is published."""

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.auth.principal import Principal
from server.desk.publishing.effect import effect_of
from server.desk.publishing.schemas import EffectAnswer
from server.forms.library import FormLibrary
from server.forms.versions.candidates import candidate_to_publish
from server.journal.journal import Journal
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@get("/candidates/{candidate:str}/effect")
@raises("not_allowed", "not_found")
async def effect(
    *,
    candidate: FromPath[str],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    clock: NamedDependency[Clock],
) -> EffectAnswer:
    """Say on how many phones the form is, and what its new version would do to the records that there are."""
    found = await candidate_to_publish(storage, principal, candidate)
    done = await effect_of(storage, journal, library, found, clock)
    return EffectAnswer(
        phones=done.phones,
        silent=done.silent,
        records=done.records,
        looked_at=done.looked_at,
        same=done.outcomes.get("same", 0),
        changes=done.outcomes.get("changes", 0),
        sets_aside=done.outcomes.get("sets_aside", 0),
        waits=done.outcomes.get("waits", 0),
    )


router = Router("/api/forms", route_handlers=[effect], tags=["forms"])
