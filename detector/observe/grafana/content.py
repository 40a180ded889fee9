"""What the detector puts into Grafana, as plain dicts in the shape of Grafana's HTTP API.

Built in code from declarations, the same every time: `detector grafana sync` sends it, `detector grafana
write` makes the files that compose.yaml mounts, and the tests ask every query of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PREFIX = "agent-detector"
"""Begins every uid that is ours: nothing else is touched."""
PROMETHEUS = f"{PREFIX}-prometheus"
POSTGRES = f"{PREFIX}-postgres"
"""Uids of the data sources."""
FOLDER = PREFIX
"""Uid of the folder that holds dashboards and rules."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """All of it. Each dict is the body that Grafana's HTTP API takes, without what the server adds (id, version)."""

    folder: Json
    """`uid` and `title`: CreateFolderCommand."""
    datasources: list[Json]
    """AddDataSourceCommand each."""
    dashboards: list[Json]
    """A dashboard's model each, with `uid`: the field `dashboard` of SaveDashboardCommand."""
    rule_groups: list[Json]
    """AlertRuleGroup each, whose rules are ProvisionedAlertRule."""
    contact_points: list[Json]
    """EmbeddedContactPoint each."""
    policy: Json
    """A Route below the root route; empty: none."""
    templates: list[Json]
    """NotificationTemplateContent each, with `name`."""
    assumed: frozenset[str] = frozenset()
    """Uids of data sources that no setting names: made by default where there is none, otherwise left as they are."""
