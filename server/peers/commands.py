"""`nuong peer`: other servers from the console, and this one as a commune's hub."""

import sys
from urllib.parse import urlsplit

import click

from server.areas.areas import Areas
from server.auth.keys import key_ring
from server.console import Console, Failure, run
from server.forms.library import FormLibrary
from server.ingest.peer_ingest import PeerIngest
from server.peers.book import MEDIA, NewPeer, PeerBook, Status
from server.peers.connections import ReplicationParts
from server.peers.failures import SENTENCES, TroubleCode
from server.peers.media_book import REASONS
from server.peers.model import DIRECTIONS, MODES, Directions, Mode, Peer
from server.peers.overview import PeerOverview, PeerOverviews
from server.peers.schemas import checked_url, checked_way
from server.peers.secrets import PeerSecrets
from server.peers.service_token import couchdb_key_lines, may_be_shown_to
from server.peers.worker import PeerWork
from server.platform.db.server_identity import identify


@click.group()
def peer() -> None:
    """Other servers: CouchDBs, other Nươngs, and the province that this one is a hub of."""


@peer.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "--scope", "scopes", multiple=True, help="A database; * stands for anything. Again for more; all if none."
)
@click.option("--direction", type=click.Choice(DIRECTIONS), default="both", show_default=True)
@click.option("--mode", type=click.Choice(MODES), default="continuous", show_default=True)
@click.option("--username", help="The account at the peer; its password is asked for, or read from standard input.")
@click.option(
    "--token",
    is_flag=True,
    help="Show one-minute tokens of this server's key: to the CouchDB of NUONG_COUCHDB_URL alone.",
)
def add(
    *,
    name: str,
    url: str,
    scopes: tuple[str, ...],
    direction: Directions,
    mode: Mode,
    username: str | None,
    token: bool,
) -> None:
    """Add the peer NAME at URL (a Nương's is its address with /db)."""
    if token and username:
        raise click.UsageError("--token and --username exclude each other.")
    new = NewPeer(
        name,
        _checked(url, has_password=username is not None),
        scopes or ("*",),
        direction,
        mode,
        "token" if token else "password" if username else "none",
        username,
        _password() if username else None,
    )

    async def work(console: Console) -> Peer:
        if token and not may_be_shown_to(new.url, console.settings.couchdb_url):
            raise Failure("Tokens are for the CouchDB of NUONG_COUCHDB_URL alone. Give --username for any other.")
        return await _book(console).add(new)

    click.echo(f"Added {_line(run(work))}")


@peer.command("hub")
@click.option("--of", "url", required=True, help="The province's address, as phones open it.")
@click.option(
    "--username", required=True, help="This hub's account there, with the role peer; its password is asked for."
)
def be_hub(url: str, username: str) -> None:
    """Make this server a hub: people, places and forms come from the province, records go both ways."""
    address = _checked(url, has_password=True).removesuffix("/db") + "/db"
    new = NewPeer("province", address, ("*",), "both", "continuous", "password", username, _password(), "province")

    async def work(console: Console) -> PeerOverview:
        made = await _book(console).add(new)
        return await _once(console, made)

    tell(run(work))


@peer.command("list")
def list_peers() -> None:
    """List the peers."""
    for each in run(lambda console: _book(console).peers()):
        click.echo(_line(each))


@peer.command()
@click.argument("name", required=False)
def status(name: str | None) -> None:
    """Show how far every database is, and what is the matter."""

    async def work(console: Console) -> list[tuple[Peer, PeerOverview]]:
        book = _book(console)
        overviews = _overviews(console, await _areas(console))
        wanted = [await book.find(name)] if name else await book.peers()
        return [(each, await overviews.of(each)) for each in wanted]

    for each, overview in run(work):
        click.echo(_line(each))
        tell(overview)


@peer.command()
@click.argument("name")
def sync(name: str) -> None:
    """Exchange everything with a peer once, now."""

    async def work(console: Console) -> PeerOverview:
        return await _once(console, await _book(console).find(name))

    overview = run(work)
    tell(overview)
    if any(one.trouble for one in overview.statuses):
        sys.exit(1)


@peer.command()
@click.argument("name")
def remove(name: str) -> None:
    """Exchange with a peer no longer; what it brought stays."""

    async def work(console: Console) -> Peer:
        found = await _book(console).find(name)
        await _book(console).remove(found.id)
        return found

    click.echo(f"Removed {run(work).name}.")


@peer.command()
def key() -> None:
    """Print the lines for CouchDB's [jwt_keys] with which it accepts this server's tokens."""

    async def work(console: Console) -> list[str]:
        return await couchdb_key_lines(key_ring(console.settings, console.storage, console.clock))

    for line in run(work):
        click.echo(line)


def _book(console: Console) -> PeerBook:
    return PeerBook(console.storage, console.clock, PeerSecrets(console.settings))


async def _areas(console: Console) -> Areas:
    areas = Areas(console.storage, console.journal, console.clock)
    await areas.prepare()
    return areas


def _overviews(console: Console, areas: Areas) -> PeerOverviews:
    return PeerOverviews(console.storage, console.journal, areas, console.clock, _book(console))


async def _once(console: Console, peer: Peer) -> PeerOverview:
    """Exchange everything with a peer once; return how it stands then."""
    parts = await _parts(console)
    await PeerWork(parts, peer).once()
    # A hub learns its scopes on the way.
    return await _overviews(console, parts.areas).of(await parts.book.find(peer.id))


async def _parts(console: Console) -> ReplicationParts:
    areas = await _areas(console)
    return ReplicationParts(
        storage=console.storage,
        journal=console.journal,
        areas=areas,
        keys=key_ring(console.settings, console.storage, console.clock),
        clock=console.clock,
        book=_book(console),
        ingest=PeerIngest(console.storage, console.journal, FormLibrary(console.storage), console.clock),
        server_id=(await identify(console.storage)).server,
        settings=console.settings,
    )


def _checked(url: str, *, has_password: bool) -> str:
    try:
        return checked_way(checked_url(url), has_password=has_password)
    except ValueError as error:
        raise Failure(f"The address {error}.") from None


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password there", hide_input=True))


def _line(each: Peer) -> str:
    scopes = ", ".join(each.scopes) if len(each.scopes) <= 3 else f"{len(each.scopes)} databases"
    return f"{each.name:16} {urlsplit(each.url).geturl()} ({each.direction}, {each.mode}; {scopes})"


def tell(overview: PeerOverview) -> None:
    """Tell how far all is together, and each trouble once: a peer that is down is one matter."""
    statuses = overview.statuses
    by_trouble: dict[TroubleCode, list[Status]] = {}
    for one in statuses:
        if one.trouble:
            by_trouble.setdefault(one.trouble.code, []).append(one)
    well = [one for one in statuses if one.trouble is None]
    of_databases = [one for one in statuses if one.database != MEDIA]
    documents = sum(one.documents for one in of_databases)
    databases = len({one.database for one in well} - {MEDIA})
    click.echo(f"  {databases} databases well, {documents} revisions brought over, {overview.behind} changes behind")
    if overview.held:
        click.echo(f"  {overview.held} revisions held for a look; /desk/quarantine shows them")
    if len(of_databases) < len(statuses):
        carried = sum(one.documents for one in statuses) - documents
        click.echo(
            f"  {carried} photos and files brought over, {overview.files_waiting} to bring, "
            f"{overview.files_missing} not here yet"
        )
    for code, ill in by_trouble.items():
        sentence, advice = SENTENCES[code]
        first = min(ill, key=lambda one: one.since)
        told = f" ({first.trouble.told})" if first.trouble and first.trouble.told else ""
        names = sorted({one.database for one in ill})
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        click.echo(f"  {sentence}{told}, since {first.since:%Y-%m-%d %H:%M} UTC: {shown}. {advice}.")
    count, files = overview.files_left
    for file in files[:10]:
        way = "to" if file.direction == "push" else "from"
        click.echo(f"  {file.name} of {file.record} did not go over {way} there: {REASONS[file.reason]}")
    if count > 10:
        click.echo(f"  and {count - 10} more files; /desk/peers names them")
    if overview.left_out[0]:
        click.echo(f"  {overview.left_out[0]} revisions could not be taken; /desk/peers names them")


commands = (peer,)
