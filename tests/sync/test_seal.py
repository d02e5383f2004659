"""The bytes of a seal: what they cover, and that whoever holds the document can make them again."""

from typing import Any

import pytest

from sync.contract.seal import payload_of_document, said_digest, sealed_payload

HOLDING: dict[str, Any] = {"unsent": ["3-5"], "discarded": [], "drafts": 1, "media": 2}
PUSH = [("agri-03226-2025", "0190", "1-aa")]


def test_a_seal_covers_who_pushes_what_in_which_exchange_and_what_they_hold() -> None:
    said = said_digest(HOLDING, ["4"])
    assert sealed_payload("key", "7", PUSH, said) == (
        b'{"enrolment":"key","exchange":"7","push":[["agri-03226-2025","0190","1-aa"]],"said":"' + said.encode() + b'"}'
    )
    others = [said_digest(HOLDING | {name: value}, ["4"]) for name, value in _other().items()]
    assert len({said, said_digest(HOLDING, []), *others}) == len(others) + 2


def _other() -> dict[str, Any]:
    return {"unsent": [], "discarded": ["1"], "drafts": 0, "media": 0}


def test_the_document_of_a_seal_gives_the_bytes_that_were_signed() -> None:
    document = {"type": "seal", "enrolment": "key", "exchange": "7", "said": "digest"}
    assert payload_of_document(document, PUSH) == sealed_payload("key", "7", PUSH, "digest")


def test_a_seal_of_the_first_protocol_covers_no_exchange() -> None:
    assert payload_of_document({"enrolment": "key"}, PUSH) == (
        b'{"enrolment":"key","push":[["agri-03226-2025","0190","1-aa"]]}'
    )


@pytest.mark.parametrize(
    "document", [{}, {"enrolment": 1}, {"enrolment": "key", "exchange": "7"}, {"enrolment": "key", "said": "digest"}]
)
def test_a_document_that_can_be_no_seal_gives_no_bytes(document: dict[str, Any]) -> None:
    assert payload_of_document(document, PUSH) is None
