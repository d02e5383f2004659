"""The base of every stage: database, JSON, logs, metrics, health, problem documents, the app's files."""
