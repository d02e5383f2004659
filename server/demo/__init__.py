"""A province to try the product on: simulated phones, made-up records that say so, and people who can sign in."""
