"""Who is asking: a person, perhaps on an enrolled device, with the grants that hold now."""

from dataclasses import dataclass

from server.areas.grants import Grant


@dataclass(frozen=True, slots=True)
class Principal:
    """The person behind a request; `enrolment` is None on a browser that was signed in without a device key."""

    person: str
    name: str
    enrolment: str | None
    grants: tuple[Grant, ...]
