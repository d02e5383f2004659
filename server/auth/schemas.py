"""Bodies of the routes of people and areas."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from server.platform.body_types import IS_NUMBER, IS_TRUTH_VALUE, StrictBody
from sync.contract.roles import Role

# No control characters: PostgreSQL keeps no NUL, and nobody's name has a line break.
PLAIN = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]
Locale = Literal["vi", "en"]
Username = Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
# Longer ones are refused before they cost a hash; which ones may be *set* stands in `weak_passwords`.
Password = Annotated[str, Field(min_length=1, max_length=1024)]
BirthYear = Annotated[int, Field(ge=1900, le=2100), IS_NUMBER]


class DeviceKey(StrictBody):
    """The public key of a device that signs in."""

    jwk: dict[str, object]
    label: Annotated[str, Field(max_length=200, pattern=PLAIN)] = ""


class LoginBody(StrictBody):
    """A name and a password, and the device's key where there is one."""

    username: Short
    password: Password
    enrolment: DeviceKey | None = None


class RefreshBody(StrictBody):
    """A refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class TokensAnswer(StrictBody):
    """New tokens."""

    access_token: str
    expires_in: int
    refresh_token: str


class GrantBody(StrictBody):
    """A role in a project (`*`: every one) and a unit."""

    role: Role
    project: Annotated[str, Field(max_length=32)]
    unit: Annotated[str, Field(max_length=40)]


class GrantAnswer(GrantBody):
    """A grant with the unit's name."""

    unit_name: str


class PersonAnswer(StrictBody):
    """Somebody, as they see themselves."""

    id: str
    username: str
    name: str
    locale: str
    grants: list[GrantAnswer]


class EnrolmentAnswer(StrictBody):
    """The device's numbers as the server knows them."""

    id: str
    highest_number: str
    safe: str


class LoginAnswer(TokensAnswer):
    """A sign-in."""

    person: PersonAnswer
    enrolment: EnrolmentAnswer | None
    server: str


class MeAnswer(StrictBody):
    """The person who is signed in, and the databases that their phone carries."""

    person: PersonAnswer
    enrolment: str | None
    scopes: list[str]
    carried: list[str]
    actions: list[str]
    server: str


class PasswordBody(StrictBody):
    """A person's change of their own password."""

    password: Password
    new_password: Password


class SignInAnswer(StrictBody):
    """One's own sign-in, on an enrolled device or in a program; moments that nobody knows are null."""

    id: str
    label: str
    is_device: bool
    began_at: datetime | None
    used_at: datetime | None
    is_this: bool


class SignInsAnswer(StrictBody):
    """One's own sign-ins: this one first, then the last used first."""

    sessions: list[SignInAnswer]


class DeviceAnswer(StrictBody):
    """An enrolment, as an administrator sees it; the last three are what the phone says of itself, or null."""

    id: str
    label: str
    registered_at: datetime
    revoked_at: datetime | None
    exchanged_at: datetime | None
    highest_number: str
    app: str | None
    free_bytes: int | None
    persistent: bool | None


class MemberAnswer(PersonAnswer):
    """Somebody, as an administrator sees them."""

    birth_year: int | None
    active: bool
    created_at: datetime
    signed_in_at: datetime | None


class MembersAnswer(StrictBody):
    """Everybody that the asking administrator may see, sorted by given name."""

    people: list[MemberAnswer]


class DevicesAnswer(StrictBody):
    """A person's devices, newest first."""

    enrolments: list[DeviceAnswer]


class ActAnswer(StrictBody):
    """An entry of the audit trail."""

    at: datetime
    person: str | None
    action: str
    details: dict[str, object]


class ActsAnswer(StrictBody):
    """Entries about one person, newest first."""

    acts: list[ActAnswer]


class NewMemberBody(StrictBody):
    """A new person."""

    username: Username
    name: Short
    password: Password
    locale: Locale = "vi"
    birth_year: BirthYear | None = None
    grants: list[GrantBody] = []


class MemberChangeBody(StrictBody):
    """Changes to a person; absent members stay. A name and a language can't be taken away."""

    name: Short = Field(default_factory=str)
    locale: Locale = Field(default_factory=lambda: "vi")
    birth_year: BirthYear | None = None
    active: Annotated[bool, IS_TRUTH_VALUE] | None = None
    password: Password | None = None


class GrantsBody(StrictBody):
    """All the grants that a person shall have."""

    grants: list[GrantBody]


class UnitAnswer(StrictBody):
    """A place in a time; `id` is what grants and scopes name."""

    id: str
    code: str
    kind: str
    name: str
    district: str | None
    longitude: str | None
    latitude: str | None
    valid_from: date | None
    valid_to: date | None


class ProjectBody(StrictBody):
    """A project."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,31}$")]
    name_vi: Short
    name_en: Short


class AreasAnswer(StrictBody):
    """The units of a day, and the projects."""

    on: date
    units: list[UnitAnswer]
    projects: list[ProjectBody]


class ResolvedAnswer(StrictBody):
    """The unit that a code meant on a day, and the units that it is part of today."""

    unit: UnitAnswer
    today: list[UnitAnswer]
