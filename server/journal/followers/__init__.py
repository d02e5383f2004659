"""Followers of the feed: checkpoints, dead letters, and the loop that runs them."""
