"""Upkeep of a running server: files that are gone or damaged are found, and fetched again from peers that have them."""
