"""Foreign clients of the `/db` door: PouchDB as it comes from npm, with simulated phones beside it."""
