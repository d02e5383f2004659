"""The demonstration forms as phones get them: `python -m tests.vectors.make_forms` writes them to `forms/`.

They are committed, so that the app's tests load real forms in the phone's engine without Python beside them; a test
here says when they are no longer what the spreadsheets become.
"""

from pathlib import Path

from server.forms.conversion.xlsform import convert_xlsform

FOLDER = Path(__file__).parent / "forms"
SPREADSHEETS = Path(__file__).parents[2] / "server" / "demo" / "forms"


def published(spreadsheet: Path) -> bytes:
    """Return the XForm of one of the demonstration forms."""
    conversion = convert_xlsform(spreadsheet.read_bytes())
    if conversion.form is None:
        raise ValueError(f"{spreadsheet.name}: {[finding.message for finding in conversion.findings]}")
    return conversion.form.xform


if __name__ == "__main__":
    for path in sorted(SPREADSHEETS.glob("*.xlsx")):
        (FOLDER / f"{path.stem}.xml").write_bytes(published(path))
