"""`/api/forms/trials`: which checked forms are tried before they are live, and by whom."""

from litestar import Router, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.forms.versions.candidates import candidate_to_publish
from server.forms.versions.trial_schemas import TesterAnswer, TrialAnswer, TrialBody, TrialsAnswer
from server.forms.versions.trials import LASTS, FormTrial, is_tester, put_on_trial, trials_that_run
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@put("/candidates/{candidate:str}/trial")
@raises("not_allowed", "not_found", "not_recording", "form_version_exists")
async def set_trial(
    candidate: FromPath[str],
    data: JSONBody[TrialBody],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> TrialsAnswer:
    """Hand a checked form to chosen people, in place of the form's earlier trial; without anybody the trial ends."""
    found = await candidate_to_publish(storage, principal, candidate)
    await put_on_trial(storage, clock, found, data.people, by=principal.person)
    return await _shown(storage, clock, principal)


@get("/trials")
async def list_trials(
    principal: NamedDependency[Principal], storage: NamedDependency[Storage], clock: NamedDependency[Clock]
) -> TrialsAnswer:
    """List the forms that one tries, and those on trial in the projects in which one publishes."""
    return await _shown(storage, clock, principal)


async def _shown(storage: Storage, clock: Clock, principal: Principal) -> TrialsAnswer:
    found = []
    for trial in await trials_that_run(storage, clock):
        is_mine = is_tester(trial, principal)
        is_publisher = allowed(principal, "publish_forms", trial.what.project)
        if is_mine or is_publisher:
            found.append(_trial(trial, is_mine=is_mine, is_publisher=is_publisher))
    return TrialsAnswer(trials=found)


def _trial(trial: FormTrial, *, is_mine: bool, is_publisher: bool) -> TrialAnswer:
    what = trial.what
    names = trial.people.items() if is_publisher else ()
    return TrialAnswer(
        id=what.id,
        form=what.form,
        version=what.version,
        project=what.project,
        title=dict(what.titles),
        languages=list(what.languages),
        xform=what.xform,
        lists=dict(what.lists),
        begun_at=trial.begun_at,
        ends_at=trial.begun_at + LASTS,
        is_mine=is_mine,
        people=[TesterAnswer(id=person, name=name) for person, name in names],
    )


router = Router("/api/forms", route_handlers=[set_trial, list_trials], tags=["forms"])
