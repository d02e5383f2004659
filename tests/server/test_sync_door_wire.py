"""The wire of `POST /api/sync` is frozen: phones in the valleys are older than the server."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from server.auth.tokens import verify_seal
from server.gateway.sync.schemas import ANSWER, REQUEST
from sync.contract.seal import said_digest, sealed_payload
from sync.contract.wire import PROTOCOL

SEALS = json.loads((Path(__file__).parents[1] / "vectors" / "seal.json").read_text())

#: A change of the wire changes `PROTOCOL`, this hash and the changelog in one commit.
FROZEN = {2: "2379a718789ddb85c4b07c221ba687f5cb3a4e09200e2189d66e05895e6bf112"}


def test_the_wire_schema_is_what_its_protocol_number_says() -> None:
    schemas = [REQUEST.json_schema(), ANSWER.json_schema(mode="serialization")]
    told = json.dumps(_without_prose(schemas), sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(told.encode()).hexdigest() == FROZEN[PROTOCOL]


def _without_prose(schema: object) -> object:
    """Return the schema without titles and descriptions, which may be put better at any time."""
    if isinstance(schema, dict):
        return {
            name: _without_prose(part)
            for name, part in schema.items()
            if name not in ("title", "description") or not isinstance(part, str)
        }
    return [_without_prose(part) for part in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("case", SEALS["cases"], ids=lambda case: case["name"])
def test_a_seal_signs_what_the_vectors_say(case: dict[str, Any]) -> None:
    said = said_digest(case["holding"], case["verdicts"])
    payload = sealed_payload(SEALS["enrolment"], case["exchange"], [tuple(item) for item in case["push"]], said)
    assert payload.decode() == case["payload"]
    assert verify_seal(SEALS["jwk"], case["jws"], payload)
    assert not verify_seal(SEALS["jwk"], case["jws"], payload + b" ")
