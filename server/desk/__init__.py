"""Where people decide: review, conflicts, duplicates, relocation and quarantine."""
