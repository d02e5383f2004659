"""The demo province: made-up answers obey their forms, and simulated phones fill it through the public doors."""

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.background import followers_of
from server.console import Console, Failure
from server.demo import province
from server.demo.filling import Filler, SurveySite
from server.demo.people import FORM_PROJECTS, PASSWORD, PEOPLE
from server.demo.phone import Phone
from server.demo.simulate import Simulation
from server.forms.answers.record_answers import check, to_json
from server.forms.commands import publish_upload
from server.forms.conversion.xlsform import Upload
from server.forms.library import FormLibrary
from server.forms.versions.publication import versions_of
from server.read_model.household_tables import likenesses
from server.read_model.record_tables import open_questions, records
from tests.builders import Client

PLACE = SurveySite("03226", 22.02, 103.29)
NOW = datetime(2026, 11, 21, 9, tzinfo=timezone(timedelta(hours=7)))


def console(client: Client) -> Console:
    """Return the console of the app's own storage."""
    state = client.app.state
    return Console(state["settings"], state["storage"], state["journal"], state["clock"])


@pytest.mark.slow
@pytest.mark.one_store("answers are made and checked in memory")
@pytest.mark.parametrize("name", FORM_PROJECTS)
async def test_made_up_answers_type_and_say_that_they_are_made_up(client: Client, name: str) -> None:
    own = console(client)
    data = (province.FORMS / f"{name}.xlsx").read_bytes()
    _checked, version = await publish_upload(own, Upload(data), FORM_PROJECTS[name])
    assert version is not None
    published = await FormLibrary(own.storage).get(name, version.what.version)
    assert published is not None
    filler = Filler(published.xform)
    for seed in range(20):
        filled = filler.fill(random.Random(seed), PLACE, NOW)
        answers = to_json(published.schema, filled.xml)
        assert check(published.schema, answers) == []
        assert "(demo)" in answers["village"]
        assert filled.xml == filler.fill(random.Random(seed), PLACE, NOW).xml
        said = published.evaluator.evaluate(answers, at=NOW)
        assert (said.answers, said.broken) == (answers, {})


@pytest.mark.slow
@pytest.mark.by_turns
async def test_simulated_phones_fill_the_province_through_its_doors(client: Client) -> None:
    own = console(client)
    await province.prepare(own)
    said: list[str] = []
    state = client.app.state
    followers = followers_of(
        state["settings"], own.storage, own.journal, clock=own.clock, library=state["library"], areas=state["areas"]
    )
    async with followers.running():
        done = await Simulation(client, seed=3, say=said.append).run(42)
    await followers.once()
    assert (done.records, done.conflicts > 0, done.approved > 0, done.returned > 0) == (44, True, True, True)
    assert [one.reason for one in await own.journal.quarantined()] == ["unknown_form"]
    async with own.storage.read() as connection:
        found = await connection.execute(select(records.c.form, func.count().label("kept")).group_by(records.c.form))
        forms: dict[str, int] = {row.form: row.kept for row in found}
        branches = (await connection.execute(select(func.count()).where(records.c.branches > 1))).scalar_one()
        asked = (await connection.execute(select(open_questions.c.record, open_questions.c.cause))).all()
        pairs = (await connection.execute(select(likenesses.c.form, likenesses.c.verdict))).all()
    assert forms == dict.fromkeys(FORM_PROJECTS, 6) | {"household_crop": 8}
    assert [tuple(pair) for pair in pairs] == [("household_crop", "open")]
    assert branches == 0
    assert len({row.record for row in asked}) == done.conflicts
    assert {row.cause for row in asked} >= {"value", "delete"}
    assert len(said) == 3


@pytest.mark.slow
async def test_starting_again_adds_nobody_and_no_form_twice(client: Client) -> None:
    own = console(client)
    await province.prepare(own)
    before = [version.what.version for version in await versions_of(own.storage)]
    await province.prepare(own)
    assert [version.what.version for version in await versions_of(own.storage)] == before
    for person in PEOPLE:
        phone = await Phone(client).sign_in(person.username, PASSWORD)
        assert phone.person["name"].endswith("(demo)")
    assert PASSWORD in province.sign_ins("http://localhost:8000")


def test_starting_afresh_removes_a_demo_and_nothing_else(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    (demo / "media").mkdir(parents=True)
    (demo / "nuong.db").touch()
    province.reset(demo)
    assert not demo.exists()
    (tmp_path / "letters.txt").touch()
    with pytest.raises(Failure):
        province.reset(tmp_path)
    assert (tmp_path / "letters.txt").exists()
