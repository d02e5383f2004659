"""Areas with validity and successors, projects, and the scopes that a project in an area is."""
