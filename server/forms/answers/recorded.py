"""Files that a phone makes by itself while a form is filled: the log of filling it, and sound in the background.

The answer is such a file's name. Nobody is asked for it, merging asks nobody about it, and no comparison shows it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from server.forms.schema import FormSchema


def recorded_stems(schema: FormSchema, contents: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return what the names of the recorded files of these contents begin with, up to their first dot.

    Sound of a form that was opened again is a second file of the same beginning.
    """
    paths = [field.path.split("/")[1:] for field in schema.leaves() if field.recorded]
    return frozenset(name.partition(".")[0] for content in contents for name in _names(paths, content.get("answers")))


def _names(paths: Iterable[Sequence[str]], answers: Any) -> Iterator[str]:
    for path in paths:
        here = answers
        for step in path:
            here = here.get(step) if isinstance(here, dict) else None
        if isinstance(here, str):
            yield here
