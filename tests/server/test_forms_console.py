"""`nuong form` at the console: publishing, saying what is wrong, listing."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import nuong
from tests.vectors.make_forms import SPREADSHEETS
from tests.workbooks import GOOD, SETTINGS, question, xlsform


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("NUONG_DATABASE_URL", f"sqlite:///{tmp_path / 'nuong.sqlite'}")
    monkeypatch.setenv("NUONG_SECRET", "a secret that only the tests know, 40 characters")
    return CliRunner()


def publish(console: CliRunner, data: bytes, folder: Path, *options: str, project: str = "agri") -> Result:
    file = folder / "form.xlsx"
    file.write_bytes(data)
    return console.invoke(nuong, ["form", "publish", str(file), "--project", project, *options])


def test_publishing_says_what_is_live_and_that_no_browser_has_loaded_it(console: CliRunner, tmp_path: Path) -> None:
    result = publish(console, xlsform(), tmp_path)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "Live: household 1 [agri, live] Hộ gia đình",
        "No browser has loaded it: open it once on the forms screen to be sure that phones can.",
    ]


def test_publishing_the_same_file_again_changes_nothing(console: CliRunner, tmp_path: Path) -> None:
    data = xlsform()
    assert publish(console, data, tmp_path).output == publish(console, data, tmp_path).output
    assert console.invoke(nuong, ["form", "list"]).output == "household 1 [agri, live] Hộ gia đình\n"


def test_a_changed_file_under_a_published_version_is_refused(console: CliRunner, tmp_path: Path) -> None:
    publish(console, xlsform(), tmp_path)
    result = publish(console, xlsform(survey=[*GOOD, question("text", "more")]), tmp_path)
    assert result.exit_code != 0
    assert "error: settings, row 2: Version 1 of household is published already" in result.output


def test_a_new_version_says_what_it_asks_otherwise(console: CliRunner, tmp_path: Path) -> None:
    publish(console, xlsform(), tmp_path)
    survey = [*GOOD[:1], question("integer", "heads"), *GOOD[2:]]
    assert publish(console, xlsform(survey=survey, version="2"), tmp_path).output.splitlines()[:2] == [
        "since 1: /heads added: Câu heads",
        "since 1: /has_land removed: Câu has_land",
    ]


def test_what_is_wrong_is_said_with_its_row(console: CliRunner, tmp_path: Path) -> None:
    survey = [*GOOD, {"type": "calculate", "name": "stamp", "calculation": "now()"}]
    result = publish(console, xlsform(survey=survey, settings=SETTINGS), tmp_path)
    assert result.exit_code != 0
    assert "error: survey, row 7: now() gives another value each time the form is opened." in result.output
    assert console.invoke(nuong, ["form", "list"]).output == ""


def test_what_is_proposed_is_shown_and_accepted_by_one_option(console: CliRunner, tmp_path: Path) -> None:
    data = xlsform(settings=SETTINGS | {"form_id": "Hộ dân", "version": "1 (2022-07-20)"})
    refused = publish(console, data, tmp_path)
    assert refused.exit_code != 0
    assert "  proposed: settings, row 2, form_id: Hộ dân → ho_dan" in refused.output
    assert "What is proposed is accepted with --accept." in refused.output
    assert console.invoke(nuong, ["form", "list"]).output == ""
    accepted = publish(console, data, tmp_path, "--accept")
    assert accepted.exit_code == 0, accepted.output
    assert accepted.output.splitlines()[:3] == [
        "accepted: settings, row 2, form_id: Hộ dân → ho_dan",
        "accepted: settings, row 2, version: 1 (2022-07-20) → 1-2022-07-20",
        "Live: ho_dan 1-2022-07-20 [agri, live] Hộ gia đình",
    ]


def test_a_list_comes_with_the_form(console: CliRunner, tmp_path: Path) -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file villages.csv", "village")])
    assert "The form needs the file “villages.csv”" in publish(console, data, tmp_path).output
    villages = tmp_path / "villages.csv"
    villages.write_text("name,label\nna_vai,Bản Na Vai\n", encoding="utf-8")
    assert publish(console, data, tmp_path, "--list", str(villages)).exit_code == 0


def test_a_project_that_does_not_exist_takes_no_forms(console: CliRunner, tmp_path: Path) -> None:
    result = publish(console, xlsform(), tmp_path, project="fishery")
    assert "There is no project fishery." in str(result.exception)


@pytest.mark.slow
def test_every_demonstration_form_is_published(console: CliRunner) -> None:
    for spreadsheet in sorted(SPREADSHEETS.glob("*.xlsx")):
        tourism = spreadsheet.stem in {"homestay_ocop", "heritage_site"}
        command = ["form", "publish", str(spreadsheet), "--project", "tourism" if tourism else "agri"]
        result = console.invoke(nuong, command)
        assert result.exit_code == 0, result.output
    assert len(console.invoke(nuong, ["form", "list"]).output.splitlines()) == 7
