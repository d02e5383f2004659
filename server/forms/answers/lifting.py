"""Answers from one version of a form to another, by what the versions themselves declare.

A question keeps its answer under its name; `bind::was` names the one that it had before, followed through all versions
between. A question that is gone keeps its answer under `$extra`, where the phone carries it on; a new one is absent;
what is computed is left to be computed. There is no way where a question of that name holds something else: an answer
that doesn't type there, or rows where a group was. The same way leads back to older versions.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from server.forms.answers.record_answers import EXTRA, LEAVES, ROW_ID
from server.forms.schema import LIST_TYPES, Field, FormSchema

Answers = dict[str, Any]

ANSWERS = "/answers"


class NoVersionPath(Exception):
    """The other version cannot hold an answer; `path` is the question's, without rows."""

    def __init__(self, path: str) -> None:
        """Keep which."""
        self.path = path
        super().__init__(path)


class VersionPath:
    """The way from one version of a form to another; `versions` are all from the one to the other, both included."""

    def __init__(self, versions: Sequence[FormSchema]) -> None:
        """Find out once what each question is called at the other end."""
        self._from, self._to = versions[0], versions[-1]
        self._names: dict[str, str] = {}
        for path in self._from.by_path:
            there = path
            for here, next_ in pairwise(versions):
                there = renamed_path(there, here, next_)
            self._names[path] = there

    def lift(self, answers: Mapping[str, Any]) -> Answers | None:
        """Return the answers as the other version holds them; None where there is no way."""
        try:
            return self._object(answers, self._from.fields, "")
        except NoVersionPath:
            return None

    def path(self, path: str) -> str:
        """Return what a field of a record, rows named by their ids, is called in the other version."""
        if not path.startswith(ANSWERS + "/"):
            return path
        there, question = ANSWERS, ""
        steps = iter(path.split("/")[2:])
        for step in steps:
            question = f"{question}/{step}"
            field = self._from.by_path.get(question)
            if field is None:
                return "/".join((there, step, *steps))
            name = self._names[question].rpartition("/")[2]
            if self._names[question] not in self._to.by_path:
                return f"{there}/{EXTRA}/{name}"
            there = f"{there}/{name}"
            if field.kind == "repeat" and (row := next(steps, None)) is not None:
                there = f"{there}/{row}"
        return there

    def _object(self, answers: Mapping[str, Any], fields: Sequence[Field], path: str) -> Answers:
        lifted: Answers = {}
        extra = _extra(answers)
        known = {field.name: field for field in fields}
        for name, answer in answers.items():
            field = known.get(name)
            if field is None or name == ROW_ID:
                if name != EXTRA:
                    lifted[name] = answer
                continue
            there = self._to.by_path.get(self._names[field.path])
            if there is not None:
                lifted[there.name] = self._answer(answer, field, there)
            elif not field.is_calculated:
                extra[name] = [*extra.get(name, ()), *_nodes(answer)]
        if extra:
            lifted[EXTRA] = extra
        return lifted

    def _answer(self, answer: Any, here: Field, there: Field) -> Any:
        if here.kind != there.kind:
            raise NoVersionPath(here.path)
        if here.kind == "group":
            return self._object(answer, here.children, here.path) if isinstance(answer, dict) else answer
        if here.kind == "repeat":
            if not isinstance(answer, list):
                return answer
            return [self._object(row, here.children, here.path) if isinstance(row, dict) else row for row in answer]
        if answer is None or here.type == there.type or there.is_calculated:
            return answer
        converted = _converted(answer, there)
        accepts, _ = LEAVES.get(there.type, LEAVES["text"])
        if not accepts(converted):
            raise NoVersionPath(here.path)
        return converted


def _converted(answer: Any, there: Field) -> Any:
    """Return an answer in the JSON of another type: one choice becomes several, of several one only if it is alone."""
    if there.type in LIST_TYPES:
        return answer if isinstance(answer, list) else [answer]
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer


def renamed_path(path: str, here: FormSchema, there: FormSchema) -> str:
    """Return what a question of one version is called in the next, older or newer; its own path where it is gone."""
    before = after = ""
    for name in path.split("/")[1:]:
        before = f"{before}/{name}"
        is_there = f"{after}/{name}" in there.by_path
        after = f"{after}/{name if is_there else _other_name(name, before, after, here, there)}"
    return after


def _other_name(name: str, before: str, after: str, here: FormSchema, there: FormSchema) -> str:
    for field in _children(there, after):
        # A mark that an author left in place speaks of an older version, where the question had its new name already.
        if field.was == name and f"{before.rpartition('/')[0]}/{field.name}" not in here.by_path:
            return field.name
    newer = here.by_path.get(before)
    was = newer.was if newer is not None else None
    return was if was is not None and f"{after}/{was}" in there.by_path else name


def _children(schema: FormSchema, path: str) -> Sequence[Field]:
    if not path:
        return schema.fields
    field = schema.by_path.get(path)
    return field.children if field is not None else ()


def _extra(answers: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what an earlier version asked; raise NoWay where it is not what engine and lifting write."""
    extra = answers.get(EXTRA)
    if extra is None:
        return {}
    if not isinstance(extra, dict) or not all(isinstance(nodes, list) for nodes in extra.values()):
        raise NoVersionPath(EXTRA)
    return dict(extra)


def _nodes(answer: Any) -> list[Any]:
    """Return an answer as the nodes that the form engine would have made of it, for `$extra`."""
    if isinstance(answer, dict):
        node = _extra(answer)
        for name, inner in answer.items():
            if name != EXTRA:
                node[name] = [*node.get(name, ()), *_nodes(inner)]
        return [node]
    if isinstance(answer, list):
        if any(isinstance(each, dict) for each in answer):
            return [node for row in answer for node in _nodes(row)]
        return [" ".join(map(str, answer))]
    return [answer]
