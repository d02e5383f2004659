"""The doors of forms: checking and publishing for administrators, reading for everybody in the project."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from litestar import Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody, PathParameter, QueryParameter

from server.areas.areas import Areas
from server.areas.grants import EVERY_PROJECT
from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.errors import Problem
from server.forms.authoring.proposals import Acceptance, FormProposal
from server.forms.contents import XFORM_TYPE, XLS_TYPE, Content, fetch
from server.forms.conversion.findings import Finding
from server.forms.conversion.xlsform import Upload
from server.forms.library import FormLibrary
from server.forms.schema import language_code
from server.forms.schemas import (
    ChangeAnswer,
    CheckedAnswer,
    DifferenceAnswer,
    FindingAnswer,
    FormAnswer,
    FormsAnswer,
    ProposalAnswer,
    PublishBody,
    QuestionDifferenceAnswer,
    StatusBody,
    UploadBody,
)
from server.forms.versions import publication
from server.forms.versions.candidates import CheckedForm, candidate_to_publish, check_upload
from server.forms.versions.difference import VersionDifference
from server.forms.versions.publication import FormVersion, versions_of
from server.forms.versions.trials import fetch_tried
from server.journal.journal import Journal
from server.platform.api_description.declarations import Described, raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage

#: A content never changes under its hash; `private`, because who may read it depends on who asks.
FOR_EVER = "private, max-age=31536000, immutable"


@post("/check", status_code=200)
@raises("not_allowed", "not_found")
async def check(
    data: MultipartBody[UploadBody],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> CheckedAnswer:
    """Check a spreadsheet; if nothing is wrong with it, it waits as a candidate until the author's browser loads it."""
    require(principal, "publish_forms", data.project)
    if data.project not in (await areas.atlas()).projects:
        raise Problem("not_found")
    lists = {file.filename: await file.read() for file in data.lists}
    body = await data.file.read()
    upload = Upload(body, lists, file_name=data.file.filename, accepts=Acceptance.of(data.accept))
    checked = await check_upload(
        storage,
        clock,
        upload,
        project=data.project,
        person=principal.person,
        is_theirs=lambda project: allowed(principal, "publish_forms", project),
    )
    return _checked(checked, data.project)


@post("/candidates/{candidate:str}/publish", status_code=200)
@raises("not_allowed", "not_found", "form_not_loaded", "form_of_another_project", "form_version_exists")
async def publish(
    *,
    candidate: FromPath[str],
    data: JSONBody[PublishBody],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    clock: NamedDependency[Clock],
) -> FormAnswer:
    """Let a candidate go live, now that the author's browser has loaded it in every language that it has."""
    found = await candidate_to_publish(storage, principal, candidate)
    missing = set(found.languages) - {language_code(language) for language in data.languages}
    if missing:
        raise Problem("form_not_loaded", languages=sorted(missing))
    version = await publication.publish(storage, journal, clock, found, person=principal.person, loaded_in_browser=True)
    return _form(version)


@get()
async def list_forms(principal: NamedDependency[Principal], storage: NamedDependency[Storage]) -> FormsAnswer:
    """List the published versions of the person's projects, newest first."""
    versions = await versions_of(storage)
    return FormsAnswer(forms=[_form(version) for version in versions if _is_in(principal, version.what.project)])


@get("/{form:str}/{version:str}/xform", described=Described(answers=XFORM_TYPE))
@raises("not_found")
async def xform(
    form: FromPath[str],
    version: FromPath[str],
    principal: NamedDependency[Principal],
    library: NamedDependency[FormLibrary],
) -> Response[bytes]:
    """Return the XForm of a published version."""
    found = await library.get(form, version)
    if found is None or not _is_in(principal, found.project):
        raise Problem("not_found")
    return _content(Content.of(found.xform, XFORM_TYPE))


@get(
    "/{form:str}/{version:str}/source",
    described=Described(answers="*/*", gives={"Content-Disposition": "What the spreadsheet is called."}),
)
@raises("not_allowed", "not_found")
async def source(
    form: FromPath[str],
    version: FromPath[str],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
) -> Response[bytes]:
    """Return the spreadsheet of a version as its author brought it, without what they accepted besides."""
    known = await _published_here(principal, storage, form, version)
    found = await fetch(storage, known.what.source)
    if found is None:
        raise Problem("not_found")
    answer = _content(found)
    ending = "xls" if found.media_type == XLS_TYPE else "xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{form}-{version}.{ending}"'
    return answer


@put("/{form:str}/{version:str}/status")
@raises("not_allowed", "not_found")
async def set_status(
    *,
    form: FromPath[str],
    version: FromPath[str],
    data: JSONBody[StatusBody],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    clock: NamedDependency[Clock],
) -> FormAnswer:
    """Retire a version, or bring it back in place of the one that is live; records of a retired one still come in."""
    known = await _published_here(principal, storage, form, version)
    changed = await publication.change_status(storage, journal, clock, known, data.status, person=principal.person)
    return _form(changed)


@get("/api/contents/{sha256:str}", described=Described(answers="*/*"))
@raises("not_found")
async def content(
    *,
    sha256: Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$")],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
    start: Annotated[int, QueryParameter(ge=0)] = 0,
) -> Response[bytes]:
    """Return a content by its hash, where a form of one's projects or a trial names it; its bytes after `start`.

    A phone whose link broke goes on where it stopped. A range would do too, but browsers ask for it uncompressed.
    """
    # Whoever publishes forms must see what is not published yet.
    found = await fetch(storage, sha256, None if allowed(principal, "publish_forms") else principal)
    found = found or await fetch_tried(storage, clock, sha256, principal)
    if found is None:
        raise Problem("not_found")
    return _content(found, start)


async def _published_here(principal: Principal, storage: Storage, form: str, version: str) -> FormVersion:
    """Return a version of a project in which this person publishes."""
    require(principal, "publish_forms")
    # PostgreSQL would refuse the question about a NUL.
    known = [] if "\0" in form else await versions_of(storage, form)
    found = next((one for one in known if one.what.version == version), None)
    if found is None:
        raise Problem("not_found")
    require(principal, "publish_forms", found.what.project)
    return found


def _is_in(principal: Principal, project: str) -> bool:
    return any(grant.project in (project, EVERY_PROJECT) for grant in principal.grants)


def _content(found: Content, start: int = 0) -> Response[bytes]:
    tag = f'"{found.sha256}"' if start == 0 else f'"{found.sha256}-{start}"'
    headers = {"Cache-Control": FOR_EVER, "ETag": tag, "X-Content-Type-Options": "nosniff"}
    return Response(found.body[start:], media_type=found.media_type, headers=headers)


def _checked(checked: CheckedForm, project: str) -> CheckedAnswer:
    candidate, form = checked.candidate, checked.form
    said: Mapping[str, list[FindingAnswer]] = {
        severity: [_finding(finding) for finding in checked.findings if finding.severity == severity]
        for severity in ("error", "warning")
    }
    accepted = [_proposal(proposal) for proposal in checked.accepted]
    if candidate is None or form is None:
        return CheckedAnswer(
            id=None,
            project=project,
            form=None,
            version=None,
            title={},
            languages=[],
            errors=said["error"],
            warnings=said["warning"],
            accepted=accepted,
            difference=None,
            xform=None,
            lists={},
        )
    return CheckedAnswer(
        id=candidate.id,
        project=project,
        form=candidate.form,
        version=candidate.version,
        title=dict(candidate.titles),
        languages=list(candidate.languages),
        errors=said["error"],
        warnings=said["warning"],
        accepted=accepted,
        difference=None if checked.difference is None else _difference(checked.difference),
        xform=form.xform.decode(),
        lists=dict(candidate.lists),
    )


def _difference(differs: VersionDifference) -> DifferenceAnswer:
    questions = [QuestionDifferenceAnswer(**asdict(each)) for each in differs.questions]
    return DifferenceAnswer(version=differs.version, questions=questions)


def _finding(finding: Finding) -> FindingAnswer:
    return FindingAnswer(
        code=finding.code,
        sheet=finding.sheet,
        row=finding.row,
        message=finding.message,
        params=dict(finding.params),
        proposal=None if finding.proposal is None else _proposal(finding.proposal),
    )


def _proposal(proposal: FormProposal) -> ProposalAnswer:
    return ProposalAnswer(key=proposal.key, changes=[ChangeAnswer(**asdict(change)) for change in proposal.changes])


def _form(version: FormVersion) -> FormAnswer:
    what = version.what
    return FormAnswer(
        form=what.form,
        version=what.version,
        project=what.project,
        title=dict(what.titles),
        languages=list(what.languages),
        status=version.status,
        loaded_in_browser=version.loaded_in_browser,
        published_at=version.published_at,
        xform=what.xform,
        lists=dict(what.lists),
    )


router = Router("/api/forms", route_handlers=[check, publish, list_forms, xform, source, set_status], tags=["forms"])
contents_router = Router("/", route_handlers=[content], tags=["forms"])
