"""The queue of quarantined revisions, and accepting them."""
