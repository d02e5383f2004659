"""The API's description: an OpenAPI document that says what really happens, as JSON and as a page."""
