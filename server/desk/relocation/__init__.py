"""A record that stands in two areas: a person says where it stays."""
