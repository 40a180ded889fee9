"""The files that compose.yaml mounts: current, complete, and what Grafana reads from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from detector.config import load
from detector.observe.grafana import content, files
from detector.observe.grafana.content import Content

STACK = Path(__file__).parents[3] / "detector" / "observe" / "stack"


@pytest.fixture(scope="module")
def made() -> Content:
    """All content, under the default settings."""
    return content(load())


def test_the_files_are_current(made: Content) -> None:
    """What stands in the tree is what the declarations make: run `detector grafana write` where it isn't."""
    wanted = files.files(made)
    stale = [
        str(name) for name, text in wanted.items() if not (STACK / name).exists() or (STACK / name).read_text() != text
    ]
    assert stale == []
    folders = [STACK / "grafana" / "dashboards", STACK / "grafana" / "provisioning" / "alerting"]
    there = {path.relative_to(STACK) for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert there <= wanted.keys(), "a file is mounted that nothing makes any more"


def test_writing_twice_changes_nothing(made: Content, tmp_path: Path) -> None:
    """The first time writes every file, the second none."""
    assert set(files.write(made, tmp_path)) == {tmp_path / name for name in files.files(made)}
    assert files.write(made, tmp_path) == []


def test_no_dollar_stands_where_grafana_would_expand_it(made: Content) -> None:
    """In a rule's file Grafana puts its environment in place of `$NAME`, but for queries; the rules are the API's."""
    made_files = files.files(made)
    (group,) = yaml.safe_load(made_files[Path("grafana/provisioning/alerting/rules.yaml")])["groups"]
    (same,) = made.rule_groups
    for rule, wanted in zip(group["rules"], same["rules"], strict=True):
        assert rule == {key: value for key, value in wanted.items() if key in rule}
        assert "$" not in json.dumps({key: value for key, value in rule.items() if key != "data"})
    assert "$" not in made_files[Path("grafana/provisioning/alerting/templates.yaml")]


def test_a_policy_in_a_file_is_a_whole_tree_and_no_secret_stands_in_one() -> None:
    """The root route has no matcher, and what needs a secret is left to `detector grafana sync`."""
    told = content(load(notify_email_to=["ops@example.org"], notify_slack_url="https://hooks.example/s3cret"))
    made = files.files(told)
    (tree,) = yaml.safe_load(made[Path("grafana/provisioning/alerting/policies.yaml")])["policies"]
    (point,) = yaml.safe_load(made[Path("grafana/provisioning/alerting/contact-points.yaml")])["contactPoints"]
    assert tree["receiver"] == point["name"] == tree["routes"][0]["receiver"]
    assert "object_matchers" not in tree
    assert [receiver["type"] for receiver in point["receivers"]] == ["email"]
    assert "s3cret" not in "".join(made.values())


def test_a_dashboard_file_is_the_dashboard(made: Content) -> None:
    """Byte for byte what sync sends, one file a dashboard."""
    for dashboard in made.dashboards:
        name = dashboard["uid"].removeprefix("agent-detector-")
        assert json.loads((STACK / "grafana" / "dashboards" / f"{name}.json").read_text()) == dashboard
