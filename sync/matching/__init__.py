"""Which records may describe one household, and how text is normalised for comparing and searching."""
