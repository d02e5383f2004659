"""Tables computed from the journal. Desks and publishing read them; only projections write them."""
