"""Pairs of records that may be one household: told apart, joined, or parted again."""
