"""The phones' door: one request takes what a phone pushed and answers with what it lacks."""
