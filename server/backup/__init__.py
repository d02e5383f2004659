"""A whole server kept in a folder and brought back: its database as one moment saw it, its media, its secret."""
