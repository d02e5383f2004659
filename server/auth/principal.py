"""The caller: a person, perhaps on an enrolled device, with the grants that hold now."""

from dataclasses import dataclass

from server.areas.grants import Grant


@dataclass(frozen=True, slots=True)
class Principal:
    """The person behind a request; `enrolment` is None on a browser that was signed in without a device key.

    `family` is the sign-in by which the request came, None where it came by name and password.
    """

    person: str
    name: str
    enrolment: str | None
    grants: tuple[Grant, ...]
    family: str | None = None
