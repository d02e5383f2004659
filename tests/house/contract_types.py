"""Writes what the app knows of the contract, `pwa/src/domain/contract.ts` (`make api-types`); a house test compares."""

from collections.abc import Sequence
from pathlib import Path

from sync.contract.members import MEMBERS
from sync.contract.reasons import REASONS, STORED

PAGE = Path(__file__).parents[2] / "pwa" / "src" / "domain" / "contract.ts"
#: How long the app's lines may be.
WIDTH = 120

#: The reasons for which a person is shown what is kept aside.
SHOWN = [name for name, kind in REASONS.items() if kind.waits_for not in (None, "revisions only")]
#: The reasons for which a document is refused.
REFUSED = [name for name, kind in REASONS.items() if kind.is_refusal]


def text() -> str:
    """Return the module as it should stand."""
    left_out = [name for name, row in MEMBERS.items() if row.kind == "revision" and "capture" not in row.writers]
    return (
        "// Made by `make api-types` from `sync/contract`: do not edit.\n\n"
        "/** Members of one revision that only servers and desks write: a correction leaves them out. */\n"
        f"{_set('SERVERS_PARTS', left_out)}\n"
        "/** The outcomes of what a server has for good. */\n"
        f"{_set('STORED', sorted(STORED))}\n"
        "/** Why the server keeps something aside until a person has looked. */\n"
        f"{_list('REASONS', SHOWN)}"
    )


def _list(name: str, values: Sequence[str]) -> str:
    return _array(f"export const {name} = [", values, "] as const\n")


def _set(name: str, values: Sequence[str]) -> str:
    return _array(f"export const {name}: ReadonlySet<string> = new Set([", values, "])\n")


def _array(before: str, values: Sequence[str], after: str) -> str:
    """Return it as the formatter would: on one line where it fits."""
    line = before + ", ".join(f"'{value}'" for value in values) + after
    if len(line) <= WIDTH:
        return line
    return before + "\n" + "".join(f"  '{value}',\n" for value in values) + after


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
