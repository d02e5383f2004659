"""What a new version of a form does before it is live: to records, and on how many phones."""
