"""`nuong backup` and `nuong restore` as an operator types them."""

import asyncio
import shutil
from pathlib import Path

import pytest

from server.platform.db.engine import Storage
from server.platform.db.server_identity import Identity, identify
from tests.builders import PASSWORD
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


def test_after_a_database_was_copied_back_a_command_begins_a_new_epoch(at: At, tmp_path: Path) -> None:
    database, kept = tmp_path / "nuong.db", tmp_path / "kept.db"
    of_database = {"NUONG_DATABASE_URL": f"sqlite:///{database}"}

    def told() -> Identity:
        """Return what a server that starts over this database tells in its answers."""

        async def over() -> Identity:
            storage = Storage(f"sqlite:///{database}")
            try:
                return await identify(storage)
            finally:
                await storage.close()

        return asyncio.run(over())

    assert at.nuong("migrate", **of_database).code == 0
    before = told()
    shutil.copy(database, kept)
    at.nuong("person", "add", "Lan", "--name", "Lò Thị Lan", "--role", "administrator", given=PASSWORD, **of_database)
    for left in tmp_path.glob("nuong.db*"):
        left.unlink()
    shutil.copy(kept, database)
    # The copy tells what the database told before it was lost.
    assert told() == before
    begun = at.nuong("epoch", "begin", **of_database)
    assert (begun.code, begun.error) == (0, "")
    assert "Start the server" in begun.out
    assert told().server == before.server
    assert told().epoch != before.epoch
    assert at.nuong("epoch", "begin", **of_database).code == 0
