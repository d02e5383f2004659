"""`nuong backup` and `nuong restore` as an operator types them."""

from pathlib import Path

import pytest

from tests.server.test_operating import At


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> At:
    return At(tmp_path, monkeypatch, capsys)


def test_backing_up_and_restoring_at_the_console_says_and_asks(at: At, tmp_path: Path) -> None:
    words = ("person", "add", "Lan", "--name", "Lò Thị Lan", "--role", "field_worker", "--project", "agri")
    at.nuong(*words, "--unit", "03226", given="mật khẩu rất dài\n")
    kept, media = str(tmp_path / "kept"), {"NUONG_MEDIA_DIR": str(tmp_path / "media")}
    made = at.nuong("backup", kept, **media)
    assert (made.code, made.error) == (0, "")
    assert "was verified" in made.out
    assert (Path(kept) / "secret").stat().st_mode & 0o777 == 0o600
    assert "is whole" in at.nuong("backup", "verify", kept, **media).out
    refused = at.nuong("restore", kept, "--yes", **media)
    assert (refused.code, refused.error[:42]) == (1, "nuong: NUONG_DATABASE_URL: this database i")
    new = {
        "NUONG_DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'nuong.db'}",
        "NUONG_SECRET_FILE": str(tmp_path / "new" / "secret"),
        "NUONG_MEDIA_DIR": str(tmp_path / "new" / "media"),
    }
    asked = at.nuong("restore", kept, given="n\n", **new)
    assert asked.code != 0
    assert "passwords changed since are the old ones again" in asked.out
    assert not (tmp_path / "new" / "nuong.db").exists()
    assert at.nuong("restore", kept, given="y\n", **new).code == 0
    assert "Lò Thị Lan" in at.nuong("person", "list", **new).out
    without = at.nuong("backup", str(tmp_path / "other"), "--without-secret", **media)
    assert "is not in it" in without.out
    newer = {**new, "NUONG_DATABASE_URL": f"sqlite:///{tmp_path / 'newer.db'}", "NUONG_SECRET_FILE": "no-such-file"}
    lacking = at.nuong("restore", str(tmp_path / "other"), "--yes", **newer)
    assert lacking.error.startswith("nuong: NUONG_SECRET: the backup was made without the secret.")
