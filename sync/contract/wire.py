"""The wire between a phone and a server: which one is spoken, and how the numbers of saves are written."""

#: A phone and a server understand each other when theirs is the same; what it means stands in `sync/README.md`.
PROTOCOL = 2

#: The number that an enrolment gives to a save or an exchange, as text: it counts from 1 and never again from there.
NUMBER_PATTERN = r"^[1-9][0-9]{0,14}$"
