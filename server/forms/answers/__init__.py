"""Answers of records by their forms: read, written, typed, merged, taken from one version to another."""
