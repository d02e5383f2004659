"""The doors by which administrators manage the people of their own projects and areas."""

from litestar import Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.areas.grants import Grant
from server.auth import members
from server.auth.audit import acts_on
from server.auth.authorise import require
from server.auth.members import Manager
from server.auth.passwords import Passwords
from server.auth.people import Person
from server.auth.principal import Principal
from server.auth.schemas import (
    ActAnswer,
    ActsAnswer,
    DeviceAnswer,
    DevicesAnswer,
    GrantBody,
    GrantsBody,
    MemberAnswer,
    MemberChangeBody,
    MembersAnswer,
    NewMemberBody,
)
from server.auth.sign_in_routes import person_answer
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@raises("not_allowed")
async def provide_manager(
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    passwords: NamedDependency[Passwords],
    clock: NamedDependency[Clock],
) -> Manager:
    """Return what manages people on behalf of the asking administrator; raises `not_allowed`."""
    require(principal, "manage_people")
    return Manager(storage, passwords, clock, await areas.atlas(), principal)


@get()
async def list_people(manager: NamedDependency[Manager]) -> MembersAnswer:
    """List the people of one's own projects and areas, sorted by given name."""
    return MembersAnswer(people=[_member(person, manager.atlas) for person in await manager.everybody()])


@post()
@raises("weak_password", "username_taken", "unknown_grant", "grants_needed")
async def add_person(data: JSONBody[NewMemberBody], manager: NamedDependency[Manager]) -> MemberAnswer:
    """Add a person."""
    new = members.NewMember(
        username=data.username,
        name=data.name,
        password=data.password,
        locale=data.locale,
        birth_year=data.birth_year,
        grants=_grants(data.grants),
    )
    return _member(await manager.add(new), manager.atlas)


@patch("/{person:str}")
@raises("not_found", "weak_password", "last_administrator")
async def change_person(
    person: FromPath[str], data: JSONBody[MemberChangeBody], manager: NamedDependency[Manager]
) -> MemberAnswer:
    """Change a person's name, language, birth year or password, close their account or open it again."""
    return _member(await manager.change(person, data.model_dump(exclude_unset=True)), manager.atlas)


@put("/{person:str}/grants")
@raises("not_found", "unknown_grant", "grants_needed", "last_administrator")
async def set_grants(
    person: FromPath[str], data: JSONBody[GrantsBody], manager: NamedDependency[Manager]
) -> MemberAnswer:
    """Set all grants of a person."""
    return _member(await manager.set_grants(person, _grants(data.grants)), manager.atlas)


@get("/{person:str}/enrolments")
@raises("not_found")
async def list_devices(person: FromPath[str], manager: NamedDependency[Manager]) -> DevicesAnswer:
    """List a person's devices."""
    return DevicesAnswer(
        enrolments=[
            DeviceAnswer(
                id=device.id,
                label=device.label,
                registered_at=device.registered_at,
                revoked_at=device.revoked_at,
                exchanged_at=device.exchanged_at,
                highest_number=str(device.highest_number),
                app=(device.device or {}).get("app"),
                free_bytes=(device.device or {}).get("free_bytes"),
                persistent=(device.device or {}).get("persistent"),
            )
            for device in await manager.devices(person)
        ]
    )


@delete("/{person:str}/enrolments/{enrolment:str}")
@raises("not_found")
async def revoke_device(person: FromPath[str], enrolment: FromPath[str], manager: NamedDependency[Manager]) -> None:
    """Trust a device no longer: a lost phone."""
    await manager.revoke_device(person, enrolment)


@get("/{person:str}/audit")
@raises("not_found")
async def list_acts(
    person: FromPath[str], manager: NamedDependency[Manager], storage: NamedDependency[Storage]
) -> ActsAnswer:
    """List what was done about a person."""
    found = await manager.find(person)
    async with storage.read() as connection:
        acts = await acts_on(connection, found.id)
    return ActsAnswer(
        acts=[ActAnswer(at=act.at, person=act.person, action=act.action, details=dict(act.details)) for act in acts]
    )


def _grants(given: list[GrantBody]) -> tuple[Grant, ...]:
    return tuple(Grant(grant.role, grant.project, grant.unit) for grant in given)


def _member(person: Person, atlas: Atlas) -> MemberAnswer:
    return MemberAnswer(
        **person_answer(person, atlas).model_dump(),
        birth_year=person.birth_year,
        active=person.is_active,
        created_at=person.created_at,
        signed_in_at=person.signed_in_at,
    )


people_router = Router(
    "/api/people",
    route_handlers=[list_people, add_person, change_person, set_grants, list_devices, revoke_device, list_acts],
    dependencies={"manager": provide_manager},
)
