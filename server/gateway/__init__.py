"""The doors of the journal: what phones bring in one exchange is admitted here, and what they lack is handed back."""
