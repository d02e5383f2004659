"""What goes wrong in a world beside the network: batteries, browsers, backups and delayed requests."""

from tests.simulation.checks import Heard
from tests.simulation.world import World


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
    place = world.random.randrange(len(world.phones))
    old = world.phones[place]
    world.phones[place] = world.new_phone(old.person, f"{old.name}'")
    world.log(f"the browser of {old.name} drops its store; {world.phones[place].name} enrols anew")


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
    await one.back_up()
    copy = {
        name: Heard(set(heard.numbers), set(heard.holding), heard.exchange)
        for name, heard in world.network.heard[one.name].items()
    }
    world.heard_at[id(one.backups[-1])] = copy


async def restore(world: World) -> None:
    """A server forgets everything since one of its backups."""
    able = [one for one in world.servers.values() if one.backups]
    if not able:
        return
    one = world.random.choice(able)
    backup = world.random.choice(one.backups)
    world.log(f"{one.name} is restored from a backup of {len(backup.promised)} acknowledged revisions")
    await one.restore(backup, world.random)
    # Paths that it was told since then it may never hear again.
    if one.name == "province":
        world.replica.told.clear()
    heard = world.network.heard[one.name]
    heard.clear()
    for name, old in world.heard_at[id(backup)].items():
        heard[name] = Heard(set(old.numbers), set(old.holding), old.exchange)
    world.forget_checks(one)
    world.seen["restored"] += 1
