"""Benchmarks: what an exchange costs on a slow link, and how many records a server takes."""
