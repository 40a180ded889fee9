"""Rules, modes and deadlines: from signals and a score to a verdict."""
