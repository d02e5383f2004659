"""From an author's workbook to an XForm that phones read, or to all that is wrong with it."""
