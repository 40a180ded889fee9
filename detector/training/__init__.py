"""From runs to a model: through the same read() and step() as the stream."""
