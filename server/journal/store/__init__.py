"""The journal's tables and SQL: batches, histories, authors, local documents."""
