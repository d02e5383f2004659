"""Writes the app's types of what the API takes and answers, from the server's own OpenAPI.

`python -m tests.house.api_types` (`make api-types`) writes `pwa/src/api/schema.d.ts`; a house test compares it.
Its first line holds the digest of the schemas that it was made from, so that drift is seen without Node too.
"""

import functools
import hashlib
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from server.app import unfurnished
from server.platform.api_description.description import describe

ROOT = Path(__file__).parents[2]
APP = ROOT / "pwa"
TYPES = APP / "src" / "api" / "schema.d.ts"
SCRIPT = APP / "scripts" / "api-types.mjs"
TOOL = APP / "node_modules" / "openapi-typescript"


@cache
@functools.cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document as the server gives it."""
    return describe(unfurnished(request_bytes=1_000_000))


def heading(document: dict[str, Any]) -> str:
    """Return the first line of the types that are made from `document`."""
    schemas = json.dumps(document["components"]["schemas"], sort_keys=True)
    digest = hashlib.sha256(schemas.encode()).hexdigest()[:16]
    return f"// Made by `make api-types` from schemas {digest}: do not edit.\n"


def types_of(document: dict[str, Any]) -> str:
    """Return the TypeScript of a document's schemas; needs the app's packages."""
    made = subprocess.run(
        ["node", str(SCRIPT)],
        cwd=APP,
        input=json.dumps(document),
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=120,
    )
    return heading(document) + made.stdout


if __name__ == "__main__":
    TYPES.write_text(types_of(openapi()), "utf-8")
    print(f"{TYPES.relative_to(ROOT)} is up to date.")
