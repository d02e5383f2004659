"""The data manager's desk: where people decide what the machine must not, and look at what was kept aside.

A conflict is read as a `case`, shown as a `page` out of a `queue`, decided through `choosing` and `deciding`; `batch`
decides many alike, `asking` sends a question to phones, `quarantine` is what does not stand in the graph.
"""
