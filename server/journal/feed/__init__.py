"""The changes feed, and waking whoever waits for a commit."""
