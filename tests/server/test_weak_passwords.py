"""Passwords that guessing begins with can be set nowhere: not at the desk, not by oneself, not at the console."""

from pathlib import Path

import pytest

from server.auth.weak_passwords import LIST, weakness
from server.demo.people import PASSWORD as DEMO_PASSWORD
from tests.builders import PASSWORD, Client, person_signed_in, problem
from tests.builders import grant as a_grant
from tests.command_process import run_command

COMMON = [
    "password123",
    "Password123!",
    "p@ssw0rd2026",
    "1234567890",
    "qwertyuiop",
    "1q2w3e4r5t",
    "matkhau123456",
    "Mật khẩu 2026",
    "matkhaumatkhau",
    "anh yêu em nhiều",
    "ĐIỆN BIÊN 1954",
    "dienbienphu@123",
    "nguyenvanan1990",
    "123456matkhau",
]
NAMES = ["quangthihoa", "Quàng Thị Hoa 1990", "hoa.quang.1990", "nuong-123456", "Nương2026!!"]
GOOD = [
    PASSWORD,
    DEMO_PASSWORD,
    "mua-gat-thang-muoi",
    "con trâu uống cà phê",
    "48151623428471",
    "matkhau-cua-bac-hang-xom",
]


@pytest.mark.parametrize("password", COMMON)
def test_what_many_people_choose_is_common_however_it_is_varied(password: str) -> None:
    assert weakness(password, ("hoa.quang", "Quàng Thị Hoa")) == "common"


@pytest.mark.parametrize("password", NAMES)
def test_ones_own_and_the_products_name_are_no_secret(password: str) -> None:
    assert weakness(password, ("hoa.quang", "Quàng Thị Hoa")) == "name"


@pytest.mark.parametrize("password", GOOD)
def test_a_few_words_that_do_not_belong_together_are_taken(password: str) -> None:
    assert weakness(password, ("hoa.quang", "Quàng Thị Hoa")) is None


def test_the_kept_list_is_small_sorted_and_says_where_it_comes_from() -> None:
    text = LIST.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(text.encode()) <= 100_000
    assert lines == sorted(set(lines))
    assert len(lines) > 5000
    assert "# Source:" in text
    assert "# Licence:" in text


async def test_a_common_password_is_refused_wherever_one_is_set(client: Client) -> None:
    administrator = await person_signed_in(client, "dung", a_grant("administrator", "*", "11"))
    member = {"username": "hoa", "name": "Quàng Thị Hoa", "grants": []}
    for password, reason in (("matkhau123456", "common"), ("quangthihoa", "name"), ("ngắn", "short")):
        added = await client.post("/api/people", json=member | {"password": password}, headers=administrator.headers)
        assert problem(added, 422, "weak_password") == {"reason": reason}
    added = await client.post("/api/people", json=member | {"password": PASSWORD}, headers=administrator.headers)
    assert added.status_code == 201, added.text
    path = f"/api/people/{added.json()['id']}"
    for change in (
        {"password": "matkhau123456"},
        {"password": "hoahoahoahoa"},
        {"name": "Lò Mây", "password": "lo may 1990"},
    ):
        changed = await client.patch(path, json=change, headers=administrator.headers)
        problem(changed, 422, "weak_password")
    own = {"password": PASSWORD, "new_password": "dung-1234567"}
    problem(await client.post("/api/auth/password", json=own, headers=administrator.headers), 422, "weak_password")


def test_the_console_says_what_is_the_matter_with_a_password(tmp_path: Path) -> None:
    environment = {
        "NUONG_DATABASE_URL": f"sqlite:///{tmp_path}/nuong.db",
        "NUONG_SECRET_FILE": str(tmp_path / "secret"),
    }
    words = ["person", "add", "hoa", "--name", "Quàng Thị Hoa"]
    ended = run_command(words, environment, "matkhau123456\n", tmp_path, 60)
    assert ended.code == 1
    assert "Many people choose this password" in ended.written
