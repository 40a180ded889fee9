"""The published JSON Schemas."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from detector import schemas
from detector.records import Command, Desired, Evidence, Share, Verdict

DOCS = Path(__file__).parent.parent / "docs" / "schemas"


@pytest.mark.parametrize("name", sorted(schemas.PUBLIC))
def test_the_published_file_is_current(name: str) -> None:
    """docs/schemas/NAME.json is what the record says today; `detector schema --write docs/schemas` renews it."""
    assert (DOCS / f"{name}.json").read_text() == schemas.text(name)


def test_no_published_file_is_of_a_record_that_is_gone() -> None:
    """The folder holds a file for each public record and no other."""
    assert {file.stem for file in DOCS.iterdir()} == set(schemas.PUBLIC)


@pytest.mark.parametrize("name", sorted(schemas.PUBLIC))
def test_every_schema_is_a_schema(name: str) -> None:
    """Each is valid under JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schemas.schema(name))
    assert schemas.schema(name)["title"] == name


def test_records_fit_their_schema() -> None:
    """A verdict and a command as they go onto the topics are valid, and a command without its run is not."""
    verdict = Verdict(
        run="r", workflow="w", sequence=1, level="PAUSE", previous="ALLOW", cause="model", at=1, span_id="ab",
        score=0.7, threshold=0.6, evidence=[Evidence("searched for tokens", "ab", "cd", 1)],
        behaviours=[Share("credentials", 1.0, 2.0, "credential search")], model="m", policy="p", mode="enforce",
    )  # fmt: skip
    command = Command(run="r", desired=Desired.PAUSED, sequence=1, cause="model", at=1)
    for name, record in (("verdict", verdict), ("command", command)):
        jsonschema.validate(msgspec.json.decode(msgspec.json.encode(record)), schemas.schema(name))
    with pytest.raises(jsonschema.ValidationError, match="'run' is a required property"):
        jsonschema.validate({"desired": "paused", "sequence": 1, "cause": "model", "at": 1}, schemas.schema("command"))


def test_write_makes_the_folder(tmp_path: Path) -> None:
    """Every record's schema is written into a folder that was not there."""
    files = schemas.write(tmp_path / "new" / "folder")
    assert {file.stem for file in files} == set(schemas.PUBLIC)
    assert all(msgspec.json.decode(file.read_bytes()) == schemas.schema(file.stem) for file in files)
