"""What is checked before a revision enters the journal, whichever door it came by: one policy for all of them."""
