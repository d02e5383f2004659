"""Logs: one JSON object a line on standard error, of this server's own events and of the libraries'.

Bodies, cookies, tokens and query strings are never given to a logger here; as a second net, values under names
that hold secrets are blotted out, and members of records that tell of people, as the contract says.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from sync.contract.members import TELLING_OF_PEOPLE

SECRET_NAMES = ("password", "token", "authorization", "cookie", "secret", "seal", "refresh", "body")


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send this process's logs from `level` on to `stream`, or to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        blot_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # The request line is ours (`edge`), and the libraries' would repeat it with the query string; the drivers' debug
    # lines hold every statement with its values: people's answers, and what tokens and passwords are kept as.
    for name in ("uvicorn.access", "httpx", "httpcore", "aiosqlite", "asyncpg", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def blot_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event without the values of fields that are named like secrets or like what tells of people."""
    for name, value in event.items():
        if name in TELLING_OF_PEOPLE or any(secret in name.lower() for secret in SECRET_NAMES):
            event[name] = "***"
        elif isinstance(value, dict):
            event[name] = blot_secrets(_logger, _method, {**value})
    return event
