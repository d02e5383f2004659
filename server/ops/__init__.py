"""What operating the server needs: problems at the edge, logs, health, metrics, the built app and the API's pages."""
