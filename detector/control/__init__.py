"""From a decision to a stopped process: commands, signatures, acks, enforcers, people's labels."""
