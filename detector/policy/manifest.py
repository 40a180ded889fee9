"""Workflow manifests: what was approved for a workflow, one YAML file each.

    workflow: order-support
    tools: [read_file, "search_*"]        # names, or globs; left out: any
    environments: [staging]               # where it may act; left out: anywhere
    writes: [staging]                     # where it may change something; read-only unless granted
    principals: [svc-support]             # users, service accounts, profiles, `token:slack-bot`; left out: anybody
    modes: [default, plan]                # permission modes of the agent; left out: any
    assets:
      - {name: vol_8f2k, environment: production, backups_inside: true}
      - {name: "orders-*", environment: staging}
    unknown: production                   # what is deleted for good, and no name or list places, counts as this
    on_leave: {environment_left: pause, tool_left: alert}

See docs/manifests.md for what each key means to the detector.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from detector.errors import ConfigError
from detector.lexicon.secrets import redact
from detector.reading.globs import is_glob, plain
from detector.records import Environment

ENDINGS = (".yaml", ".yml")
MAX_BYTES = 1024 * 1024
"""Of a file."""
MAX_ENTRIES = 2_000
"""Of one list."""

Place = Literal["local", "test", "preview", "staging", "production"]
Granted = Literal["local", "test", "preview", "staging", "production", "unknown"]
Leaving = Literal[
    "tool_left",
    "environment_left",
    "write_left",
    "principal_left",
    "mode_left",
    "backups_inside",
    "principal_across",
    "person_token",
    "broad_credential",
]
"""The signals of behaviours/posture.py."""
Answer = Literal["alert", "pause"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]

FLAGS: dict[str, int] = {str(e.name).lower(): int(e) for e in Environment}
PLACES: tuple[str, ...] = get_args(Place)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Asset(_Model):
    """Something that calls name, and where it is."""

    name: Name
    """Compared with a call's targets, case ignored; with `*`, `?` or `[...]` a glob."""
    environment: Place
    backups_inside: bool = False
    """Deleting it deletes its backups."""


class Manifest(_Model):
    """What was approved for one workflow. None: everything."""

    workflow: Name
    tools: tuple[Name, ...] | None = Field(None, max_length=MAX_ENTRIES)
    environments: tuple[Place, ...] | None = None
    writes: tuple[Granted, ...] = ()
    principals: tuple[Name, ...] | None = Field(None, max_length=MAX_ENTRIES)
    modes: tuple[Name, ...] | None = Field(None, max_length=MAX_ENTRIES)
    assets: tuple[Asset, ...] = Field((), max_length=MAX_ENTRIES)
    unknown: Place = "production"
    on_leave: Mapping[Leaving, Answer] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _lists_and_words(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        out = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        if isinstance(out.get("on_leave"), str):
            out["on_leave"] = dict.fromkeys(get_args(Leaving), out["on_leave"])
        return out

    @field_validator("assets")
    @classmethod
    def _each_once(cls, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
        names = [plain(asset.name) for asset in assets]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise ValueError(f"expected each asset once, came twice: {', '.join(twice)}")
        return assets


def load(folder: Path | None) -> dict[str, Manifest]:
    """The manifests in `folder` by workflow; none where it is None.

    Raises ConfigError with every fault: the file, the key, what was expected and what came.
    """
    if folder is None:
        return {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS)
    except OSError as fault:
        came = fault.strerror or str(fault)
        raise ConfigError([f"manifests: expected a folder of workflow manifests, came {folder}: {came}"]) from None
    found: dict[str, Manifest] = {}
    at: dict[str, Path] = {}
    faults: list[str] = []
    for path in files:
        try:
            manifest = read(path)
        except ConfigError as fault:
            faults += fault.faults
            continue
        if first := at.get(manifest.workflow):
            faults.append(f"{path}: workflow: {manifest.workflow!r} has a manifest already, {first.name}")
            continue
        found[manifest.workflow], at[manifest.workflow] = manifest, path
    if faults:
        raise ConfigError(faults)
    return found


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises ConfigError with every fault."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ConfigError([f"{path}: expected at most {MAX_BYTES} bytes, came {len(data)}"])
        values = yaml.load(data, _Loader)  # noqa: S506 - a SafeLoader that refuses a key that comes twice
    except OSError as fault:
        raise ConfigError([f"{path}: can't be read: {fault.strerror or fault}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        raise ConfigError([f"{path}: expected YAML, {_where(fault)}"]) from None
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: expected keys and values, came {_shown(values)}"])
    try:
        return Manifest.model_validate(values)
    except ValidationError as fault:
        raise ConfigError([_in_words(path, error) for error in fault.errors()]) from None


def globs(manifests: Mapping[str, Manifest]) -> Iterable[str]:
    """The names of assets that are globs: what `read` has to match."""
    return [asset.name for manifest in manifests.values() for asset in manifest.assets if is_glob(asset.name)]


class _Loader(yaml.SafeLoader):
    """A second `writes:` would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} comes twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _where(fault: Exception) -> str:
    mark = getattr(fault, "problem_mark", None)
    said = getattr(fault, "problem", None) or str(fault)
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}" if mark else str(said)


def _in_words(path: Path, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"] if part != "[key]") or "manifest"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if error["type"] == "missing":
        return f"{path}: {key}: expected this key, came none"
    if error["type"] == "extra_forbidden":
        return f"{path}: {key}: expected one of {', '.join(_keys(error['loc']))}, came this key"
    came = "" if error["type"] == "value_error" else f", came {_shown(error['input'])}"
    return f"{path}: {key}: {message}{came}"


def _keys(loc: tuple[int | str, ...]) -> Iterable[str]:
    return Asset.model_fields if len(loc) > 1 else Manifest.model_fields


def _shown(value: Any) -> str:
    """A value that was refused. It may have been meant for another place, so no secret is repeated."""
    return "nothing" if value is None else redact(repr(list(value) if isinstance(value, tuple) else value))[:80]
