"""The rules of merging told a second time, plainly and slowly: what the engine is compared with.

Written from the rules in `sync/README.md` and from nothing in the engine: every field of every revision is spelled
out, all edits since the first are looked at, and nothing is shortened, shared or remembered. It shares with the engine
ids, canonical JSON, the graph's parents and `merged`, and the data classes that forms are handed in as.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sync.merging.document import Document, Forms
from tests.sync.second_edits import Edit, Reading, beside, latest
from tests.sync.second_fields import (
    ABSENT,
    ANSWERS,
    BLANK,
    GROUP,
    THERE,
    Way,
    agree,
    alike,
    as_set,
    is_below,
    is_codes,
    number_of,
    pointer,
    read,
    size_of,
    sorted_codes,
)


class Told(NamedTuple):
    """What all edits say together: the record, the candidates of what is asked, and whether it is deleted."""

    content: dict[str, Any]
    open: dict[str, tuple[str, ...]]
    is_deleted: bool


def told(document: Document, forms: Forms) -> Told | None:
    """Return what all edits of a document say together; None where something is waited for."""
    return Telling(document, forms).told()


class Telling(Reading):
    """Tells one document."""

    def told(self) -> Told | None:
        leaves = self.leaves()
        if not leaves or any(leaf not in self.bodies for leaf in leaves):
            return None
        live = [leaf for leaf in leaves if not self.bodies[leaf].deleted]
        if not live:
            return Told({}, {}, True)
        reached = set().union(*(self.reaches(leaf) for leaf in leaves))
        here = [rev for rev in sorted(reached) if rev in self.bodies]
        merges = [rev for rev in here if self.is_machine_merge(rev)]
        for merge in merges:
            if any(each not in self.bodies for each in (*self.merged[merge], self.bodies[merge].parent) if each):
                return None
        people = [rev for rev in here if rev not in merges and not self.is_resolved(rev)]
        if not self.choose_version(people, live):
            return None
        undone = self.undone(people)
        self.edits = [self.edit(rev, undone) for rev in people if rev not in undone]
        self.cover()
        self.answer()
        return self.together()

    # What they say together.

    def together(self) -> Told:
        values: dict[Way, Any] = {}
        asked: dict[Way, list[Edit]] = {}
        is_deleted = self.settle_record(asked)
        apart = self.settle_answers(asked)
        ways = set().union(*(set(edit.changes) | set(edit.covered) for edit in self.edits)) - {()}
        lists: dict[Way, Any] = {}
        for way in sorted(ways):
            if way == ANSWERS and apart:
                values[way] = GROUP if any(ANSWERS in (edit.says or ()) for edit in self.edits) else ABSENT
                continue
            editors = self.editors(way)
            kind = self.spot(way).kind
            if kind == "row":
                values[way] = self.settle_row(way, asked)
            elif kind == "choices":
                values[way] = self.greatest(way, editors)[0].value(way)
            else:
                values[way], is_asked = self.settle(way, latest(editors))
                if is_asked:
                    asked[way] = latest(editors)
        there = {
            way: value
            for way, value in values.items()
            if all(values.get(row, ABSENT) is not ABSENT for row in self.spot(way).rows)
            and all(
                values.get(row[:-1], ()) in (ABSENT, ()) or isinstance(values[row[:-1]], tuple)
                for row in self.spot(way).rows
            )
        }
        for way in [each for each in there if self.spot(each).kind == "choices"]:
            self.settle_choices(way, there, lists, asked)
        content = self.built(there, lists)
        open_ = {way: edits for way, edits in asked.items() if way in there or way in {(), ANSWERS}}
        content, broken = self.checked(content, open_)
        open_ |= broken
        if apart:
            open_ = {way: edits for way, edits in open_.items() if not is_below(way, ANSWERS)}
        if self.form:
            content |= {"form": self.form, "form_version": self.version}
        said = {pointer(way): tuple(sorted(edit.rev for edit in edits)) for way, edits in open_.items()}
        return Told(content, {} if is_deleted else said, is_deleted)

    def editors(self, way: Way) -> list[Edit]:
        return [edit for edit in self.edits if way in edit.changes or way in edit.covered]

    def greatest(self, way: Way, editors: Sequence[Edit]) -> list[Edit]:
        def rank(edit: Edit) -> tuple[bool, int, str]:
            return (
                way in edit.decided or self.spot(way).list_ in edit.decided or self.is_decided_around(edit, way),
                number_of(edit.rev),
                edit.rev,
            )

        return sorted(latest(editors), key=rank, reverse=True)

    def is_decided_around(self, edit: Edit, way: Way) -> bool:
        return any(is_below(way, around) and around in edit.covers and around != () for around in edit.decided)

    def settle_record(self, asked: dict[Way, list[Edit]]) -> bool:
        last = latest(self.editors(()))
        gone = [edit for edit in last if edit.is_deletion]
        candidates = {*last, *beside(gone, self.edits)}
        if gone and len(candidates) > len(gone):
            asked[()] = list(candidates)
        return bool(gone) and len(candidates) == len(gone)

    def settle_answers(self, asked: dict[Way, list[Edit]]) -> bool:
        last = latest(self.editors(ANSWERS))
        apart = [edit for edit in last if edit.says is None]
        if apart:
            asked[ANSWERS] = list({*last, *beside(apart, self.touching(ANSWERS))})
        return bool(apart)

    def settle_row(self, way: Way, asked: dict[Way, list[Edit]]) -> Any:
        last = latest(self.editors(way))
        gone = [edit for edit in last if edit.value(way) is ABSENT]
        candidates = {*last, *beside(gone, self.touching(way))}
        order = sorted(
            candidates,
            key=lambda edit: (way in edit.decided or self.is_decided_around(edit, way), number_of(edit.rev), edit.rev),
        )
        if gone and len(candidates) > len(gone):
            asked[way] = list(candidates)
        stands = order[-1]
        return ABSENT if stands in gone else THERE

    def touching(self, way: Way) -> list[Edit]:
        return [
            edit
            for edit in self.edits
            if any(is_below(each, way) and not self.spot(each).field.is_calculated for each in edit.changes)
        ]

    def settle(self, way: Way, candidates: Sequence[Edit]) -> tuple[Any, bool]:  # noqa: PLR0911
        """Return what stands of several candidates and whether a person is asked."""
        candidates = self.greatest(way, candidates)
        values = [edit.value(way) for edit in candidates]
        spot, first = self.spot(way), values[0]
        if spot.field.is_calculated or all(alike(first, each) for each in values):
            return first, False
        if spot.kind in {"group", "choice"} and all(each in {ABSENT, GROUP, THERE} for each in map(str, values)):
            return next(each for each in values if each is not ABSENT), False
        if spot.kind == "order":
            orders = [each for each in values if each is not ABSENT]
            if all(isinstance(each, tuple) for each in orders) and all(agree(a, b) for a in orders for b in orders):
                return orders[0], False
            return first, True
        if any(edit.lacks_parent for edit in candidates) or spot.field.merge == "ask":
            return first, True
        if spot.kind == "atom" and spot.field.merge in {"max", "min"}:
            sizes = [size_of(spot.field.type, each) for each in values]
            if all(each is not None for each in sizes) and len({each[0] for each in sizes if each}) == 1:
                best = (max if spot.field.merge == "max" else min)(each[1] for each in sizes if each)
                return next(value for value, each in zip(values, sizes, strict=True) if each and each[1] == best), False
        if spot.kind == "atom" and spot.field.merge == "append":
            text = self.appended(way, candidates)
            if text is not None:
                return text, False
        return first, True

    def appended(self, way: Way, candidates: Sequence[Edit]) -> str | None:
        known = set.intersection(*(edit.knows - {edit.rev} for edit in candidates))
        earlier = [edit for edit in self.editors(way) if edit.rev in known]
        before: Any = self.settle(way, latest(earlier))[0] if earlier else ""
        before = before if isinstance(before, str) and before != ABSENT else ""
        joined, pieces = before, list[str]()
        for edit in sorted(candidates, key=lambda edit: (number_of(edit.rev), edit.rev)):
            text = edit.value(way)
            if not isinstance(text, str) or text == ABSENT or not text.startswith(before):
                return None
            piece = text[len(before) :]
            if piece and piece not in pieces:
                joined += ("" if not pieces or piece[0].isspace() else "\n") + piece
                pieces.append(piece)
        return str(joined)

    def settle_choices(
        self, way: Way, there: dict[Way, Any], lists: dict[Way, Any], asked: dict[Way, list[Edit]]
    ) -> None:
        candidates = self.greatest(way, self.editors(way))
        spot = self.spot(way)
        written = [self.whole_list(edit, way) for edit in candidates]
        codes = {each[-1] for each, value in there.items() if each[:-1] == way and value is not ABSENT}
        if self.asks(way, candidates, codes):
            asked[way] = list(candidates)
            stands = written[0]
            lists[way] = sorted_codes(stands, spot.field) if isinstance(stands, list) and is_codes(stands) else stands
            return
        if there[way] not in (ABSENT, BLANK) or (not codes and there[way] is ABSENT):
            # What is no list of choices has no order.
            return
        # A list that all who spoke last write alike is left as it is; any other stands in the form's order.
        last = [
            value
            for edit in latest([each for each in self.edits if not each.is_undo])
            if not edit.is_deletion and edit.lifted is not None
            if is_codes(value := read(edit.lifted, way, self.shape)) and set(value or ()) == codes
        ]
        if last and all(each == last[0] for each in last):
            lists[way] = last[0]

    def asks(self, way: Way, candidates: Sequence[Edit], codes: set[str]) -> bool:
        """Whether a person is asked about a list of choices that all come to these."""
        spot, written = self.spot(way), [self.whole_list(edit, way) for edit in candidates]
        if spot.field.is_calculated:
            return False
        is_exclusive = len(codes) > 1 and not codes.isdisjoint(spot.field.exclusive)
        if all(as_set(each) == as_set(written[0]) for each in written):
            chosen = [] if written[0] == ABSENT else written[0]
            return is_exclusive and is_codes(chosen) and set(chosen or ()) != codes
        return (
            is_exclusive
            or any(edit.lacks_parent for edit in candidates)
            or spot.field.merge == "ask"
            or any(each is ABSENT or not is_codes(each) for each in written)
        )

    def answer(self) -> None:
        """Let who edits a list that is asked about say each choice of it, also what others had chosen."""
        for edit in sorted(self.edits, key=lambda edit: len(edit.knows)):
            known = [each for each in self.edits if each is not edit and each.rev in edit.knows]
            for way in [each for each in edit.changes if self.spot(each).kind == "choices"]:
                before = latest([each for each in known if way in each.changes or way in each.covered])
                codes = self.codes_of(way, known)
                if edit.says is not None and before and self.asks(way, before, codes):
                    edit.covers.add(way)
                    held = {each for other in self.edits for each in (*(other.says or ()), *other.covered)}
                    for each in held:
                        if is_below(each, way) and each not in edit.changes:
                            edit.covered[each] = edit.says.get(each, ABSENT)

    def codes_of(self, way: Way, edits: Sequence[Edit]) -> set[str]:
        """Return the choices that these edits come to."""
        found = set()
        for each in {each for edit in edits for each in (*edit.changes, *edit.covered) if is_below(each, way)}:
            last = latest([edit for edit in edits if each in edit.changes or each in edit.covered])
            if any(edit.value(each) is not ABSENT for edit in last):
                found.add(each[-1])
        return found

    def whole_list(self, edit: Edit, way: Way) -> Any:
        return ABSENT if edit.lifted is None else read(edit.lifted, way, self.shape)

    # A record of these fields.

    def built(self, values: dict[Way, Any], lists: dict[Way, Any]) -> dict[str, Any]:
        names = {way[0] for way in values if way}
        made = {name: self.part((name,), values, lists) for name in sorted(names)}
        return {name: value for name, value in made.items() if value is not ABSENT}

    def part(self, way: Way, values: dict[Way, Any], lists: dict[Way, Any]) -> Any:  # noqa: PLR0911
        kind, value = self.spot(way).kind, values.get(way, ABSENT)
        inner = {each[len(way)] for each in values if is_below(each, way)}
        if kind == "choices":
            if way in lists:
                return lists[way]
            codes = [name for name in inner if values.get((*way, name), ABSENT) is not ABSENT]
            if value not in (ABSENT, BLANK):
                return value
            return sorted_codes(codes, self.spot(way).field) or (ABSENT if value is ABSENT else None)
        if kind == "order":
            if value is not ABSENT and not isinstance(value, tuple):
                return value
            rows = {name for name in inner if values.get((*way, name), ABSENT) is not ABSENT}
            placed = [name for name in (() if value is ABSENT else value) if name in rows]
            names = [*placed, *sorted(rows - set(placed))]
            whole = [{"_rid": name, **self.members((*way, name), values, lists)} for name in names]
            return whole or ABSENT
        if kind == "group" and value in (ABSENT, GROUP):
            members = self.members(way, values, lists)
            return ABSENT if not members and value is ABSENT else members
        return value

    def members(self, way: Way, values: dict[Way, Any], lists: dict[Way, Any]) -> dict[str, Any]:
        names = {each[len(way)] for each in values if is_below(each, way)}
        made = {name: self.part((*way, name), values, lists) for name in sorted(names)}
        return {name: value for name, value in made.items() if value is not ABSENT}

    def checked(
        self, content: dict[str, Any], asked: Mapping[Way, list[Edit]]
    ) -> tuple[dict[str, Any], dict[Way, list[Edit]]]:
        """Return the content as the form computes it, and the constraints that only the merge broke."""
        answers = content.get("answers")
        if not self.form or not isinstance(answers, Mapping):
            return content, {}
        checked = self.forms.check(self.form, self.version, answers)
        broken: dict[Way, list[Edit]] = {}
        for path in checked.broken:
            way = tuple(path.split("/")[1:])
            if way not in asked and not any(self.broke_alone(edit, path, way) for edit in self.edits):
                broken[way] = latest(self.editors(way))
        return {**content, "answers": dict(checked.answers)}, broken

    def broke_alone(self, edit: Edit, path: str, way: Way) -> bool:
        """Whether a person left a constraint broken: by an edit after which nobody mended it."""
        if edit.is_undo or not self.breaks(edit.lifted, path):
            return False
        if not (way in edit.changes or not self.breaks(edit.before, path)):
            return False
        later = [each for each in self.edits if edit.rev in each.knows and each is not edit]
        later = [each for each in later if not each.is_undo and not each.is_deletion and each.lifted is not None]
        return all(self.breaks(each.lifted, path) for each in later)

    def breaks(self, content: Mapping[str, Any] | None, path: str) -> bool:
        answers = (content or {}).get("answers")
        return isinstance(answers, Mapping) and path in self.forms.check(self.form, self.version, answers).broken
