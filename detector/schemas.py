"""The JSON Schemas of the public records, made from the records themselves.

`docs/schemas/` holds them for readers; a test keeps it current, `detector schema --write docs/schemas`
renews it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from detector.observe.news.story import Story
from detector.records import Ack, Command, Label, Summary, Verdict

PUBLIC: dict[str, type[msgspec.Struct]] = {
    "verdict": Verdict,
    "command": Command,
    "ack": Ack,
    "label": Label,
    "summary": Summary,
    "story": Story,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the record `name`, a key of PUBLIC."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name} | msgspec.json.schema(
        PUBLIC[name]
    )


def text(name: str) -> str:
    """The schema as its file holds it."""
    return msgspec.json.format(msgspec.json.encode(schema(name)), indent=2).decode() + "\n"


def write(folder: Path) -> list[Path]:
    """Writes one `NAME.json` a record into `folder`, which is made where missing; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.json" for name in PUBLIC]
    for file in files:
        file.write_text(text(file.stem), encoding="utf-8")
    return files
