"""docs/operations.md and docs/faust.md speak of what exists: metrics, commands, options, settings, alert queries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.main import get_command

from detector.cli import app
from detector.config import Settings, load
from detector.control.enforce import Enforcement
from detector.control.status import Status
from detector.kafka.wanted import changelog, wanted
from detector.observe.metrics import Metrics
from tests.integration.server import ROOT

TEXT = (ROOT / "docs" / "operations.md").read_text()


def samples() -> set[str]:
    """The name of every sample of a worker and of an enforcer, whatever its labels."""
    registries = [CollectorRegistry(), Status(Enforcement(load(), [])).registry]
    Metrics(registries[0])
    names = set()
    for registry in registries:
        for family in registry.collect():
            more = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_count", "_sum"),
            }.get(family.type, ("",))
            names |= {family.name + suffix for suffix in more}
    return names


def test_every_metric_exists() -> None:
    """Each name that begins with `detector_` is a sample of a worker or an enforcer, suffix included."""
    named = set(re.findall(r"\bdetector_[a-z_]+", TEXT))
    assert len(named) >= 12
    assert named - samples() == set()


def test_every_command_exists() -> None:
    """Each `detector WORD` in code is a command or a group, with the options that are shown."""
    group = get_command(app)
    known = {name: command for name, command in group.commands.items()}  # type: ignore[attr-defined]  # noqa: C416
    named = [words.split() for words in re.findall(r"`detector ([^`]+)`", TEXT)]
    assert len(named) > 15
    for name, *rest in named:
        assert name in known, f"detector {name}"
        command = known[name]
        for word in rest:
            if hasattr(command, "commands") and not word.startswith("-"):
                assert word in command.commands, f"detector {name} {word}"
                command = command.commands[word]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, f"detector {name} {rest}"


def test_every_setting_exists() -> None:
    """Each DETECTOR_* is a setting's environment variable, and each default in parentheses is its default."""
    named = set(re.findall(r"\bDETECTOR_([A-Z_]+)", TEXT))
    assert len(named) > 15
    assert {name.lower() for name in named} <= set(Settings.model_fields)
    defaults = re.findall(r"`DETECTOR_([A-Z_]+)` \(([\d,]+)\)", TEXT)
    assert len(defaults) >= 5
    for name, value in defaults:
        assert Settings.model_fields[name.lower()].default == int(value.replace(",", "")), name


def test_every_topic_exists() -> None:
    """The table of topics names all of the detector's own, and no other."""
    table = TEXT.split("| topic | cleanup | kept | why |")[1].split("\n\n")[0]
    named = set(re.findall(r"`((?:agent-|otlp_)[\w-]+)`", table))
    assert named == {topic.name for topic in wanted(load()) if topic.ours}
    assert changelog(load()) in named


@pytest.mark.parametrize("name", sorted({line for line in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in line}))
def test_every_link_leads_somewhere(name: str) -> None:
    """Documents that are linked are there."""
    assert (ROOT / "docs" / name).is_file()


def test_the_deployment_is_valid_and_its_settings_can_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The example is YAML with the probes that exist, and a worker would take its environment."""
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    deployment = yaml.safe_load(block)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    monkeypatch.chdir(tmp_path)
    for each in container["env"]:
        monkeypatch.setenv(each["name"], each["value"])
    settings = load()
    assert container["ports"] == [{"name": "metrics", "containerPort": settings.metrics_port}]
    probes = {name: probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")}
    assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert deployment["spec"]["replicas"] <= settings.partitions
    assert pod["terminationGracePeriodSeconds"] > 5
