"""An author's workbook: its rows as they were written, what is proposed instead, and what is wrong with them."""
