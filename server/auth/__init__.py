"""People, their enrolments and tokens, and the one function that says what they may do."""
