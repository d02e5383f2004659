"""`/api/conflicts/{database}/{record}`: one record's conflict, deciding it, taking it back, asking about it."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from server.auth.authorise import require
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts import questions
from server.desk.conflicts.deciding import Decisions, Prepared
from server.desk.conflicts.page import Pages, document
from server.desk.conflicts.page_schemas import (
    BrokenConstraint,
    ClaimsShown,
    ConflictPage,
    DecisionMade,
    NewClaim,
    NewDecision,
    NewQuestion,
    QuestionSent,
    Undo,
)
from server.desk.conflicts.presence import LASTS, claim, claims_on, leave
from server.desk.conflicts.queue_schemas import Claim, PersonName
from server.desk.conflicts.record_case import Case
from server.desk.conflicts.revision_history import row_of, spotted
from server.desk.relocation.relocating import Moving, stay_of
from server.journal.journal import Journal
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@get(
    "/{database:str}/{record:str}",
    operation_id="showConflict",
    summary="Show what people say of one record, field by field",
)
@raises("not_allowed", "not_found")
async def show_conflict(
    database: FromPath[str],
    record: FromPath[str],
    principal: NamedDependency[Principal],
    pages: NamedDependency[Pages],
) -> ConflictPage:
    """Show a record's open questions with every side of them, its history, and what was decided and asked.

    A record about which nobody disagrees any more is shown without questions. Administrators may look, data managers
    decide.
    """
    require(principal, "read_conflicts", database)
    return await pages.page(principal, database, record)


@post(
    "/{database:str}/{record:str}/decide",
    operation_id="decideConflict",
    summary="Decide fields of a record; or, as a dry run, see what that would break",
)
@raises(
    "not_allowed",
    "not_found",
    "conflict_moved",
    "unknown_choice",
    "answer_misfit",
    "nothing_to_decide",
    "form_not_here",
)
async def decide_conflict(
    *,
    database: FromPath[str],
    record: FromPath[str],
    data: JSONBody[NewDecision],
    principal: NamedDependency[Principal],
    pages: NamedDependency[Pages],
    decisions: NamedDependency[Decisions],
    moving: NamedDependency[Moving],
) -> DecisionMade:
    """Write a decision about the fields that are chosen, atomically, on what stood when the page was read.

    409 `conflict_moved` where somebody touched one of these fields meanwhile, with the fresh page: nothing is
    overwritten. 422 `answer_misfit` names a typed value that its question cannot hold. A constraint that the answers
    would break is a warning: people may know better than the form.
    """
    require(principal, "decide_conflicts", database)
    if (stay := stay_of(data)) is not None:
        settled = await moving.stay(principal, database, record, data, stay)
        case, made, rev = settled.case, settled.decided, settled.rev
    else:
        made = await decisions.decide(principal, database, record, data)
        case, rev = made.case, made.decision.rev
    warnings = [] if made is None else warnings_of(made)
    if data.dry_run:
        page = await pages.of(principal, case)
        proposed = {**document(case), **({} if made is None else made.content)}
        return DecisionMade(rev=None, warnings=warnings, page=page.model_copy(update={"doc": proposed}))
    return DecisionMade(rev=rev, warnings=warnings, page=await pages.page(principal, database, record))


@post(
    "/{database:str}/{record:str}/undo",
    operation_id="undoDecision",
    summary="Take a decision back, so that its fields are open again",
)
@raises("not_allowed", "not_found", "conflict_moved", "undo_too_late", "answer_misfit")
async def undo_decision(
    *,
    database: FromPath[str],
    record: FromPath[str],
    data: JSONBody[Undo],
    principal: NamedDependency[Principal],
    pages: NamedDependency[Pages],
    decisions: NamedDependency[Decisions],
    moving: NamedDependency[Moving],
) -> DecisionMade:
    """Take a decision back; it stays in the history. 409 `undo_too_late` once somebody said something new about it.

    One about where the record stays is taken back in every area that it was written to, or in none.
    """
    require(principal, "decide_conflicts", database)
    made = await moving.undo(principal, database, record, data)
    if made is None:
        made = await decisions.undo(principal, database, record, data)
    page = await pages.page(principal, database, record)
    return DecisionMade(rev=made.decision.rev, warnings=warnings_of(made), page=page)


@post(
    "/{database:str}/{record:str}/claim",
    status_code=200,
    operation_id="claimConflict",
    summary="Say that one is looking at a conflict",
)
@raises("not_allowed", "not_found")
async def claim_conflict(
    *,
    database: FromPath[str],
    record: FromPath[str],
    data: JSONBody[NewClaim],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    pages: NamedDependency[Pages],
    clock: NamedDependency[Clock],
) -> ClaimsShown:
    """Show others that one has the conflict open; to be said again while that lasts. It keeps nobody out."""
    require(principal, "read_conflicts", database)
    await pages.case(database, record)
    now = clock()
    async with storage.write() as connection:
        if data.leave:
            await leave(connection, database, record, principal.person)
        else:
            await claim(connection, database, record, principal.person, now)
        held = (await claims_on(connection, {(database, record)}, now)).get((database, record), [])
        names = await names_of(connection, (person for person, _ in held))
    claims = [
        Claim(person=each, name=names.get(each, ""), until=until, is_me=each == principal.person)
        for each, until in held
    ]
    return ClaimsShown(claims=claims, expires_s=int(LASTS.total_seconds()))


@post(
    "/{database:str}/{record:str}/ask",
    operation_id="askAboutConflict",
    summary="Ask the workers concerned about one field",
)
@raises("not_allowed", "not_found", "nothing_to_decide", "nobody_to_ask")
async def ask_about(
    *,
    database: FromPath[str],
    record: FromPath[str],
    data: JSONBody[NewQuestion],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    pages: NamedDependency[Pages],
    clock: NamedDependency[Clock],
) -> QuestionSent:
    """Send a question about an open field to those who recorded it, or to others; replies come back into the page.

    Any worker of the area may reply, with a value or only with words; nothing waits for it.
    """
    require(principal, "decide_conflicts", database)
    case = await pages.case(database, record)
    sent = await questions.ask(storage, journal, clock, principal=principal, case=case, new=data)
    page = await pages.page(principal, database, record)
    async with storage.read() as connection:
        names = await names_of(connection, sent.to)
    return QuestionSent(id=sent.id, to=[PersonName(id=each, name=names.get(each, "")) for each in sent.to], page=page)


def warnings_of(made: Prepared) -> list[BrokenConstraint]:
    """Return the constraints that the decided answers break, in the form's words."""
    return [_warning(made.case, path) for path in made.broken]


def _warning(case: Case, path: str) -> BrokenConstraint:
    spot = spotted(case, path)
    return BrokenConstraint(path=path, label=spot.labels, row=row_of(case, spot), message=case.message(path))
