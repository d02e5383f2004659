"""Approved records for the world outside: typed tables and geography."""
