"""The engine: revisions, admission, merging and review as pure functions, without I/O, clock or randomness."""
