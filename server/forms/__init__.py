"""Forms: a spreadsheet comes in, a checked and immutable form version goes out to the phones.

`xlsform` reads the author's file, `checks` says what the converter lets through, `row_ids` gives repeats their
identity, `candidates` and `publication` carry a form from upload to live. `schema` and `answers` are what the rest
of the server needs to understand a record: which questions a form has, and whether answers fit them.
"""
