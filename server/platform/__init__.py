"""What every stage stands on: database, JSON, logs, metrics, health, problem documents, the app's files."""
