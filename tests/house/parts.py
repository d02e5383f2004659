"""Finds the two outside parts that the tests need, Chromium and PostgreSQL, and installs what is missing where it may.

`python -m tests.house.parts` is what `make test` runs first: it takes what the machine has, asks apt-get when it is
root or may become it without a password, and otherwise ends with a sentence that names what to install. Tests import
`chromium` and `postgresql_folder` from here, so that they find exactly what this found.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: The first is Chromium without what draws its window: a test takes two thirds of the processor's time.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that no Python package brings: how it is found, and what Debian and Ubuntu call it."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]
    variable: str


def chromium() -> Path | None:
    """Return the browser: `NUONG_TEST_CHROMIUM`, or the first known name on the path."""
    if named := os.environ.get("NUONG_TEST_CHROMIUM"):
        return Path(named)
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Path(found) if found else None


def postgresql_folder() -> Path | None:
    """Return the folder of `initdb` and `postgres`: `NUONG_TEST_POSTGRESQL`, Debian's newest, or the path's."""
    if named := os.environ.get("NUONG_TEST_POSTGRESQL"):
        return Path(named)
    # Debian keeps the server's programs out of the path, a folder for each major version.
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    # What stands in the path may be a link; the programs beside the real one belong together.
    return Path(found).resolve().parent if found else None


PARTS = (
    # The fonts come along because a headless browser on a bare machine draws Vietnamese as boxes.
    Part("Chromium", chromium, ("chromium-headless-shell", "fonts-dejavu-core"), "NUONG_TEST_CHROMIUM"),
    Part("PostgreSQL", postgresql_folder, ("postgresql",), "NUONG_TEST_POSTGRESQL"),
)


def apt_get() -> list[str] | None:
    """Return the command that may install packages here, or None where nothing may."""
    program = shutil.which("apt-get")
    if program is None:
        return None
    if os.geteuid() == 0:
        return [program]
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n", program]
    return None


def install(packages: tuple[str, ...]) -> None:
    """Install from the system's packages if that is allowed; what is missing afterwards is for the caller to say."""
    command = apt_get()
    if command is None:
        return
    print(f"Installing {', '.join(packages)} from the system's packages …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        if subprocess.run([*command, *arguments], env=quiet, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            print(f"apt-get {arguments[0]} did not succeed.", file=sys.stderr)
            return


def main() -> int:
    """Return 0 when every part is there."""
    missing = [part for part in PARTS if part.find() is None]
    if missing:
        install(tuple(package for part in missing for package in part.packages))
    for part in PARTS:
        print(f"{part.name}: {part.find() or 'missing'}")
    still = [part for part in missing if part.find() is None]
    if not still:
        return 0
    names = " and ".join(part.name for part in still)
    packages = " ".join(package for part in still for package in part.packages)
    variables = " or ".join(part.variable for part in still)
    print(
        f"The tests need {names}, and this account may not install it. On Debian and Ubuntu:\n"
        f"  sudo apt-get install {packages}\n"
        f"Elsewhere install it your way; if it is then not found, name it with {variables}. "
        "`make test-fast` runs what needs neither.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
