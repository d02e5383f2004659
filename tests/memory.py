"""Memory that the system offers as a folder: what need not outlive a test waits there for no disk."""

import shutil
from pathlib import Path

FOLDER = Path("/dev/shm")
#: So much of it must be free: four clusters, the tests' files and simulated disks find room in it.
FREE_BYTES = 2 * 2**30


def memory() -> Path | None:
    """Return the folder; None, for the disk, where there is too little of it."""
    return FOLDER if FOLDER.is_dir() and shutil.disk_usage(FOLDER).free >= FREE_BYTES else None
