"""The supervisor's desk: the queue of records and the decisions about them."""
