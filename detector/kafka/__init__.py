"""Kafka as every command meets it: its topics, and why it can't be reached or used."""
