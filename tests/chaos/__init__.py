"""Faults on real servers: what they make of the promises, counted from the topics afterwards."""
