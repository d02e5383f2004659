"""Whether somebody may send files of these records now."""

from collections.abc import Sequence

from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.journal.journal import Journal
from server.media.schemas import UploadMetadata
from server.media.unnamed import has_room, named_by, require_room
from server.platform.db.engine import Storage


async def require_admitted(
    storage: Storage, journal: Journal, principal: Principal, promised: Sequence[UploadMetadata], length: int
) -> None:
    """Return where all of these may come, of `length` bytes together; raise `not_allowed` or `media_quota`."""
    # Nearly everybody is let in by this, without a record read.
    has_plenty = await has_room(storage, principal, length)
    for each in promised:
        may_capture = allowed(principal, "capture", each.db)
        if may_capture and has_plenty:
            continue
        # Only who may write there is told what a record names.
        is_asked = may_capture or allowed(principal, "replicate", each.db)
        is_named = is_asked and await _is_named(journal, each)
        # Another server brings what other people captured: the files that records of its scopes name, and no others.
        # Whose record was taken in brings its files too, though rights may have been lost since.
        if not may_capture and not is_named and not await _brought(journal, principal, each):
            require(principal, "capture", each.db)
        if not is_named and not has_plenty:
            await require_room(storage, journal, principal, length)


async def _brought(journal: Journal, principal: Principal, promised: UploadMetadata) -> bool:
    stored = {one.person for one in await journal.history(promised.db, promised.record)}
    waiting = {one.person for one in await journal.quarantined(promised.db, promised.record)}
    return principal.person in stored | waiting


async def _is_named(journal: Journal, promised: UploadMetadata) -> bool:
    """Whether a revision of the record names the content, be it one that was edited since."""
    history = await journal.history(promised.db, promised.record)
    # What it names is mostly named by the latest.
    return any(promised.sha256 in named_by(one.content) for one in reversed(history))
