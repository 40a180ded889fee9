"""What a call does, to what, where, how widely and how reversibly, from its name and arguments."""

from detector.lexicon.calls import Call, Lexicon, words

__all__ = ["Call", "Lexicon", "words"]
