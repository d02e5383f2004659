"""A form's rules over a record's answers: relevance, constraints, calculations, required answers.

The phone's form engine says it while a person fills a form in; the server says the same when a record comes in and when
edits are merged. `syntax` reads XPath, `compiling` makes it runnable, `functions` and their neighbours hold ODK's
functions, `reading` turns answers into what expressions see, `model` reads a published form, `nodes` are one record's
answers as a tree, and `evaluator` answers the questions. tests/vectors/evaluate.json holds what the phone's engine
makes of the same answers; docs/decisions tells why lxml evaluates none of this.
"""
