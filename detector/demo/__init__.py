"""A simulated fleet that emits real OpenTelemetry spans, and the incident of April 2026 re-enacted."""
