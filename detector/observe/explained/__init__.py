"""Runs told call by call, for `detector explain`: witness.py sees, looks.py gathers, words.py prints."""
