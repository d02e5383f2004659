"""Outcomes of an incoming document, and every reason why one is not simply stored.

Nothing that can be kept is refused: a replica takes a refusal as "do not send again". What is quarantined stands beside
the graph, is shown to a data manager, and may come in later: `waits_for` says for what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

#: `duplicate`: it was here already, with the same content.
OutcomeName = Literal["stored", "duplicate", "quarantined", "refused"]
#: With these the document is here, and whoever brought it need not bring it again.
STORED: frozenset[OutcomeName] = frozenset({"stored", "duplicate"})

Reason = Literal[
    "not_allowed",
    "malformed",
    "id_mismatch",
    "attachments",
    "rights_lost",
    "saved_from_elsewhere",
    "not_a_record",
    "foreign_save",
    "servers_only",
    "unknown_member",
    "unknown_form",
    "misfit_answers",
    "known_id_other_content",
    "waits_for_merge",
    "waits_for_inputs",
    "parent_quarantined",
    "forged_generation",
    "too_many_leaves",
]

#: `person`: nothing else changes it. `revisions`: other revisions of the document may let it in, a person may as well;
#: `revisions only`: no person is shown it. `form`: the form's version, when that is published here, and a person.
WaitsFor = Literal["person", "revisions", "revisions only", "form"]


@dataclass(frozen=True, slots=True)
class ReasonKind:
    """One row: what the reason says, and what a quarantined document waits for; None for a document that is refused."""

    means: str
    waits_for: WaitsFor | None = "person"

    @property
    def is_refusal(self) -> bool:
        """Whether such a document is refused: it is kept nowhere, and stays with whoever sent it."""
        return self.waits_for is None


REASONS: Mapping[Reason, ReasonKind] = {
    "not_allowed": ReasonKind("Whoever brings it has no right here, neither now nor at their last exchange.", None),
    "malformed": ReasonKind("It is no document, or its revision id or path has no proper shape.", None),
    "id_mismatch": ReasonKind("Its revision id is not the hash of what it says.", None),
    "attachments": ReasonKind("It has attachments. A record's files travel by the door for media."),
    "rights_lost": ReasonKind("Whoever wrote it has lost the right to."),
    "saved_from_elsewhere": ReasonKind("A form of another project saved it for somebody who has no right here."),
    "not_a_record": ReasonKind("It is a document that this door does not take, or an edit of one that is said once."),
    "foreign_save": ReasonKind("It says that another device saved it, or has no number."),
    "servers_only": ReasonKind("It writes a member that only servers or desks write.", "revisions"),
    "unknown_member": ReasonKind("It writes a member that this server does not know.", "revisions"),
    "unknown_form": ReasonKind("Its form's version is not published here in the scope's project.", "form"),
    "misfit_answers": ReasonKind("Answers or files have not the types that its form gives them."),
    "known_id_other_content": ReasonKind("Its revision id is known, with other content."),
    "waits_for_merge": ReasonKind("It closes a branch that nothing here has taken in.", "revisions only"),
    "waits_for_inputs": ReasonKind("It is a machine's merge of revisions that are not all here.", "revisions only"),
    "parent_quarantined": ReasonKind("It edits a quarantined revision (given by earlier releases).", "revisions"),
    "forged_generation": ReasonKind("Its generation is far above all that is known of its document.", "revisions"),
    "too_many_leaves": ReasonKind("Its document has as many branches as are allowed.", "revisions"),
}
assert REASONS.keys() == {*get_args(Reason)}
