"""Follows the journal: what each record is now, where it stands under review, and what makes it look doubtful."""
