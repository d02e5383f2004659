"""From an author's spreadsheet to an XForm that may be published, or to everything that is wrong with it.

The order matters: the gate, the author's rows with the proposals that were accepted, what the sheets say, the converter
on those rows (so that its messages carry the author's row numbers), our checks of what came out, and only then the row
identities. Pure but for the converter's own temporary memory; it takes a tenth of a second of CPU, so callers run it
in a thread.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook, Unreadable, read_xls, read_xlsx
from server.forms.authoring.choice_rows import check_choices
from server.forms.authoring.entity_rows import check_entity_rows, entity_lists
from server.forms.authoring.expression_cells import check_length
from server.forms.authoring.external_choices import PlainWorkbook, without_external
from server.forms.authoring.identity import check_identity
from server.forms.authoring.languages import check_language_names, check_translations, filled
from server.forms.authoring.names import check_names
from server.forms.authoring.proposals import NOTHING, Acceptance, CellChange, FormProposal
from server.forms.authoring.questions import check_questions, without_tables
from server.forms.authoring.spelling import check_spelling
from server.forms.authoring.structure import check_structure
from server.forms.authoring.xml_lists import check_xml_lists, with_csv
from server.forms.conversion.checks import check_sheets, check_xform, has_errors
from server.forms.conversion.converter import convert_sheets, failure_finding
from server.forms.conversion.entities import EntityForm, check_entities, with_entities
from server.forms.conversion.findings import Finding, error
from server.forms.conversion.label_media import check_media, shown_files
from server.forms.conversion.lists import check_lists, clean_list, columns_of, is_list
from server.forms.conversion.row_ids import with_row_ids
from server.forms.conversion.sheets import Sheets
from server.forms.conversion.workbook import gate_workbook
from server.forms.schema import FormSchema, NotAForm
from server.forms.xml_input import XmlRefused, parse_xml

#: Beyond these, converting would cost more than it could tell.
TOO_LARGE = frozenset({"survey_too_long", "list_too_long", "choices_too_many"})
#: What the converter would stop at, and say in other words.
BREAKS_CONVERTER = frozenset({"reference_unknown", "search"})
#: One proposal may uncover another, or two may change the same cell; no form has needed more.
MAX_ROUNDS: Final = 8
#: The columns of each list that is a file.
Columns = Mapping[str, Collection[str]]

# Its progress is nobody's concern; what it has to say comes back as findings.
logging.getLogger("pyxform").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class ConvertedForm:
    """A form version that passed the server's checks."""

    form: str
    version: str
    titles: Mapping[str, str]
    schema: FormSchema
    xform: bytes
    #: The files beside it, by name: its lists, and what its labels show.
    lists: Mapping[str, bytes]

    @property
    def points(self) -> list[str]:
        """Return the paths of the questions that take a GPS point."""
        return [field.path for field in self.schema.leaves() if field.type == "geopoint"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """The result of converting a spreadsheet: `form` is None on an error; `accepted` are proposals in it."""

    findings: tuple[Finding, ...]
    form: ConvertedForm | None = None
    accepted: tuple[FormProposal, ...] = ()
    #: The forms whose records it would save to, where it was not told which are published: nothing else is said then.
    asks_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Upload:
    """A spreadsheet with the files of its lists and labels, and what is known besides when it is checked."""

    data: bytes
    lists: Mapping[str, bytes] = field(default_factory=dict)
    file_name: str = ""
    accepts: Acceptance = NOTHING
    #: What a version is called for which its author has no name that fits.
    new_version: str = "1"
    #: The versions of each form that are published, and cannot be again.
    published: Mapping[str, Collection[str]] = field(default_factory=dict)
    project: str = ""
    #: The project and the XForm of each live form that it may save to; None where nobody has looked.
    entity_forms: Mapping[str, tuple[str, bytes]] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is beside a workbook: the columns of its lists in files, the forms that it saves to."""

    columns: Columns
    entity_forms: Mapping[str, EntityForm]


def convert_xlsform(data: bytes, lists: Mapping[str, bytes] | None = None) -> Conversion:
    """Return the form in a workbook, with the files of its choice lists, or what keeps it from being one."""
    return convert_upload(Upload(data, lists or {}))


def convert_upload(upload: Upload) -> Conversion:
    """Return the form in a workbook as its author has accepted it, or everything that keeps it from being one."""
    try:
        plain, about_file = _read(upload)
    except Unreadable as refusal:
        return Conversion((refusal.finding,))
    workbook, lists = plain.workbook, with_csv({**upload.lists, **plain.files})
    asks_for = frozenset(entity_lists(workbook).values())
    if asks_for and upload.entity_forms is None:
        return Conversion((), asks_for=asks_for)
    entity_forms = EntityForm.all_of(upload.entity_forms)
    columns = {file: columns_of(file, data) for file, data in lists.items() if is_list(file)}
    beside = _Beside(columns, entity_forms)
    too_long = tuple(check_length(workbook))
    if too_long:
        return Conversion(too_long)
    accepted = [found.proposal for found in about_file if found.proposal and _is_accepted(found, upload)]
    findings = [found for found in (*about_file, *plain.findings) if not _is_accepted(found, upload)]
    workbook, taken = _with_proposals(workbook, upload, beside, lambda found: _is_accepted(found, upload))
    accepted += taken
    findings += _proposed(workbook, upload, beside)
    # As it would be once all errors with a proposal are mended, so that the converter does not tell of them again.
    mended, _ = _with_proposals(workbook, upload, beside, lambda found: found.severity == "error")
    sheets = Sheets.of(mended)
    findings += check_sheets(sheets)
    if any(finding.code in TOO_LARGE for finding in findings):
        return Conversion(tuple(map(plain.placed, findings)), accepted=tuple(accepted))
    broken = {
        (found.sheet or "", found.row or 0)
        for found in findings
        if found.code in BREAKS_CONVERTER and found.proposal is None
    }
    converted = convert_sheets(filled(without_tables(mended)), broken)
    findings += converted.findings
    form = None
    if converted.xform is not None:
        try:
            xform = with_entities(converted.xform, entity_forms)
            document = parse_xml(xform)
            schema = FormSchema.parse(xform)
        except (XmlRefused, NotAForm, RecursionError) as failure:
            return Conversion((failure_finding(failure), *findings), accepted=tuple(accepted))
        later = [*check_xform(document, schema, sheets), *check_lists(document, lists)]
        later += [*check_media(document, lists, sheets), *check_entities(schema, entity_forms, sheets)]
        findings += [found for found in later if (found.sheet, found.row) not in converted.stood_in]
        form = None if has_errors(findings) else _publishable(xform, sheets, lists)
    return Conversion(tuple(map(plain.placed, findings)), form, tuple(accepted))


def _read(upload: Upload) -> tuple[PlainWorkbook, list[Finding]]:
    gated = gate_workbook(upload.data)
    if isinstance(gated, Finding):
        raise Unreadable(gated)
    workbook = read_xls(gated.data) if gated.is_old else read_xlsx(gated.data, gated.last_rows)
    if "survey" not in workbook.sheets:
        raise Unreadable(error("no_survey"))
    return without_external(workbook), [error("old_xls").proposing()] if gated.is_old else []


def _is_accepted(finding: Finding, upload: Upload) -> bool:
    return finding.proposal is not None and upload.accepts.takes(finding.proposal)


def _proposed(workbook: AuthorWorkbook, upload: Upload, beside: "_Beside") -> Iterator[Finding]:
    """Give what is wrong with the author's rows, most of it with what would do instead."""
    yield from check_identity(
        workbook, file_name=upload.file_name, new_version=upload.new_version, published=upload.published
    )
    yield from check_structure(workbook)
    yield from check_spelling(workbook)
    yield from check_names(workbook, beside.columns)
    yield from check_entity_rows(workbook, beside.entity_forms, upload.project)
    yield from check_choices(workbook)
    yield from check_questions(workbook)
    yield from check_xml_lists(workbook, beside.columns)
    yield from check_language_names(workbook)
    yield from check_translations(workbook)


def _with_proposals(
    workbook: AuthorWorkbook, upload: Upload, beside: "_Beside", takes: Callable[[Finding], bool]
) -> tuple[AuthorWorkbook, list[FormProposal]]:
    """Return the workbook with the proposals of the findings that `takes` wants, and which these were."""
    taken: list[FormProposal] = []
    for _ in range(MAX_ROUNDS):
        changes: list[CellChange] = []
        touched: set[tuple[str, int, str]] = set()
        for finding in _proposed(workbook, upload, beside):
            proposal = finding.proposal
            if proposal is None or not takes(finding):
                continue
            cells = {(change.sheet, change.row, change.column) for change in proposal.changes}
            # Of two that change the same cell, the second is proposed anew in the next round.
            if touched.isdisjoint(cells):
                touched |= cells
                changes += proposal.changes
                taken.append(proposal)
        if not changes:
            break
        workbook = workbook.changed(changes)
    return workbook, taken


def _publishable(xform: str, sheets: Sheets, lists: Mapping[str, bytes]) -> ConvertedForm:
    complete = with_row_ids(xform)
    schema = FormSchema.parse(complete)
    titles = {
        language.code: sheets.settings.get(f"title_{language.code}", "").strip() or schema.title
        for language in schema.languages
    }
    return ConvertedForm(
        form=schema.form,
        version=schema.version,
        titles=titles or {"vi": schema.title},
        schema=schema,
        xform=complete,
        lists={
            **{file: clean_list(file, lists[file]) for file in dict.fromkeys(schema.list_files)},
            **{file: lists[file] for file in shown_files(parse_xml(complete)) if file in lists},
        },
    )
