"""A Kafka-protocol broker and an OTLP/HTTP receiver for demos and tests."""

from detector.embedded.broker import Broker, serve
from detector.embedded.topics import Limits

__all__ = ["Broker", "Limits", "serve"]
