"""The schema's history: one revision a file in `versions/`, run by `server.platform.db.migrate` on both databases."""
