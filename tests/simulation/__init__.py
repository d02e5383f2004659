"""A seeded world of phones, servers and replicas around the real journal and the real sync door."""
