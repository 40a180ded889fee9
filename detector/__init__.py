"""Watches the runs of AI agents and pauses or kills those that drift towards destruction."""
