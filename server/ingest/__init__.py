"""The checks before a revision enters the journal: one policy for all doors."""
