"""Pictures, sounds and films in the labels of a form: which files it shows, and whether they came with it."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from lxml import etree

from server.forms.conversion.findings import Finding, error, warning
from server.forms.conversion.sheets import Sheets
from server.forms.schema import XFORMS

#: What phones show, by the ending of the file; no SVG, which may hold scripts.
TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
#: Every phone fetches them all, over whatever link it has.
MAX_BYTES: Final = 1_000_000
#: More files that are missing are their kind, and known from these.
MAX_TOLD: Final = 10
SHOWN: Final = frozenset({"image", "audio", "video"})


def media_type(file: str) -> str | None:
    """Return the media type of a file that a label may show; None for every other."""
    return TYPES.get(PurePosixPath(file).suffix.lower())


def shown_files(document: etree._Element) -> Mapping[str, str]:
    """Return the files that labels show, each with the path of a question that does; "" for choices."""
    files: dict[str, str] = {}
    for value in document.iterfind(f".//{XFORMS}itext//{XFORMS}value[@form]"):
        text = value.getparent()
        if value.get("form") in SHOWN and value.text and text is not None:
            path = (text.get("id") or "").partition(":")[0]
            files.setdefault(value.text.strip().rpartition("/")[2], path if path.startswith("/") else "")
    return files


def check_media(document: etree._Element, files: Mapping[str, bytes], sheets: Sheets) -> Iterator[Finding]:
    """Give the files that labels show and that did not come, and those that phones could not show."""
    shown = shown_files(document)
    missing = [file for file in shown if file not in files]
    for file in missing[:MAX_TOLD]:
        row = sheets.row(shown[file])
        yield warning("media_missing", "survey" if shown[file] else "choices", row, file=file, count=len(missing))
    for file in shown:
        if file not in files:
            continue
        if media_type(file) is None:
            yield error("media_kind", file=file, known=", ".join(TYPES))
        elif len(files[file]) > MAX_BYTES:
            yield error("media_too_large", file=file, count=len(files[file]) // 1000, limit=MAX_BYTES // 1000)


def drop_unshown(document: etree._Element) -> None:
    """Take out the large pictures that open on a tap elsewhere: the engine would show their address as words."""
    for value in [*document.iterfind(f".//{XFORMS}itext//{XFORMS}value[@form='big-image']")]:
        parent = value.getparent()
        if parent is not None:
            parent.remove(value)
