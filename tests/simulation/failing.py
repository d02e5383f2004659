"""What goes wrong in a world beside the network: batteries, browsers, backups and delayed requests."""

from datetime import timedelta

from tests.simulation.app_phone import AppPhone
from tests.simulation.checks import Heard
from tests.simulation.server import Backup, Server
from tests.simulation.world import World

#: So long phones keep what they might let go, for servers that are put back to an older state than the last one.
_RECENT = timedelta(days=28)


async def late(world: World) -> None:
    """A request that the network still carried arrives."""
    if world.network.late:
        world.log("a delayed request arrives")
        await world.network.arrive_late()
    if world.lines.late:
        world.log("a delayed request between servers arrives")
        await world.lines.arrive_late()


async def evict(world: World) -> None:
    """A browser drops a phone's whole store."""
    old = world.random.choice(world.phones)
    new = world.new_phones([one.person for one in old.sharing], f"{old.place}'")
    for before, after in zip(old.sharing, new, strict=True):
        world.phones[world.phones.index(before)] = after
    world.log(f"the browser of {old.place} drops its store; {new[0].place} enrols anew")


async def lose_a_row(world: World) -> None:
    """A phone's store loses a save that no request has carried."""
    phone = world.random.choice(world.phones)
    unsent = [own for own in phone.rows.revisions.values() if not own.receipts and not own.frozen]
    if unsent:
        own = world.random.choice(sorted(unsent, key=lambda one: one.number))
        phone.lose(own)
        world.log(f"the store of {phone.name} loses number {own.number}")
        world.seen["row lost"] += 1


async def battery(world: World) -> None:
    """A phone's battery is pulled."""
    phone = world.random.choice(world.phones)
    world.log(f"the battery of {phone.name} is pulled")
    world.pull_battery(phone)


async def restart(world: World) -> None:
    """A server's process ends and another begins."""
    one = world.some_server()
    world.log(f"{one.name} is restarted")
    await one.restart()


async def back_up(world: World) -> None:
    """A server is backed up."""
    one = world.some_server()
    world.log(f"{one.name} is backed up")
    backup = await one.back_up()
    if world.app is not None:
        # Only phones that run the app let anything go.
        await one.cover(backup)
    copy = {
        name: Heard(set(heard.numbers), set(heard.holding), heard.exchange)
        for name, heard in world.network.heard[one.name].items()
    }
    world.heard_at[id(one.backups[-1])] = copy


async def restore(world: World) -> None:
    """A server forgets everything since one of its backups."""
    able = [one for one in world.servers.values() if _recent(world, one)]
    if not able:
        return
    one = world.random.choice(able)
    backup = world.random.choice(_recent(world, one))
    world.log(f"{one.name} is restored from a backup of {len(backup.promised)} acknowledged revisions")
    await one.restore(backup, world.random)
    if world.app is not None:
        await one.cover(backup)
    # Paths that it was told since then it may never hear again.
    if one.name == "province":
        world.replica.told.clear()
    heard = world.network.heard[one.name]
    heard.clear()
    for name, old in world.heard_at[id(backup)].items():
        heard[name] = Heard(set(old.numbers), set(old.holding), old.exchange)
    world.forget_checks(one)
    world.seen["restored"] += 1


def _recent(world: World, server: Server) -> list[Backup]:
    """Return the backups that may be put back: the last one, and what phones still have since older ones."""
    return [
        one
        for number, one in enumerate(server.backups, 1)
        if number == len(server.backups) or server.clock() - one.made_at < _RECENT
    ]


async def lose_photo(world: World) -> None:
    """A server's disk loses a photo, and its watch finds that out."""
    one = world.some_server()
    if sha256 := await one.lose_file(world.random):
        world.log(f"{one.name} finds that it has lost the photo {sha256[:8]}")
        world.seen["photo lost"] += 1


async def month(world: World) -> None:
    """A month passes in which nobody does anything."""
    world.log("a month passes")
    world.now += timedelta(days=31)


async def copy_phone(world: World) -> None:
    """Somebody copies a phone's whole storage."""
    phone = world.random.choice(world.phones)
    if isinstance(phone, AppPhone) and phone.tables:
        world.log(f"the storage of {phone.place} is copied")
        phone.device.say(do="keep")


async def put_phone_back(world: World) -> None:
    """A phone's storage is put back as it was when it was copied."""
    phone = world.random.choice(world.phones)
    if isinstance(phone, AppPhone) and phone.put_back():
        world.log(f"the storage of {phone.place} is put back")
        world.seen["phone put back"] += 1
        for one in phone.sharing:
            world.network.forget(one.enrolment)
