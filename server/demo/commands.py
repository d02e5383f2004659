"""`nuong demo` and `nuong simulate`: a province to try, and the phones that fill it."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import httpx

from server.console import Failure, run
from server.demo import province
from server.demo.phone import PhoneRefused
from server.demo.simulate import simulate
from server.serving import listening, serve_app
from server.settings import load_settings

START_TIMEOUT_S = 60
RECORDS, SEED = 140, 1


@click.command("simulate")
@click.option("--url", default="http://localhost:8000", show_default=True, help="The server to send to.")
@click.option("--records", type=click.IntRange(1, 100_000), default=RECORDS, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed makes the same answers.")
def simulate_command(url: str, records: int, seed: int) -> None:
    """Let simulated phones bring made-up records into a demo province, through its public API."""
    started = time.perf_counter()
    try:
        done = asyncio.run(simulate(url, records, seed, click.echo))
    except PhoneRefused as refusal:
        raise Failure(f"{url} refused the demo's people ({refusal}): is it a demo province (`nuong demo`)?") from None
    except (httpx.HTTPError, LookupError) as error:
        raise Failure(f"{url}: {error or type(error).__name__}") from None
    click.echo(
        f"Demo data: {done.records} records ({done.amended} amended, {done.conflicts} in conflict, {done.pairs} "
        f"perhaps recorded twice, {done.returned} returned) in {time.perf_counter() - started:.0f} s."
    )


@click.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--records", type=click.IntRange(0, 100_000), default=RECORDS, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
@click.option("--reset", is_flag=True, help="Remove what the demo has kept, and start afresh.")
def demo_command(port: int, records: int, folder: Path, *, reset: bool) -> None:
    """Serve a province to try; what is entered stays from start to start."""
    with listening("127.0.0.1", port) as listener:
        if reset:
            province.reset(folder)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.update(province.settings_for(folder))
        click.echo("Preparing people and forms …")
        run(province.prepare)
        filled = folder / "filled"
        greeting = threading.Thread(target=_greet, args=(port, 0 if filled.exists() else records, filled), daemon=True)
        greeting.start()
        serve_app(load_settings().model_copy(update={"port": port, "log_level": "warning"}), listener)


def _greet(port: int, records: int, filled: Path) -> None:
    """Fill a new province once the server is ready, and tell who can sign in."""
    url = f"http://localhost:{port}"
    if not _is_ready(url):
        return
    click.echo(province.sign_ins(url))
    if not records:
        return
    click.echo(f"Simulated phones bring in {records} records …")
    # A process of its own: its work would otherwise take turns with the server's.
    command = [sys.executable, "-c", "from server.cli import main; main()", "simulate"]
    done = subprocess.run([*command, "--url", url, "--records", str(records)], check=False)  # noqa: S603 - our own command
    if done.returncode == 0:
        filled.touch()
        click.echo(f"The province is ready at {url}")


def _is_ready(url: str) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz", timeout=2).status_code == httpx.codes.OK:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    return False


commands: tuple[click.Command, ...] = (simulate_command, demo_command)
