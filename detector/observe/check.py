"""What `detector check` finds: settings, plug-ins, the model, Kafka and its topics.

Every part is looked at whatever the others say, so that all faults are known at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr
from rich.table import Table

from detector import plugins
from detector.config import Settings, load
from detector.control import false_pauses
from detector.errors import ConfigError, DetectorError, PluginError
from detector.kafka import topics
from detector.kafka.wanted import POLICY
from detector.lexicon.secrets import redact
from detector.observe import statement
from detector.policy import manifest as manifests
from detector.scoring import model as models


class Part(NamedTuple):
    """One part of the check: what was found, and what is wrong with it, a sentence each."""

    name: str
    lines: list[str]
    faults: list[str]
    tables: tuple[Table, ...] = ()


async def check(*, labels: bool = False, progress: Callable[[int], None] | None = None) -> list[Part]:
    """All parts in order. Without usable settings, the model and Kafka can't be looked for.

    `labels`: also what people's labels say of the model's pauses, which reads the topics from their beginning;
    `progress` is told how many records were read.
    """
    try:
        settings = load()
    except ConfigError as fault:
        return [Part("settings", [], fault.faults), *_plugins()]
    known = [_model(settings), _guarded("manifests", lambda: _manifests(settings))]
    said = [await _labels(settings, progress)] if labels else []
    return [_settings(settings), *_plugins(), *known, await _kafka(settings), *said]


def _settings(settings: Settings) -> Part:
    changed = settings.model_fields_set
    lines = [
        f"{name} = {_shown(name, value)}{'' if name in changed else '  (default)'}"
        for name, value in ((name, getattr(settings, name)) for name in type(settings).model_fields)
    ]
    return Part("settings", lines + _warnings(settings), [])


def _warnings(settings: Settings) -> list[str]:
    said = []
    if not settings.hash_key.get_secret_value():
        said.append("warning: hashes in the run log are not keyed: set DETECTOR_HASH_KEY")
    if not settings.signing_key.get_secret_value():
        said.append("warning: commands and labels are not signed: set DETECTOR_SIGNING_KEY")
    if settings.security == "sasl_plaintext":
        said.append("warning: sasl_plaintext encrypts nothing, with PLAIN not even the password: use sasl_ssl")
    return said


def _shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        if name == "webhook_url" and text:
            address = urlsplit(text)
            return f"{address.scheme}://{address.hostname}, the rest not shown"
        return "set, not shown" if text else "not set"
    return "not set" if value is None or value == "" else redact(str(value))


def _plugins() -> list[Part]:
    return [_guarded(group, lambda group=group: _plugins_of(group)) for group in plugins.KINDS]  # type: ignore[misc]


def _plugins_of(group: str) -> list[str]:
    found = [plugin.name for plugin in plugins.find(group)]
    if not found:
        raise PluginError(f"expected at least one plug-in in {group}, found none")
    return found


def _model(settings: Settings) -> Part:
    try:
        model = models.load(settings.models)
    except DetectorError as fault:
        return Part("model", [], [str(fault)])
    lines = [
        f"version {model.version} in {settings.models}",
        "checksum, arrays and feature list are what the manifest says",
        f"{len(model.forest.roots)} trees, {len(model.layout.feature_names)} features",
    ]
    if settings.shadow_share and settings.hash_key.get_secret_value():
        share = f"in {settings.shadow_share:.1%} of runs the model only alerts, with the cause `shadow`"
        lines.append(f"{share}: what these do says what its pauses cost")
    if settings.brake_stops:
        most = f"at most {settings.brake_stops} runs in {settings.brake_window_seconds:g} s and partition"
        lines.append(f"it stops {most}; beyond that it only alerts, with the cause `brake`")
    sources = model.manifest.get("fitted", {}).get("sources", {})
    return Part("model", lines, [], (statement.guarantees(model.calibration, settings, sources),))


async def _labels(settings: Settings, progress: Callable[[int], None] | None) -> Part:
    try:
        found = await false_pauses.monitors(settings, models.load(settings.models).version, progress)
    except DetectorError as fault:
        return Part("labels", [], [str(fault)])
    if not found:
        return Part("labels", ["no run under this model has ended yet, and none was paused by it"], [])
    faults = [
        f"{each.workflow}: the model pauses {each.rate:.2%} of honest runs, for sure more than {each.budget:.1%}: "
        "calibrate it anew on runs of now, or set the workflow's mode to alert"
        for each in found
        if each.alarm
    ]
    return Part("labels", [], faults, (statement.false_pauses(found),))


def _manifests(settings: Settings) -> list[str]:
    found = manifests.load(settings.manifests)
    return [f"{workflow}: on_leave {_answers(each.on_leave)}" for workflow, each in sorted(found.items())]


def _answers(on_leave: Mapping[manifests.Leaving, manifests.Answer]) -> str:
    return ", ".join(f"{kind} {answer}" for kind, answer in sorted(on_leave.items())) or "nothing"


async def _kafka(settings: Settings) -> Part:
    try:
        found = await topics.find(settings)
    except DetectorError as fault:
        return Part("kafka", [], [str(fault)])
    lines = [f"reached at {settings.bootstrap}"]
    for topic in topics.wanted(settings):
        if there := found.get(topic.name):
            policy = there.configs.get(POLICY, "cleanup policy unknown")
            lines.append(f"{topic.name}: {there.partitions} partitions, {policy}; {topic.what}")
    return Part("kafka", lines, topics.faults(settings, found))


def _guarded(name: str, look: Callable[[], list[str]]) -> Part:
    try:
        return Part(name, look(), [])
    except ConfigError as fault:
        return Part(name, [], fault.faults)
    except DetectorError as fault:
        return Part(name, [], [str(fault)])
