"""The schema's history: one revision a file in `versions/`, run by `server.db.migrate` on SQLite and PostgreSQL."""
