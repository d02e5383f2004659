"""Followers that compute the read model from the journal, and write back merges and open questions."""
