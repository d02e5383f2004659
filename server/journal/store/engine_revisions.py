"""The engine's revisions as the journal takes them."""

from server.journal.model import NewRevision
from sync.merging.merge import NewRev


def as_new(one: NewRev) -> NewRevision:
    """Return a revision of the engine's as one on its way in: its id and its bytes have just been made."""
    return NewRevision(one.doc_id, one.rev, (one.parent,), one.deleted, one.data, verify=False)
