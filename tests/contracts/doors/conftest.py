"""The whole server, for contracts of its doors."""

from tests.server.conftest import app, client, postgresql_template, settings, sqlite_template

__all__ = ["app", "client", "postgresql_template", "settings", "sqlite_template"]
