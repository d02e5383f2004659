"""A published form as phones meet it: a small document in `catalog` that names its contents by hash.

Strings, arrays and objects only, like every document, and no person: whoever has a grant gets the catalog.
"""

from server.forms.conversion.lists import is_list
from server.forms.versions.candidates import FormCandidate
from sync.revisions.canonical import Json


def document_id(form: str, version: str) -> str:
    """Return the id of a version's document."""
    return f"form:{form}:{version}"


def form_document(version: FormCandidate, status: str) -> dict[str, Json]:
    """Return the content of a version's document; a retired one stays, for the records that are of it."""
    # Apps of before read every list as a text, and would fetch a picture for ever.
    media = {name: sha256 for name, sha256 in version.lists.items() if not is_list(name)}
    return {
        "type": "form",
        "form": version.form,
        "version": version.version,
        "project": version.project,
        "title": dict(version.titles),
        "languages": list(version.languages),
        "status": status,
        "xform": version.xform,
        "lists": {name: sha256 for name, sha256 in version.lists.items() if is_list(name)},
        **({"media": media} if media else {}),
        "points": list(version.points),
    }
