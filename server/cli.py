"""The command `nuong`: serving, migrating, and what each stage offers at the console.

Exit codes: 0 done; 1 could not be done; 2 wrong usage or settings. What went wrong is one sentence on standard error.
"""

import sys

import click
from sqlalchemy.exc import DBAPIError

from server.areas.commands import commands as areas_commands
from server.areas.commands import open_atlas
from server.auth.commands import commands as auth_commands
from server.auth.keys import WrongSecret, key_ring
from server.backup.commands import commands as backup_commands
from server.console import Console, Failure, run
from server.demo.commands import commands as demo_commands
from server.errors import Problem
from server.forms.commands import commands as forms_commands
from server.maintenance.commands import commands as upkeep_commands
from server.peers.commands import commands as peers_commands
from server.projections.commands import commands as projections_commands
from server.serving import listening, require_workers_possible, serve_app
from server.settings import MOST_WORKERS, SettingsError, load_settings

#: Each stage's commands; a stage adds its `commands` here.
COMMANDS: tuple[tuple[click.Command, ...], ...] = (
    areas_commands,
    auth_commands,
    backup_commands,
    forms_commands,
    peers_commands,
    demo_commands,
    upkeep_commands,
    projections_commands,
)


@click.group()
@click.version_option(package_name="nuong")
def nuong() -> None:
    """Survey records for Điện Biên: phones capture, this server reconciles."""


@nuong.command()
@click.option("--host", help="Where to listen; NUONG_HOST otherwise.")
@click.option("--port", type=click.IntRange(1, 65535), help="NUONG_PORT otherwise.")
@click.option("--workers", type=click.IntRange(1, MOST_WORKERS), help="How many processes; NUONG_WORKERS otherwise.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Bring the database up to date, then serve the app and its API."""
    said = {"host": host, "port": port, "workers": workers}
    settings = load_settings().model_copy(update={name: value for name, value in said.items() if value is not None})
    require_workers_possible(settings)
    with listening(settings.host, settings.port) as listener:
        run(prepare)
        serve_app(settings, listener)


@nuong.command()
def migrate() -> None:
    """Bring the database up to date, and make what every database needs."""
    run(prepare)
    click.echo("The database is up to date.")


async def prepare(console: Console) -> None:
    """Make what a server needs before it starts, so that what is missing is a sentence and not a failed start-up."""
    await open_atlas(console)
    await key_ring(console.settings, console.storage, console.clock).signing()


def main() -> None:
    """Run the command line, and turn every expected failure into one sentence and an exit code."""
    try:
        nuong.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except SettingsError as error:
        _say(str(error))
        sys.exit(2)
    except (Failure, WrongSecret) as error:
        _say(str(error))
        sys.exit(1)
    except Problem as error:
        told = ", ".join(f"{name}: {value}" for name, value in error.params.items())
        _say(f"{error.detail or error.kind.title}{f' ({told})' if told else ''}.")
        sys.exit(1)
    except (DBAPIError, ConnectionError) as error:
        # The first line only: SQLAlchemy's further ones repeat the statement with its parameters.
        _say(f"The database can't be used: {str(error).splitlines()[0]}")
        sys.exit(1)


def _say(sentence: str) -> None:
    click.echo(f"nuong: {sentence}", err=True)


for stage in COMMANDS:
    for command in stage:
        nuong.add_command(command)
