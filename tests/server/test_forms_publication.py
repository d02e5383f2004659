"""A form's way from an upload to the phones: who may publish, what is written, and that a version never changes."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from server.errors import Problem
from server.forms.conversion.xlsform import Upload
from server.forms.library import FormLibrary
from server.forms.versions.candidates import FormCandidate, check_upload
from server.forms.versions.publication import accepted_in, publish, versions_of
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from tests.builders import PROVINCE, Client, SignedIn, grant, person_signed_in, problem
from tests.workbooks import GOOD, SETTINGS, question, xlsform

pytestmark = pytest.mark.by_turns

LOADED = {"loaded": True, "languages": ["Tiếng Việt (vi)", "English (en)"]}
VILLAGES = "name,label\nna_vai,Bản Na Vai\n".encode()
WITH_LIST = [*GOOD, question("select_one_from_file villages.csv", "village")]


async def administrator(client: Client, project: str = "agri") -> SignedIn:
    return await person_signed_in(client, f"admin_{project}", grant("administrator", project, PROVINCE))


async def upload(
    client: Client,
    who: SignedIn,
    data: bytes,
    project: str = "agri",
    lists: dict[str, bytes] | None = None,
    *,
    accept: Sequence[str] = (),
) -> httpx.Response:
    files = [("file", ("form.xlsx", data))] + [("lists", (name, body)) for name, body in (lists or {}).items()]
    fields = {"project": project, "accept": list(accept)}
    return await client.post("/api/forms/check", data=fields, files=files, headers=who.headers)


async def checked(
    client: Client,
    who: SignedIn,
    data: bytes,
    project: str = "agri",
    lists: dict[str, bytes] | None = None,
    *,
    accept: Sequence[str] = (),
) -> dict[str, Any]:
    response = await upload(client, who, data, project, lists, accept=accept)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def go_live(client: Client, who: SignedIn, candidate: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await client.post(
        f"/api/forms/candidates/{candidate}/publish", json=LOADED if body is None else body, headers=who.headers
    )


async def published(client: Client, who: SignedIn, **settings: str) -> dict[str, Any]:
    answer = await checked(client, who, xlsform(settings=SETTINGS | settings))
    response = await go_live(client, who, answer["id"])
    assert response.status_code == 200, response.text
    version: dict[str, Any] = response.json()
    return version


def catalog_document(client: Client, form: str, version: str) -> Any:
    async def read() -> Any:
        stored = await client.app.state["journal"].document("catalog", f"form:{form}:{version}")
        return None if stored is None else json.loads(stored.content)

    return read()


async def test_an_upload_becomes_a_candidate_and_nothing_is_live_yet(client: Client) -> None:
    who = await administrator(client)
    answer = await checked(client, who, xlsform())
    assert (answer["form"], answer["version"], answer["errors"], answer["warnings"]) == ("household", "1", [], [])
    assert answer["title"] == {"vi": "Hộ gia đình", "en": "Household"}
    assert "_rid" in answer["xform"]
    assert await catalog_document(client, "household", "1") is None
    assert (await client.get("/api/forms", headers=who.headers)).json() == {"forms": []}


async def test_an_upload_with_errors_is_answered_with_each_of_them_in_its_place(client: Client) -> None:
    who = await administrator(client)
    survey = [*GOOD, {"type": "calculate", "name": "stamp", "calculation": "now()"}]
    answer = await checked(client, who, xlsform(survey=survey))
    assert answer["id"] is None
    (error,) = answer["errors"]
    assert (error["code"], error["sheet"], error["row"], error["params"]) == (
        "once_needed",
        "survey",
        7,
        {"function": "now", "instead": "once(now())"},
    )
    assert error["message"] == "now() gives another value each time the form is opened. Write once(now())."


async def test_a_proposal_is_accepted_with_the_same_file_and_kept_with_the_version(
    client: Client,
) -> None:
    who = await administrator(client)
    data = xlsform(settings=SETTINGS | {"form_id": "Hộ dân 2026", "version": "2026-03-01 00:00:00"})
    answer = await checked(client, who, data)
    assert answer["id"] is None
    proposals = [error["proposal"] for error in answer["errors"]]
    assert [proposal["changes"] for proposal in proposals] == [
        [{"sheet": "settings", "row": 2, "column": "form_id", "before": "Hộ dân 2026", "after": "ho_dan_2026"}],
        [{"sheet": "settings", "row": 2, "column": "version", "before": "2026-03-01 00:00:00", "after": "2026-03-01"}],
    ]
    keys = [proposal["key"] for proposal in proposals]
    one = await checked(client, who, data, accept=keys[:1])
    assert [error["code"] for error in one["errors"]] == ["version"]
    done = await checked(client, who, data, accept=keys)
    assert (done["form"], done["version"], done["errors"]) == ("ho_dan_2026", "2026-03-01", [])
    assert done["accepted"] == proposals
    assert (await go_live(client, who, done["id"])).status_code == 200
    kept = await accepted_in(client.app.state["storage"], "ho_dan_2026", "2026-03-01")
    assert kept == proposals
    # Everything at once, as one click does.
    again = await checked(client, who, data, accept=["*"])
    assert [error["code"] for error in again["errors"]] == []
    assert again["version"] != "2026-03-01"


async def test_a_file_that_is_no_workbook_is_an_answer_and_no_failure(client: Client) -> None:
    who = await administrator(client)
    answer = await checked(client, who, b"%PDF-1.7")
    assert [error["code"] for error in answer["errors"]] == ["not_xlsx"]


async def test_a_candidate_goes_live_once_the_browser_has_loaded_it(client: Client) -> None:
    who = await administrator(client)
    answer = await checked(client, who, xlsform(survey=WITH_LIST), lists={"villages.csv": VILLAGES})
    version = (await go_live(client, who, answer["id"])).json()
    assert (version["form"], version["version"], version["status"]) == ("household", "1", "live")
    assert version["loaded_in_browser"] is True
    document = await catalog_document(client, "household", "1")
    assert document == {
        "type": "form",
        "form": "household",
        "version": "1",
        "project": "agri",
        "title": {"vi": "Hộ gia đình", "en": "Household"},
        "languages": ["vi", "en"],
        "status": "live",
        "xform": hashlib.sha256(answer["xform"].encode()).hexdigest(),
        "lists": {"villages.csv": hashlib.sha256(VILLAGES).hexdigest()},
        "points": [],
    }


async def test_publishing_the_same_candidate_again_answers_the_same(client: Client) -> None:
    who = await administrator(client)
    answer = await checked(client, who, xlsform())
    first = await go_live(client, who, answer["id"])
    before = await client.app.state["journal"].state("catalog")
    again = await go_live(client, who, answer["id"])
    assert (again.status_code, again.json()) == (200, first.json())
    assert await client.app.state["journal"].state("catalog") == before


@pytest.mark.parametrize(
    "body", [{}, {"loaded": False, "languages": ["vi", "en"]}, {"loaded": True}, {**LOADED, "force": True}]
)
async def test_a_form_that_no_browser_loaded_does_not_go_live(client: Client, body: dict[str, Any]) -> None:
    who = await administrator(client)
    answer = await checked(client, who, xlsform())
    problem(await go_live(client, who, answer["id"], body), 400, "invalid_request")
    assert await catalog_document(client, "household", "1") is None


async def test_a_form_that_was_not_loaded_in_every_language_does_not_go_live(client: Client) -> None:
    who = await administrator(client)
    answer = await checked(client, who, xlsform())
    response = await go_live(client, who, answer["id"], {"loaded": True, "languages": ["vi"]})
    assert problem(response, 422, "form_not_loaded") == {"languages": ["en"]}


async def test_a_new_version_retires_the_one_before_it_and_both_stay_readable(client: Client) -> None:
    who = await administrator(client)
    await published(client, who, version="1")
    await published(client, who, version="2", title_vi="Hộ gia đình, bản 2")
    statuses = {
        one["version"]: one["status"] for one in (await client.get("/api/forms", headers=who.headers)).json()["forms"]
    }
    assert statuses == {"1": "retired", "2": "live"}
    for version, status in statuses.items():
        assert (await catalog_document(client, "household", version))["status"] == status
        text = await client.get(f"/api/forms/household/{version}/xform", headers=who.headers)
        assert (text.status_code, f'version="{version}"' in text.text) == (200, True)


async def test_a_new_version_is_compared_with_the_one_that_is_live(client: Client) -> None:
    who = await administrator(client)
    assert (await checked(client, who, xlsform()))["difference"] is None
    await published(client, who)
    more = xlsform(survey=[*GOOD, question("text", "more")], version="2")
    assert (await checked(client, who, more))["difference"] == {
        "version": "1",
        "questions": [{"kind": "added", "path": "/more", "before": "", "after": "Câu more"}],
    }


async def test_a_published_version_is_refused_when_it_is_uploaded_again(client: Client) -> None:
    who = await administrator(client)
    await published(client, who)
    answer = await checked(client, who, xlsform(survey=[*GOOD, question("text", "more")]))
    assert [(error["code"], error["sheet"], error["row"]) for error in answer["errors"]] == [
        ("version_published", "settings", 2)
    ]


async def test_of_two_candidates_for_one_version_only_the_first_goes_live(client: Client) -> None:
    who = await administrator(client)
    first = await checked(client, who, xlsform())
    second = await checked(client, who, xlsform(survey=[*GOOD, question("text", "more")]))
    assert (await go_live(client, who, first["id"])).status_code == 200
    params = problem(await go_live(client, who, second["id"]), 409, "form_version_exists")
    assert params == {"form": "household", "version": "1"}
    stands = await catalog_document(client, "household", "1")
    assert stands["xform"] == hashlib.sha256(first["xform"].encode()).hexdigest()


async def test_a_form_stays_in_its_project(client: Client) -> None:
    agri, tourism = await administrator(client), await administrator(client, "tourism")
    earlier = await checked(client, tourism, xlsform(version="2"), "tourism")
    await published(client, agri)
    answer = await checked(client, tourism, xlsform(version="3"), "tourism")
    assert [error["code"] for error in answer["errors"]] == ["other_project"]
    problem(await go_live(client, tourism, earlier["id"]), 409, "form_of_another_project")


async def test_only_an_administrator_of_the_whole_project_publishes(client: Client) -> None:
    for number, held in enumerate(
        [
            grant("field_worker", unit=PROVINCE),
            grant("supervisor", unit=PROVINCE),
            grant("data_manager", unit=PROVINCE),
            grant("administrator"),
        ]
    ):
        who = await person_signed_in(client, f"person{number}", held)
        assert (await upload(client, who, xlsform())).status_code in {403, 404}
    other = await administrator(client, "tourism")
    problem(await upload(client, other, xlsform()), 404, "not_found")
    assert (await client.post("/api/forms/check")).status_code == 401


async def test_a_candidate_of_another_project_looks_like_none(client: Client) -> None:
    answer = await checked(client, await administrator(client), xlsform())
    other = await administrator(client, "tourism")
    problem(await go_live(client, other, answer["id"]), 404, "not_found")
    problem(await go_live(client, other, "01890000-0000-7000-8000-000000000000"), 404, "not_found")


async def test_a_project_that_does_not_exist_takes_no_forms(client: Client) -> None:
    who = await person_signed_in(client, "everywhere", grant("administrator", "*", PROVINCE))
    problem(await upload(client, who, xlsform(), "fishery"), 404, "not_found")


async def test_contents_reach_those_who_work_in_the_project_and_no_others(client: Client) -> None:
    admin = await administrator(client)
    worker = await person_signed_in(client, "worker", grant("field_worker"))
    guide = await person_signed_in(client, "guide", grant("field_worker", "tourism"))
    answer = await checked(client, admin, xlsform(survey=WITH_LIST), lists={"villages.csv": VILLAGES})
    address = f"/api/contents/{answer['lists']['villages.csv']}"
    problem(await client.get(address, headers=worker.headers), 404, "not_found")
    assert (await client.get(address, headers=admin.headers)).content == VILLAGES
    await go_live(client, admin, answer["id"])
    found = await client.get(address, headers=worker.headers)
    assert (found.status_code, found.content) == (200, VILLAGES)
    assert "immutable" in found.headers["cache-control"]
    assert "private" in found.headers["cache-control"]
    assert found.headers["content-type"].startswith("text/csv")
    problem(await client.get(address, headers=guide.headers), 404, "not_found")
    problem(await client.get(address), 401, "not_signed_in")
    assert (await client.get("/api/contents/not-a-hash", headers=worker.headers)).status_code in {400, 404}


async def test_a_content_goes_on_where_a_link_broke(client: Client) -> None:
    admin = await administrator(client)
    answer = await checked(client, admin, xlsform(survey=WITH_LIST), lists={"villages.csv": VILLAGES})
    address = f"/api/contents/{answer['lists']['villages.csv']}"
    whole = await client.get(address, headers=admin.headers)
    rest = await client.get(address, params={"start": 7}, headers=admin.headers)
    assert (rest.status_code, rest.content) == (200, VILLAGES[7:])
    assert rest.headers["etag"] != whole.headers["etag"]
    assert (await client.get(address, params={"start": 10**9}, headers=admin.headers)).content == b""
    problem(await client.get(address, params={"start": -1}, headers=admin.headers), 400, "invalid_request")


async def test_a_worker_lists_and_reads_the_forms_of_their_project_only(client: Client) -> None:
    await published(client, await administrator(client))
    worker = await person_signed_in(client, "worker", grant("field_worker"))
    guide = await person_signed_in(client, "guide", grant("field_worker", "tourism"))
    forms = (await client.get("/api/forms", headers=worker.headers)).json()["forms"]
    assert [(one["form"], one["version"]) for one in forms] == [("household", "1")]
    assert (await client.get("/api/forms", headers=guide.headers)).json() == {"forms": []}
    assert (await client.get("/api/forms/household/1/xform", headers=worker.headers)).status_code == 200
    problem(await client.get("/api/forms/household/1/xform", headers=guide.headers), 404, "not_found")
    problem(await client.get("/api/forms/household/9/xform", headers=worker.headers), 404, "not_found")


async def candidate_of(storage: Storage, clock: Clock, **settings: str) -> FormCandidate:
    done = await check_upload(
        storage, clock, Upload(xlsform(settings=SETTINGS | settings)), project="agri", person=None
    )
    assert done.candidate is not None, [finding.message for finding in done.findings]
    return done.candidate


async def test_versions_that_go_live_at_once_leave_one_live(storage: Storage, clock: Clock) -> None:
    journal = Journal(storage, clock)
    await journal.ensure(["catalog"])
    candidates = [await candidate_of(storage, clock, version=f"{number}") for number in range(4)]
    await asyncio.gather(
        *(publish(storage, journal, clock, one, person=None, loaded_in_browser=False) for one in candidates)
    )
    statuses = sorted(version.status for version in await versions_of(storage, "household"))
    assert statuses == ["live", "retired", "retired", "retired"]
    stored = await journal.documents("catalog", [f"form:household:{number}" for number in range(4)])
    assert sorted(json.loads(one.content)["status"] for one in stored.values()) == statuses


async def test_the_library_gives_a_version_from_the_moment_it_is_live(storage: Storage, clock: Clock) -> None:
    journal, library = Journal(storage, clock), FormLibrary(storage)
    await journal.ensure(["catalog"])
    assert await library.get("household", "1") is None
    candidate = await candidate_of(storage, clock)
    assert await library.get("household", "1") is None
    await publish(storage, journal, clock, candidate, person=None, loaded_in_browser=False)
    found = await library.get("household", "1")
    assert found is not None
    assert (found.project, found.titles["en"], found.schema.by_path["/plot/_rid"].is_once) == (
        "agri",
        "Household",
        True,
    )
    assert await library.get("household", "1") is found


async def test_a_version_whose_catalog_cannot_be_written_is_not_live(storage: Storage, clock: Clock) -> None:
    # Without a database `catalog` the journal refuses, and nothing of the publication may stand.
    journal = Journal(storage, clock)
    async with storage.write() as connection:
        await journal.remove_within(connection, "catalog")
    candidate = await candidate_of(storage, clock)
    with pytest.raises((LookupError, Problem)):
        await publish(storage, journal, clock, candidate, person=None, loaded_in_browser=False)
    assert await versions_of(storage) == []
