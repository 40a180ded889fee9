"""The detector in Grafana: dashboards, alert rules, and how their news reach people.

Needs the extra `grafana`; a worker runs without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.observe.grafana.content import FOLDER, Content

if TYPE_CHECKING:
    from detector.config import Settings


def content(settings: Settings) -> Content:
    """All that the detector puts into Grafana, from declarations and `settings` alone: the same every time."""
    from detector.observe.grafana import dashboards, notifications, rules
    from detector.observe.grafana.datasources import assumed, datasources

    return Content(
        folder={"uid": FOLDER, "title": "Agent runs"},
        datasources=datasources(settings),
        dashboards=dashboards.all_of_them(settings.trace_url),
        rule_groups=rules.groups(settings.runbook_url),
        contact_points=notifications.contact_points(settings),
        policy=notifications.policy(settings),
        templates=notifications.templates(),
        assumed=assumed(settings),
    )
