"""Conflicts: where two people disagree about a record, and a data manager decides field by field.

A conflict is read as a `record_case`, shown as a `page` out of a `queue`, decided through `choices` and `deciding`;
`batch` decides many alike, `questions` sends one to phones.
"""
