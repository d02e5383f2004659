"""Records that may describe one household, and text normalised for comparing and searching."""
