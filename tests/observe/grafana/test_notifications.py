"""Contact points, policy, templates and data sources as the settings make them."""

from __future__ import annotations

import re

from detector.config import load
from detector.observe.grafana import content, files
from detector.observe.grafana.content import PREFIX
from detector.observe.grafana.datasources import datasources
from detector.observe.grafana.notifications import LABEL, contact_points, policy, templates


def test_whom_the_settings_name_is_told_and_nobody_else() -> None:
    """Mail and Slack under one name, which the policy's route names too; without either no route at all."""
    both = load(notify_email_to=["a@example.org", "b@example.org"], notify_slack_url="https://hooks.example/x")
    assert [(point["uid"], point["name"]) for point in contact_points(both)] == [
        (f"{PREFIX}-email", PREFIX),
        (f"{PREFIX}-slack", PREFIX),
    ]
    assert contact_points(both)[0]["settings"]["addresses"] == "a@example.org;b@example.org"
    assert policy(both)["receiver"] == PREFIX
    assert (contact_points(load()), policy(load())) == ([], {})


def test_every_rule_carries_the_label_of_the_policy() -> None:
    """A rule without it would go to whoever takes the rest."""
    label, _, value = LABEL
    rules = [rule for group in content(load()).rule_groups for rule in group["rules"]]
    assert rules
    assert {rule["labels"].get(label) for rule in rules} == {value}


def test_templates_define_what_is_used() -> None:
    """Every template that a contact point or another template names is there, and each block is closed."""
    (made,) = templates()
    text = made["template"]
    settings = load(notify_email_to=["a@example.org"], notify_slack_url="https://hooks.example/x")
    used = set(re.findall(r'template "([^"]+)"', text + str(contact_points(settings))))
    assert used == set(re.findall(r'define "([^"]+)"', text))
    opened = len(re.findall(r"\{\{-? ?(?:if|with|range|define)\b", text))
    assert opened == len(re.findall(r"\{\{-? ?end\b", text)) > 0


def test_data_sources_go_by_the_settings_and_no_password_stands_in_a_file() -> None:
    """Host, user, database and TLS of the address; the password is a secret, and an exemplar leads to a trace."""
    settings = load(
        grafana_store_dsn="postgresql://reader:s3cr%24t@db.example/agents",
        grafana_prometheus_url="http://prom:9090",
        trace_url="https://tempo/{trace}",
    )
    prometheus, postgres = datasources(settings)
    assert prometheus["url"] == "http://prom:9090"
    assert prometheus["jsonData"]["exemplarTraceIdDestinations"][0]["url"] == "https://tempo/${__value.raw}"
    assert (postgres["url"], postgres["user"]) == ("db.example:5432", "reader")
    assert (postgres["jsonData"]["database"], postgres["jsonData"]["sslmode"]) == ("agents", "require")
    assert postgres["secureJsonData"] == {"password": "s3cr$t"}
    written = "".join(files.files(content(settings)).values())
    assert "s3cr" not in written
    assert "https://tempo/$${__value.raw}" in written
