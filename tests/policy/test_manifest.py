"""Manifests as files: what is read, and every fault with its file, its key, what was expected and what came."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from detector.behaviours.base import layout
from detector.config import load as settings
from detector.errors import ConfigError
from detector.policy import manifest
from detector.policy.policy import Policy
from detector.read import Reader
from detector.runs.judge import Judge
from detector.training.matrix import blank

WHOLE = """
workflow: order-support
tools: [read_file, "search_*"]
environments: [staging]
writes: [staging, unknown]
principals: [svc-support]
modes: [default]
assets:
  - {name: vol_8f2k, environment: production, backups_inside: true}
  - {name: "orders-*", environment: staging}
on_leave: {environment_left: pause, tool_left: alert}
"""


def write(folder: Path, text: str, name: str = "one.yaml") -> Path:
    """A manifest in `folder`."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_whole_manifest(tmp_path: Path) -> None:
    """Every key is read, and a key that is left out approves everything but writes."""
    found = manifest.load(write(tmp_path, WHOLE))["order-support"]
    assert (found.tools, found.writes) == (("read_file", "search_*"), ("staging", "unknown"))
    assert found.assets[0].backups_inside
    assert found.unknown == "production"
    assert list(manifest.globs({"order-support": found})) == ["orders-*"]

    short = manifest.load(write(tmp_path, "workflow: a", "one.yaml"))["a"]
    assert (short.tools, short.environments, short.principals, short.modes, short.writes) == (
        None,
        None,
        None,
        None,
        (),
    )


def test_one_answer_for_all(tmp_path: Path) -> None:
    """`on_leave: pause` stands for every signal."""
    found = manifest.load(write(tmp_path, "workflow: a\non_leave: pause"))["a"]
    assert set(found.on_leave) == set(get_args(manifest.Leaving))


def test_answers_are_the_signals() -> None:
    """What may be answered is what the behaviour tells, by the same names."""
    own = {name.partition(".")[2] for name in layout().names if name.startswith("posture.")}
    assert own == set(get_args(manifest.Leaving))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workflow: a\nwrites: [prod]", r"one\.yaml: writes\.0: expected 'local'.*came 'prod'"),
        ("workflow: a\nwrite: [test]", r"one\.yaml: write: expected one of workflow, tools, .*, came this key"),
        ("tools: [a]", r"one\.yaml: workflow: expected this key, came none"),
        ("workflow: a\ntools: [yes]", r"one\.yaml: tools\.0: .*came True"),
        ("workflow: a\nunknown: [test]", r"one\.yaml: unknown: expected 'local'.*came \['test'\]"),
        ("workflow: a\non_leave: {tool: pause}", r"one\.yaml: on_leave\.tool: expected 'tool_left'.*came 'tool'"),
        ("workflow: a\non_leave: {tool_left: kill}", r"on_leave\.tool_left: expected 'alert' or 'pause', came 'kill'"),
        ("workflow: a\nassets: [{name: v}]", r"one\.yaml: assets\.0\.environment: expected this key"),
        (
            "workflow: a\nassets: [{name: V, environment: test}, {name: v, environment: test}]",
            r"one\.yaml: assets: expected each asset once, came twice: v",
        ),
        (
            "workflow: a\nwrites: []\nwrites: [test]",
            r"one\.yaml: expected YAML, line 3, column 1: key 'writes' comes twice",
        ),
        ("workflow: [", r"one\.yaml: expected YAML, line"),
        ("- a", r"one\.yaml: expected keys and values, came \['a'\]"),
        ("", r"one\.yaml: expected keys and values, came nothing"),
        ("a: !!python/object:os.system x", r"one\.yaml: expected YAML"),
        ("\x00", r"one\.yaml: expected YAML"),
    ],
)
def test_faults(tmp_path: Path, text: str, said: str) -> None:
    """A fault names the file, the key, what was expected and what came."""
    with pytest.raises(ConfigError, match=said):
        manifest.load(write(tmp_path, text))


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Faults of all files and keys are told together, and a secret among them is not repeated."""
    token = "ghp_" + "a1" * 18
    write(tmp_path, f"workflow: a\nwrites: [{token}]\nunknown: x", "one.yaml")
    write(tmp_path, "workflow: b", "two.yaml")
    write(tmp_path, "workflow: b", "three.yml")
    with pytest.raises(ConfigError) as caught:
        manifest.load(tmp_path)
    assert len(caught.value.faults) == 3
    assert token not in str(caught.value)
    assert "two.yaml: workflow: 'b' has a manifest already, three.yml" in str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    """A folder that isn't there is a fault; none named means none."""
    assert manifest.load(None) == {}
    with pytest.raises(ConfigError, match=r"manifests: expected a folder of workflow manifests, came .*missing"):
        manifest.load(tmp_path / "missing")


def test_settings_name_the_folder(tmp_path: Path) -> None:
    """Policy and reader take the manifests from the folder that the settings name; the version says which."""
    chosen = settings(manifests=write(tmp_path, WHOLE), hash_key="k")
    policy = Policy.from_settings(chosen)
    assert set(policy.manifests) == {"order-support"}
    assert set(Judge(blank(), policy).leaving) == {"order-support"}
    assert policy.version != Policy.from_settings(settings()).version
    assert Reader.from_settings(chosen) is not None

    write(tmp_path, WHOLE.replace("[staging, unknown]", "[staging]"))
    assert Policy.from_settings(chosen).version != policy.version
