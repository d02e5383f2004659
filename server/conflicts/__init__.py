"""The data manager's desk: what the server kept aside, for a person to look at."""
