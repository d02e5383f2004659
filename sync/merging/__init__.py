"""Merging field by field: what differs, who knew what, which value stands, and how branches are closed."""
