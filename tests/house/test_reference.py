"""The generated pages are what the code's tables say, and the exchange that they show is a true one."""

import json
from typing import Any

import pytest

from server.auth.tokens import verify_seal
from server.gateway.sync.schemas import ANSWER, REQUEST
from server.gateway.sync.seal import payload_of_request
from server.journal.model import NewRevision, content_of
from tests.house.reference import EXCHANGE, PAGES, pages

WRITTEN = pages()
TOLD: dict[str, Any] = json.loads(EXCHANGE.read_text("utf-8"))


@pytest.mark.parametrize("name", sorted({*WRITTEN, *(path.name for path in PAGES.glob("*.md"))}))
def test_a_page_of_the_reference_is_what_make_reference_writes(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == WRITTEN.get(name), f"docs/reference/{name}: run `make reference`"


def test_the_exchange_that_is_shown_is_one_that_this_server_takes() -> None:
    request = REQUEST.validate_python(TOLD["request"])
    answer = ANSWER.validate_python(TOLD["answer"])
    assert verify_seal(TOLD["jwk"], request.seal or "", payload_of_request(request))
    sent = [item.doc for item in request.push]
    assert [ack.rev for ack in answer.acks] == [document["_rev"] for document in sent]
    got = [document for changes in answer.changes.values() for document in changes.docs]
    assert sent
    assert got
    for document in (*sent, *got):
        assert NewRevision.following(document["_id"], content_of(document), None).rev == document["_rev"]
