"""Behavioural feature families, one file each; see `base` for what a file holds."""
