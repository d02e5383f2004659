"""Bodies of the followers' routes."""

from datetime import datetime

from pydantic import Field

from server.platform.body_types import StrictBody


class SetAsideDocument(StrictBody):
    """A document that a follower could not take: its lists or tables lack it until it can."""

    follower: str
    database: str
    document: str
    #: The record that it is, or is about; its title where a list has it.
    record: str
    title: str
    #: The class of the error and where it was raised; never its message, which could repeat answers.
    error: str
    attempts: int
    since: datetime
    last_at: datetime


class WaitingRevisions(StrictBody):
    """How many revisions of machines wait in a database for what they were made of, and since when."""

    database: str
    reason: str
    count: int
    since: datetime


class Following(StrictBody):
    """The documents that followers could not take."""

    set_aside: list[SetAsideDocument]
    waiting: list[WaitingRevisions]


class Retry(StrictBody):
    """A document that is to be tried again."""

    follower: str = Field(max_length=60)
    database: str = Field(max_length=200)
    document: str = Field(max_length=200)


class Retried(StrictBody):
    """Whether the document could be taken."""

    taken: bool
