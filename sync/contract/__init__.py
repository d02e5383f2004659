"""What a document may hold and who may write it: the one place that says so; every door asks it."""
