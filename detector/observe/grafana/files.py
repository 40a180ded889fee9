"""The same content as files: Grafana's provisioning folder, its dashboards, and Prometheus' rule file.

In the files of alerting Grafana reads `$NAME` as a variable of its environment, except in queries: nothing of ours
holds one there. compose.yaml mounts the files as they stand under detector/observe/stack; a test sees to it that
they are current.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from detector.observe.grafana import rules
from detector.observe.grafana.content import POSTGRES, PREFIX, Content, Json

MADE = "# Made by `detector grafana write`; change detector/observe/grafana instead.\n"
DASHBOARDS = "/etc/grafana/dashboards"
"""Where Grafana's container has the folder `dashboards`."""


def files(content: Content) -> dict[Path, str]:
    """Each file's path, below the folder of the stack's configuration, and its text."""
    grafana = Path("grafana")
    provisioning = grafana / "provisioning"
    made = {provisioning / "dashboards" / f"{PREFIX}.yaml": _yaml({"apiVersion": 1, "providers": [_provider(content)]})}
    for dashboard in content.dashboards:
        name = dashboard["uid"].removeprefix(f"{PREFIX}-")
        made[grafana / "dashboards" / f"{name}.json"] = json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"
    if content.datasources:
        plain = {"apiVersion": 1, "datasources": [_source(source) for source in content.datasources]}
        made[provisioning / "datasources" / f"{PREFIX}.yaml"] = _yaml(plain)
    alerting: dict[str, Json] = {
        "rules": {"groups": [_group(group, content) for group in content.rule_groups]},
        "contact-points": {"contactPoints": _contact_points(content)},
        "policies": {"policies": [_tree(content.policy)] if content.policy else []},
        "templates": {"templates": [{"orgId": 1, **template} for template in content.templates]},
    }
    for name, plain in alerting.items():
        if any(plain.values()):
            made[provisioning / "alerting" / f"{name}.yaml"] = _yaml({"apiVersion": 1, **plain})
    made[Path("alerts.yaml")] = _yaml(rules.prometheus_file(_runbooks(content)))
    return made


def write(content: Content, folder: Path) -> list[Path]:
    """Writes them below `folder` and returns the paths of those that were not so before."""
    changed = []
    for name, text in files(content).items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _provider(content: Content) -> Json:
    return {
        "name": PREFIX,
        "type": "file",
        "folder": content.folder["title"],
        "folderUid": content.folder["uid"],
        "allowUiUpdates": False,
        "options": {"path": DASHBOARDS},
    }


def _source(source: Json) -> Json:
    """A password stands in no file: Grafana reads that of the store's reader from its environment; `$$` is a `$`."""
    plain = json.dumps({key: value for key, value in source.items() if key != "secureJsonData"})
    bare = json.loads(plain.replace("$", "$$"))
    return {**bare, "secureJsonData": {"password": "$DETECTOR_READER_PASSWORD"}} if source["uid"] == POSTGRES else bare


def _group(group: Json, content: Content) -> Json:
    taken = ("folderUID", "ruleGroup", "orgID")
    ruled = [{key: value for key, value in rule.items() if key not in taken} for rule in group["rules"]]
    interval = f"{group['interval']}s"
    return {"orgId": 1, "name": group["title"], "folder": content.folder["title"], "interval": interval, "rules": ruled}


def _tree(route: Json) -> Json:
    """A file holds the whole tree: the root, and our route below it."""
    return {"orgId": 1, "receiver": route["receiver"], "group_by": ["grafana_folder", "alertname"], "routes": [route]}


def _contact_points(content: Content) -> list[Json]:
    """Those without a secret: a secret stands in no file of ours, and Grafana expands no variable there."""
    points: dict[str, list[Json]] = {}
    for point in (point for point in content.contact_points if point["type"] == "email"):
        points.setdefault(point["name"], []).append({key: value for key, value in point.items() if key != "name"})
    return [{"orgId": 1, "name": name, "receivers": receivers} for name, receivers in points.items()]


def _runbooks(content: Content) -> str:
    """The address of the runbooks, as the rules have it."""
    address: str = content.rule_groups[0]["rules"][0]["annotations"]["runbook_url"]
    return address.partition("#")[0]


def _yaml(value: Json) -> str:
    return MADE + yaml.safe_dump(value, sort_keys=False, width=120, allow_unicode=True)
