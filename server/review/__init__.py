"""The supervisor's side: the queue of records and the decisions about them."""
