"""The documented reasons for which input is set aside are those that the sources give."""

from __future__ import annotations

import re
from pathlib import Path

import detector
from detector import rejections

HOME = Path(detector.__file__).parent
DOCS = HOME.parent / "docs" / "rejections.md"
GIVEN = re.compile(r'(?:Drop\(|faults\[|rejects\[|rejects=\{)"([a-z_]+)"')


def given(*paths: Path) -> set[str]:
    """The reasons in these files."""
    return {reason for path in paths for reason in GIVEN.findall(path.read_text())}


def test_every_reason_in_the_sources_is_documented_and_no_other() -> None:
    """A reason that is new, or gone, shows here before a user wonders what it means."""
    sources = {*(HOME / "otlp").glob("*.py"), HOME / "ingest.py", HOME / "read.py"}
    ids = set(re.findall(r'"((?:bad|no)_\w+_id)"', (HOME / "otlp" / "__init__.py").read_text()))
    protobuf = set(re.findall(r'reason = "(\w+)"', (HOME / "otlp" / "protobuf.py").read_text()))

    assert given(*sources) | ids | protobuf == rejections.REASONS


def test_the_page_is_current() -> None:
    """docs/rejections.md is what `rejections.table` says."""
    assert DOCS.read_text() == rejections.table()
