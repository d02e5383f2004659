"""The answer about what a form's new version would do."""

from server.platform.body_types import StrictBody


class EffectAnswer(StrictBody):
    """What publishing would do: `looked_at` of the form's `records` were lifted, and came out as the rest says."""

    phones: int
    #: Those of them that were not heard from for a week: drafts may wait there.
    silent: int
    records: int
    looked_at: int
    same: int
    #: Under another name, or as another kind.
    changes: int
    #: Answers whose question is gone: they stay with the record.
    sets_aside: int
    #: The new version cannot hold an answer: somebody decides once a record is edited in both.
    waits: int
