"""Where people decide: review, conflicts, duplicates, relocation, quarantine, and a form before it is live."""
