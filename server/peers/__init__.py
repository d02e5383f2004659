"""Replication with other servers by CouchDB's protocol: a cluster, another Nương, and the province that a hub is of."""
