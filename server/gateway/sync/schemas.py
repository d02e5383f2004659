"""The wire of `POST /api/sync` as this door reads it: `sync.contract.wire`, checked strictly.

The answer is written byte by byte on the hot path (`answer.py`); tests read every answer by `ANSWER`.
"""

from pydantic import TypeAdapter

from server.platform.contract_bodies import strict
from sync.contract.wire import SyncAnswer, SyncRequest

REQUEST_BODY = strict(SyncRequest)
ANSWER_BODY = strict(SyncAnswer)
REQUEST: TypeAdapter[SyncRequest] = TypeAdapter(REQUEST_BODY)
ANSWER: TypeAdapter[SyncAnswer] = TypeAdapter(ANSWER_BODY)
