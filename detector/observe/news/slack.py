"""A story as a message of Slack's.

Everything stands in a `rich_text` block, whose text Slack takes as it is: no name can make a link, a mention or a
format, and a command line is copied as it was written. https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from detector.observe.news.story import Story

_HEADER_CHARACTERS = 150

Block = dict[str, Any]


def as_slack(story: Story) -> Block:
    """The body for an incoming webhook: blocks, and `text` for notifications and old clients."""
    parts = [_section(_text(story.why)), _section(_text(story.facts, italic=True))]
    if story.steps:
        parts.append(_section(_text("What it did", bold=True)))
        earlier = [f"({story.left_out} earlier steps are left out)"] if story.left_out else []
        parts.append(_list("ordered" if not earlier else "bullet", [*earlier, *(step.text for step in story.steps)]))
    if story.behaviours:
        parts += [_section(_text("What the score is made of", bold=True)), _list("bullet", story.behaviours)]
    if story.actions:
        parts.append(_section(_text("What you can do", bold=True)))
        parts += [_section(_text(story.waits))] if story.waits else []
        for action in story.actions:
            parts += [
                _section(_text(action.what)),
                {"type": "rich_text_preformatted", "elements": [_text(action.command)]},
            ]
    if links := [{"type": "link", "url": url, "text": words} for words, url in story.links]:
        parts.append(_section(*(part for link in links for part in (link, _text("   ")))))
    header = {"type": "plain_text", "text": story.headline[:_HEADER_CHARACTERS], "emoji": False}
    return {
        "text": _escaped(story.headline),
        "blocks": [{"type": "header", "text": header}, {"type": "rich_text", "elements": parts}],
        "unfurl_links": False,
    }


def _section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": [each for each in elements if each.get("text")]}


def _list(style: str, texts: Iterable[str]) -> Block:
    return {"type": "rich_text_list", "style": style, "elements": [_section(_text(text)) for text in texts]}


def _text(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text, "style": style} if style else {"type": "text", "text": text}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
