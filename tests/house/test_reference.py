"""The generated pages are what the code's tables say, and the exchange that they show is a true one."""

import json
from typing import Any

import pytest

from server.auth.tokens import verify_seal
from server.gateway.sync.read_request import read_request
from server.gateway.sync.schemas import ANSWER
from server.journal.model import NewRevision
from tests.house.reference import EXCHANGE, PAGES, pages

WRITTEN = pages()
TOLD: dict[str, Any] = json.loads(EXCHANGE.read_text("utf-8"))


@pytest.mark.parametrize("name", sorted({*WRITTEN, *(path.name for path in PAGES.glob("*.md"))}))
def test_a_page_of_the_reference_is_what_make_reference_writes(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == WRITTEN.get(name), f"docs/reference/{name}: run `make reference`"


def test_the_exchange_that_is_shown_is_one_that_this_server_takes() -> None:
    request = read_request(json.dumps(TOLD["request"]).encode())
    answer = ANSWER.validate_python(TOLD["answer"])
    seal = request.envelope.seal
    assert verify_seal(TOLD["jwk"], seal.signature or "", seal.payload())
    sent = [item["doc"] for item in TOLD["request"]["push"]]
    assert [ack.rev for ack in answer.acks] == [document["_rev"] for document in sent]
    got = [document for changes in answer.changes.values() for document in changes.docs]
    assert sent
    assert got
    for document in (*sent, *got):
        members = {name: value for name, value in document.items() if not name.startswith("_")}
        assert NewRevision.following(document["_id"], members, None).rev == document["_rev"]
