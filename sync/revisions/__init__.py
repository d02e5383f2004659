"""Revisions: canonical JSON, ids, the graph, admission, digests and checkpoints."""
