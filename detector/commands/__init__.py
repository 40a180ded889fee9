"""The commands of `detector`, one file a group; base.py holds what they share.

A new command is a function with `@app.command` in the file of its group. What it needs is imported
inside of it, so that `detector --help` stays fast.
"""
