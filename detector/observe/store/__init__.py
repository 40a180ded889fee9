"""Runs in PostgreSQL: what dashboards ask about single runs, fed from the detector's public topics."""
