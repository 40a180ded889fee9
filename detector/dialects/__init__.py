"""Span dialects: one file each, with a `DIALECT`."""
