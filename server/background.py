"""The work beside requests: the followers that make records, reviews and publications of what was committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from litestar import Litestar

from server.areas.areas import Areas
from server.forms.answers.engine_forms import MergingForms
from server.forms.library import FormLibrary
from server.ingest.awaited_forms import judge_what_awaited_forms
from server.journal.followers.follower import Follower, Projection
from server.journal.followers.runner import Runner
from server.journal.journal import Journal
from server.media.availability import openable
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.projections.aliases import AliasesProjection
from server.projections.branches import BranchesProjection
from server.projections.flags import Limits
from server.projections.graph import in_order
from server.projections.households import HouseholdsProjection
from server.projections.open_documents import OpenDocumentsProjection
from server.projections.records import RecordsProjection
from server.projections.worker_questions import WorkerQuestionsProjection
from server.publish.projection import PublishedProjection
from server.settings import Settings


def followers_of(
    settings: Settings, storage: Storage, journal: Journal, *, clock: Clock, library: FormLibrary, areas: Areas
) -> Runner:
    """Return the followers, each after those whose work it reads."""
    forms_of = partial(MergingForms.over, library)
    branches = BranchesProjection(storage, journal, library, areas, forms_of=forms_of)
    records = _records(settings, storage, journal, library, areas)
    asked = WorkerQuestionsProjection(journal, areas)
    open_documents = OpenDocumentsProjection(storage, journal, areas)
    published = PublishedProjection(storage, journal, library)
    households = HouseholdsProjection(storage, library, areas, threshold=settings.duplicate_score)
    aliases = AliasesProjection(storage, journal, areas, forms_of=forms_of)
    projections: list[Projection] = in_order([branches, records, asked, open_documents, published, households, aliases])
    followers = [Follower(storage, journal, clock, projection) for projection in projections]

    async def look_for_forms() -> None:
        for database, ids in (await branches.arrived()).items():
            for follower in followers:
                if follower.name in (branches.name, records.name):
                    await follower.take_again(database, ids)

    async def look_for_awaited_forms() -> None:
        await judge_what_awaited_forms(storage, journal, library)

    looks = [look_for_awaited_forms, look_for_forms, records.look_for_media, records.look_for_authors]
    return Runner(storage, journal, followers, looks)


def records_follower(
    settings: Settings, storage: Storage, journal: Journal, *, clock: Clock, library: FormLibrary, areas: Areas
) -> Follower:
    """Return the follower that projects records, for who has some of them projected again."""
    return Follower(storage, journal, clock, _records(settings, storage, journal, library, areas))


def _records(
    settings: Settings, storage: Storage, journal: Journal, library: FormLibrary, areas: Areas
) -> RecordsProjection:
    limits = Limits(
        outside_area_m=settings.outside_area_m,
        poor_gps_m=settings.poor_gps_m,
        clock_ahead=timedelta(seconds=settings.clock_ahead_s),
        clock_behind=timedelta(seconds=settings.clock_behind_s),
    )
    return RecordsProjection(storage, journal, library, areas, media=openable, limits=limits)


@asynccontextmanager
async def following(app: Litestar) -> AsyncIterator[None]:
    """Follow while the app runs."""
    state = app.state
    runner = followers_of(
        state.settings,
        state.storage,
        state.journal,
        clock=state.clock,
        library=state.library,
        areas=state.areas,
    )
    state.runner = runner
    if not state.settings.follow:
        yield
        return
    async with runner.running():
        yield
