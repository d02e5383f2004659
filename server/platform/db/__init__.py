"""Where rows live: the engine for SQLite or PostgreSQL, the shared metadata and the migrations."""
