"""A story as a mail: text first, then HTML that needs nothing from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from html import escape

from detector.observe.news.story import Story

_DOMAIN = "agent-run-detector.invalid"
_COLOURS = {"ALLOW": "#2e7d32", "ALERT": "#b26a00", "PAUSE": "#c62828", "KILL": "#6a1b9a"}
_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
_MONO = "font-family:SFMono-Regular,Menlo,Consolas,monospace;font-size:13px"


def as_email(story: Story, sender: str, receivers: list[str]) -> EmailMessage:
    """The message. Mails about one run stand in one thread; one that is sent again has the same Message-ID."""
    message = EmailMessage(policy=SMTP)
    # A header is decoded when it is set: a name that looks like an encoded word could bring line ends, and headers.
    message["Subject"] = f"[{story.level}] {story.headline}".replace("=?", "= ?")
    message["From"] = sender
    message["To"] = ", ".join(receivers)
    message["Date"] = formatdate()
    message["Message-ID"] = _id(f"{story.run}:{story.sequence}")
    message["References"] = _id(story.run)
    message["X-Detector-Delivery"] = story.delivery
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(story))
    message.add_alternative(as_html(story), subtype="html")
    return message


def as_text(story: Story) -> str:
    """Plain text."""
    return "\n".join(_lines(story)) + "\n"


def as_html(story: Story) -> str:
    """One HTML document with styles in place, as mail clients ask for; every name escaped."""
    colour = _COLOURS.get(story.level, "#37474f")
    return (
        '<!doctype html><html lang="en"><body style="margin:0;background:#f4f5f7">'
        f'<div style="{_FONT};max-width:680px;margin:0 auto;background:#fff;color:#1f2328;'
        f'border-top:4px solid {colour};padding:20px 24px;line-height:1.5;font-size:15px">{"".join(_html(story))}'
        "</div></body></html>"
    )


def _id(text: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{_DOMAIN}>"


def _lines(story: Story) -> Iterator[str]:
    yield from (story.headline, "", story.why, story.facts)
    if story.steps:
        yield from ("", "What it did")
        if story.left_out:
            yield f"  ({story.left_out} earlier steps are left out)"
        for step in story.steps:
            yield f"  {step.at}  {step.text}"
    if story.behaviours:
        yield from ("", "What the score is made of")
        yield from (f"  {words}" for words in story.behaviours)
    if story.actions:
        yield from ("", "What you can do")
        if story.waits:
            yield f"  {story.waits}"
        for action in story.actions:
            yield from (f"  {action.what}", f"    {action.command}")
    if story.links:
        yield ""
        yield from (f"{words}: {url}" for words, url in story.links)


def _html(story: Story) -> Iterator[str]:
    yield f'<h1 style="font-size:20px;line-height:1.3;margin:0 0 12px">{escape(story.headline)}</h1>'
    yield f'<p style="margin:0 0 8px">{escape(story.why)}</p>'
    yield f'<p style="margin:0;color:#59636e;font-size:13px">{escape(story.facts)}</p>'
    if story.steps:
        yield _heading("What it did")
        if story.left_out:
            yield f'<p style="margin:0;color:#59636e">{story.left_out} earlier steps are left out.</p>'
        yield '<table style="border-collapse:collapse;font-size:14px;width:100%">'
        for step in story.steps:
            yield (
                '<tr><td style="padding:4px 12px 4px 0;color:#59636e;white-space:nowrap;vertical-align:top">'
                f'{escape(step.at[11:19])}</td><td style="padding:4px 0">{escape(step.text)}</td></tr>'
            )
        yield "</table>"
    if story.behaviours:
        items = "".join(f"<li>{escape(words)}</li>" for words in story.behaviours)
        yield f'{_heading("What the score is made of")}<ul style="margin:0;padding-left:20px">{items}</ul>'
    yield from _deeds(story)


def _deeds(story: Story) -> Iterator[str]:
    if story.actions:
        yield _heading("What you can do")
        if story.waits:
            yield f'<p style="margin:0 0 8px">{escape(story.waits)}</p>'
        for action in story.actions:
            yield f'<p style="margin:8px 0 2px">{escape(action.what)}</p>'
            yield f'<pre style="{_MONO};background:#f4f5f7;padding:8px 10px;margin:0;white-space:pre-wrap">'
            yield f"{escape(action.command)}</pre>"
    if story.links:
        style = "color:#0b57d0;margin-right:16px"
        links = "".join(f'<a style="{style}" href="{escape(url)}">{escape(words)}</a>' for words, url in story.links)
        yield f'<p style="margin:20px 0 0">{links}</p>'


def _heading(text: str) -> str:
    return f'<h2 style="font-size:15px;margin:20px 0 6px">{escape(text)}</h2>'
