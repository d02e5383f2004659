"""Failures of a peer: one table of codes, each with the sentence that a technician needs.

The screen has its own sentences for the same codes, in both languages. `told` is what the peer itself said, cut short;
it never holds passwords, since nothing that was sent is repeated.
"""

from dataclasses import dataclass
from typing import Literal

TroubleCode = Literal[
    "unreachable",
    "slow",
    "half",
    "garbage",
    "sign_in",
    "not_allowed",
    "no_database",
    "full",
    "full_here",
    "no_media",
    "busy",
    "failing",
    "local",
]

#: Code → (what is the matter, what to do).
SENTENCES: dict[TroubleCode, tuple[str, str]] = {
    "unreachable": ("The peer does not answer", "Look whether it runs and whether its address is right"),
    "slow": ("The peer answers too slowly", "Wait for a better link; it goes on by itself"),
    "half": ("The peer's answer broke off", "Wait: it is asked again by itself; if it stays so, look at the link"),
    "garbage": ("The peer answers something else than CouchDB's protocol", "Check the address and what stands there"),
    "sign_in": ("The peer does not accept the name and password, or the token", "Give it the right ones"),
    "not_allowed": ("The peer refuses this database", "Let the account there read and write it"),
    "no_database": ("The peer has no such database", "Make it there, or take it out of the scopes"),
    "full": ("The peer has no space left", "Free space there; it goes on by itself"),
    "full_here": ("This server has no space left for files", "Free space here; it goes on by itself"),
    "no_media": ("The peer does not exchange photos and files", "Bring it up to this server's release"),
    "busy": ("The peer asks to wait", "Wait: it is asked again by itself"),
    "failing": ("The peer has an error of its own", "Look into its log"),
    "local": ("This server could not do its part", "Look into this server's log"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A peer's trouble, as it is stored and shown."""

    code: TroubleCode
    told: str = ""


class PeerFailed(Exception):
    """The peer could not do what it was asked; nothing that was sent counts as taken."""

    def __init__(
        self, code: TroubleCode, told: str = "", *, status: int | None = None, wait_s: float | None = None
    ) -> None:
        """Refuse codes without a sentence; `wait_s` is how long the peer asks to be left alone."""
        self.sentence, self.advice = SENTENCES[code]
        self.trouble = Trouble(code, told[:300])
        self.status = status
        self.wait_s = wait_s
        super().__init__(f"{self.sentence} ({told[:300]})" if told else self.sentence)


class AnswerTooLong(PeerFailed):
    """The peer's answer is longer than what is read at once; asked for less, it may answer well."""

    def __init__(self) -> None:
        """Say what it means where less cannot be asked for."""
        super().__init__("garbage", "an answer without end")
