"""The journal: every revision of every database, its changes feed, and the one function that writes either."""
