"""Records with long lists side by side: nobody else waits for them."""

import threading
from typing import Any

import pytest

from server.desk.duplicates import deciding
from sync.merging import field_diff
from tests.builders import PROVINCE, Client, grant, person_signed_in
from tests.server.conflicts.test_pairs import (
    AGAIN,
    FORM,
    HOA,
    NEWER,
    OLDER,
    VERSION,
    XFORM,
    follow,
    page,
    save,
    say_of,
)
from tests.server.published_forms import publish

pytestmark = pytest.mark.by_turns


async def test_two_long_records_are_compared_beside_the_loop_and_each_list_is_read_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(client, FORM, VERSION, "agri", XFORM)
    manager = await person_signed_in(client, "khang", grant("data_manager", unit=PROVINCE))
    read: list[int] = []
    at_the_loop: list[str] = []
    rows_by_id = field_diff.rows_by_id
    loop = threading.get_ident()

    def counted(value: Any) -> Any:
        read.append(len(value) if isinstance(value, list) else 0)
        return rows_by_id(value)

    def beside_loop(name: str) -> None:
        whole = getattr(deciding, name)

        def watched(*arguments: Any) -> Any:
            if threading.get_ident() == loop:
                at_the_loop.append(name)
            return whole(*arguments)

        monkeypatch.setattr(deciding, name, watched)

    for record, answers in ((OLDER, HOA), (NEWER, AGAIN)):
        plots = [{"_rid": f"{record[-1]}{number}", "plot_name": f"Nương {number}"} for number in range(40)]
        await save(client, record, {**answers, "land": {"has_plots": "yes", "plot": plots}})
    await follow(client)
    monkeypatch.setattr(field_diff, "rows_by_id", counted)
    monkeypatch.setattr(field_diff.value_at, "__defaults__", (counted,))
    for name in ("beside", "fields_of", "joined", "parted"):
        beside_loop(name)
    shown = await page(client, manager)
    assert len(shown["fields"]) > 80
    assert sum(read) < 20 * 40
    await say_of(client, manager, shown, verdict="same", survivor=OLDER)
    assert at_the_loop == []
