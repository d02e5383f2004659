"""Forms: a spreadsheet comes in, a checked and immutable form version goes out to the phones.

`authoring` reads the author's rows and proposes what they meant, `conversion` makes an XForm of them or says what is
wrong, `versions` carry it from upload to live, on trial and retired. `schema` and `answers` are what the rest of the
server needs to understand a record, `evaluate` runs a form's rules over one.
"""
