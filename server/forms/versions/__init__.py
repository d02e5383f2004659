"""The life of a form's version: a candidate, perhaps on trial, published, retired and brought back."""
