"""The two doors of the journal: `sync` for phones, `couchdb` for every other replica."""
