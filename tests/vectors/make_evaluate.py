"""Answers for the evaluator's vectors: `python -m tests.vectors.make_evaluate` asks, the phone's engine answers.

Cases come from seeds and hold what people and broken devices enter: nothing, the edges of ranges, other types' values,
Vietnamese, choices that are not offered. `forms/functions.xml` has a calculation for every function. What is expected
is written by the engine alone: `NUONG_WRITE_VECTORS=1 npm --prefix pwa test -- tests/evaluate.test.ts`.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.forms.conversion.lists import clean_list
from server.forms.schema import Field, FormSchema
from tests.vectors.functions_form import functions_form
from tests.vectors.kinds_form import LISTS as KINDS_LISTS
from tests.vectors.kinds_form import kinds_form

HERE = Path(__file__).parent
FORMS = (
    "disease_report",
    "every_type",
    "forest_plot",
    "heritage_site",
    "homestay_ocop",
    "household_crop",
    "rubber_contribution",
    "shan_tea_tree",
    "functions",
    "edges",
    "kinds",
)
NOW = "2026-11-21T15:04:05.678+07:00"
VILLAGES = (
    "name,label,commune",
    "hau_chua,Hấu Chua,03226",
    'na_vai,"Na Vai, bản",03202',
    "ta_la_cao,Tà Là Cáo,03226",
)
LISTS = {
    "villages.csv": "\n".join((*VILLAGES, "")),
    **{file: clean_list(file, data).decode() for file, data in KINDS_LISTS.items()},
}
SEEDS = 6

POOLS: Mapping[str, tuple[str | None, ...]] = {
    "text": (
        None, "Lò Văn Ánh", "Giàng Thị Xây – bản Tà Là Cáo", "  hai  dấu cách ", "0912345678", "+84912345678", "01234",
        "𠀀 ả", "a" * 300, "12", "7.5", "2024-02-29", "<b> & \"ngoặc\" '", "03226-RSX-041", "SC-0412", "012345678901",
        "1e3", "NaN", "-", "x", "dòng\nhai", "0x1F", "HD-2019-041",
    ),
    "integer": (
        None, "0", "1", "2", "5", "-1", "007", "12", "70", "71", "300", "2147483647", "2147483648", "1000000",
        "1000001", "12.9", "abc", "1e3", "2024", "1950", "1949", "2026", "2027", "1900", "1899",
    ),
    "decimal": (
        None, "0.0", "1", "1.50", "-0.5", "500", "500.1", "0.0000001", "1,25", "0.1", "12000.0", "1e21", "abc", "5.0",
        "300.0", "300.01", "0.3333", "1.25", "15000.0", "4.5", "31.5", "1e-25",
    ),
    "date": (
        None, "2024-02-29", "2026-11-21", "2026-11-22", "2030-01-01", "2006-12-31", "2007-01-01", "2024-13-01",
        "21/11/2026", "2024-05-05T10:00:00", "1954-05-07", "2011-05-20", "2026-11-14",
    ),
    "time": (None, "08:30:00.000+07:00", "23:59:59", "08:30", "25:00:00", "06:00:00Z"),
    "dateTime": (
        None, "2026-11-21T08:30:00.000+07:00", "2026-11-21T01:30:00Z", "2026-11-20T23:59:59.5-05:00",
        "2024-02-30T00:00:00", "2026-11-21T08:30", "2026-11-21", "1954-05-07T17:30:00+07:00",
    ),
    "geopoint": (None, "21.3869 103.0194 480 5", "21.3869 103.0194", "0 0 0 0", "91 10", "x y", "-12.5 181"),
    "geotrace": (
        None, "21.3869 103.0194 480 5;21.3879 103.0194 481 4;21.3879 103.0206 482 6", "21.3869 103.0194",
        "21.3869 103.0194 0 0; 21.3879 103.0194 0 0;",
    ),
    "geoshape": (
        None, "21.3869 103.0194 480 5;21.3879 103.0194 481 4;21.3879 103.0206 482 6;21.3869 103.0194 480 5",
        "21.3869 103.0194;21.3879 103.0194;21.3879 103.0206", "1 2;3 4;1 2",
    ),
}  # fmt: skip
#: Texts that look like days and times and are none, where calculations take them for some.
NO_SUCH_DAYS: Mapping[str, dict[str, Any]] = {
    "a day that no month has": {"text_a": "2024-02-30", "text_b": "2023-02-29T10:00:00", "date_a": "2024-02-29"},
    "such a day with an offset": {"text_a": "2024-04-31T10:00:00+07:00", "text_b": "2024-02-30T10:00:00Z"},
    "an hour that no day has": {"text_a": "2024-02-28T25:00:00", "text_b": "2024-02-28T10:61:00+07:00"},
    "a day beside them": {"text_a": "2024-02-29", "text_b": "2024-02-29T10:00:00Z", "date_a": "2023-12-31"},
}
#: Where the phone and the server could part: endless numbers, codes that nothing offers, texts with answers in them.
EDGES: Mapping[str, dict[str, Any]] = {
    "divided by nothing": {"area": "12.5", "n": "0", "owner": "Lò Thị Mai"},
    "nothing by nothing": {"area": "0", "n": "0"},
    "a very small number": {"area": "0.00000025", "n": "-7"},
    "a number of forty-two digits": {"area": "5.0", "n": "41"},
    "a number of a hundred digits": {"area": "5.0", "n": "100"},
    "a number too large for any": {"area": "5.0", "n": "400"},
    "a number too small for any": {"area": "5.0", "n": "-400"},
    "days before and after all years": {"n": "6", "day": "0000-01-01"},
    "days of this age": {"n": "4", "day": "9999-12-31"},
    "the end of the last year": {"day": "9999-12-31T23:59:59-14:00"},
    "no such day": {"day": "2026-11-31"},
    "no such day in a leap year": {"day": "2024-02-30T08:00:00+07:00"},
    "an offset that is none": {"day": "2026-11-21T08:00:00+25:00"},
    "one code": {"codes": "rice", "owner": "north"},
    "codes of which one is not offered": {"codes": "cassava beans maize", "owner": "north"},
    "a code twice": {"codes": " maize  rice maize ", "owner": "south"},
    "codes that nothing offers": {"codes": "beans tea", "owner": "north"},
    "labels with answers": {
        "owner": "Giàng A Páo", "n": "3", "area": "1.50", "main": "maize", "fixed": "own",
        "row": [{"_rid": "a", "who": "Dế", "pick": "part"}, {"_rid": "b", "who": "Mỷ", "pick": "part"}],
    },
    "labels with blanks": {"main": "cassava", "fixed": "rent", "row": [{"_rid": "a", "pick": "part"}]},
}  # fmt: skip
FILES = frozenset({"image", "audio", "video", "file"})


def xform(form: str) -> bytes:
    """Return one of the forms of the vectors."""
    return (HERE / "forms" / f"{form}.xml").read_bytes()


def cases(form: str) -> list[dict[str, Any]]:
    """Return the questions: a form's answers, by seed."""
    schema = FormSchema.parse(xform(form))
    made = [{"form": form, "name": "nothing at all", "answers": {}}]
    if form == "functions":
        made += [{"form": form, "name": name, "answers": answers} for name, answers in NO_SUCH_DAYS.items()]
    if form == "edges":
        made += [{"form": form, "name": name, "answers": answers} for name, answers in EDGES.items()]
    for seed in range(SEEDS):
        chance = random.Random(f"{form} {seed}")
        made.append({"form": form, "name": f"seed {seed}", "answers": _group(schema.fields, chance, seed)})
    return made


def _group(fields: tuple[Field, ...], chance: random.Random, seed: int) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for field in fields:
        if chance.random() < (0.04 if seed % 3 else 0.25):
            continue
        if field.kind == "group":
            answers[field.name] = _group(field.children, chance, seed)
        elif field.kind == "repeat":
            rows = [_group(field.children, chance, seed) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
            # A repeat without rows is no key: XML could not tell them apart.
            if rows:
                answers[field.name] = [
                    {"_rid": f"{field.name}-{number}-{chance.randrange(1000)}", **row}
                    for number, row in enumerate(rows, 1)
                ]
        elif field.name == "_rid" or field.type in FILES or field.is_calculated:
            continue
        else:
            answers[field.name] = _answer(field, chance, seed)
    return answers


def _answer(field: Field, chance: random.Random, seed: int) -> Any:
    if field.name == "consent" and chance.random() < 0.85:
        return "yes"
    if field.type in {"select_one", "select_multiple", "rank"}:
        in_file = {"villages.csv": ["hau_chua", "na_vai", "ta_la_cao"], "stations.geojson": ["7", "pa_khoang", "rung"]}
        offered = [choice.value for choice in field.choices] or in_file[field.list_file or ""]
        if field.type == "rank":
            return chance.sample(offered, len(offered)) if chance.random() < 0.8 else None
        if field.type == "select_multiple":
            some = chance.sample(offered, min(len(offered), chance.choice((0, 1, 1, 2, 3))))
            return some + (["not_offered"] if some and chance.random() < 0.1 else []) or None
        return chance.choice([*offered, *offered, "not_offered", None])
    pool = POOLS.get(field.type, POOLS["text"])
    return chance.choice(pool)


def write() -> None:
    """Write the form of functions and all cases, one a line; what was expected of the same answers is kept."""
    (HERE / "forms" / "functions.xml").write_text(functions_form(), encoding="utf-8")
    (HERE / "forms" / "kinds.xml").write_bytes(kinds_form())
    path = HERE / "evaluate.json"
    known = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []
    expected = {json.dumps([one["form"], one["answers"]], sort_keys=True): one.get("expected") for one in known}
    made = [case for form in FORMS for case in cases(form)]
    for case in made:
        case["expected"] = expected.get(json.dumps([case["form"], case["answers"]], sort_keys=True))
    about = (
        "What the phone's form engine makes of answers at `now` in Vietnam: server/forms/evaluate. `calculated` holds "
        "every calculated field by its path, `irrelevant` the outermost nodes that are not relevant, `broken` what "
        "breaks its constraint, with the message, `missing` what is required and blank. "
        "Made by tests/vectors/make_evaluate.py and pwa/tests/evaluate.test.ts."
    )
    head = {"about": about, "now": NOW, "lists": LISTS}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in made)
    text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "cases": [\n{lines}\n]\n}}\n'
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
