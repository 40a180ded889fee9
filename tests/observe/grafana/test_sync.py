"""`detector grafana sync` against a stand-in that is held to Grafana's OpenAPI contract."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from detector.config import load
from detector.errors import ConfigError
from detector.observe.grafana import content, sync
from detector.observe.grafana.api import Grafana, GrafanaError, token_of
from detector.observe.grafana.content import FOLDER, PREFIX, Content
from detector.observe.grafana.diff import masked, seconds, seen
from tests.observe.grafana.standin import TOKEN, Standin, serving

SLACK = "https://hooks.example/s3cret"
WAYS: dict[str, Any] = {"notify_email_to": ["ops@example.org"], "notify_slack_url": SLACK}


@pytest.fixture(scope="module")
def all_of_it() -> Content:
    """All content, with contact points, and data sources where the settings made none."""
    made = content(load(**WAYS))
    named = {"name": "Runs", "type": "prometheus", "access": "proxy", "url": "http://prometheus:9090"}
    extra = {
        **named,
        "uid": f"{PREFIX}-extra",
        "secureJsonData": {"password": "s3cret"},
        "jsonData": {"timeInterval": "5s"},
    }
    return replace(made, datasources=[*made.datasources, extra])


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A Grafana that others use too; at the end every request was valid."""
    with serving() as (standin, url):
        standin.url = url
        _others(standin)
        yield standin
        assert standin.faults == []


@pytest.fixture
def grafana(standin: Standin) -> Iterator[Grafana]:
    """A client of it."""
    client = Grafana(standin.url, TOKEN, timeout=5.0)
    yield client
    client.close()


def _others(standin: Standin) -> None:
    """What belongs to somebody else, some of it close to what is ours."""
    standin.sources["theirs"] = {"id": 1, "uid": "theirs", "name": "Theirs", "type": "loki", "readOnly": False}
    standin.folders["theirs"] = {"uid": "theirs", "title": "Theirs", "version": 3}
    for uid, tags in (("theirs", []), ("their-copy", [f"{PREFIX}-gone"]), ("agent-detector2", ["agent-detector2"])):
        model = {"uid": uid, "id": 7, "title": uid, "version": 4, "tags": tags}
        standin.dashboards[uid] = {"dashboard": model, "meta": {"folderUid": "theirs"}}
    where = {"uid": "their-rule", "title": "Theirs", "folderUID": "theirs", "ruleGroup": "theirs", "orgID": 1}
    rule = {
        **where,
        "condition": "A",
        "data": [],
        "for": "1m",
        "execErrState": "OK",
        "noDataState": "OK",
        "provenance": "",
    }
    standin.groups["theirs", "theirs"] = {"title": "theirs", "folderUid": "theirs", "interval": 60, "rules": [rule]}
    standin.templates["theirs"] = {"name": "theirs", "template": "x", "version": "1", "provenance": ""}
    standin.points["theirs"] = {
        "uid": "theirs",
        "name": "theirs",
        "type": "email",
        "settings": {"addresses": "a@b.org"},
    }
    routes = [
        {"receiver": "theirs", "object_matchers": [["team", "=", "a"]], "mute_time_intervals": ["nights"]},
        {"receiver": "theirs", "object_matchers": [["app", "=", PREFIX]], "continue": True},
    ]
    standin.tree["routes"] = routes


def _theirs(standin: Standin) -> dict[str, Any]:
    kinds = ("sources", "folders", "dashboards", "groups", "templates", "points")
    found: dict[str, Any] = {
        kind: {key: value for key, value in getattr(standin, kind).items() if PREFIX not in str(key) or "2" in str(key)}
        for kind in kinds
    }
    found["tree"] = {**standin.tree, "routes": [r for r in standin.tree["routes"] if r["receiver"] != PREFIX]}
    return copy.deepcopy(found)


def run(grafana: Grafana, wanted: Content, **options: Any) -> str:
    """One sync; what it wrote, in words."""
    changes = sync.plan(grafana, wanted, **options)
    sync.apply(grafana, changes)
    return sync.told(changes)


def test_the_first_run_makes_all_of_it_and_the_second_writes_nothing(
    standin: Standin, grafana: Grafana, all_of_it: Content
) -> None:
    """Every object is there as it was declared; a second run sends no request that writes."""
    before = _theirs(standin)
    run(grafana, all_of_it)
    assert {uid for uid in standin.dashboards if uid.startswith(PREFIX + "-")} == {
        d["uid"] for d in all_of_it.dashboards
    }
    (group,) = all_of_it.rule_groups
    stored = standin.groups[FOLDER, group["title"]]
    assert [rule["uid"] for rule in stored["rules"]] == [rule["uid"] for rule in group["rules"]]
    assert standin.points[f"{PREFIX}-slack"]["settings"]["url"] == SLACK
    assert standin.tree["routes"][-1] == all_of_it.policy
    written = len(standin.writes)
    assert run(grafana, all_of_it) == "nothing to do"
    assert len(standin.writes) == written
    assert _theirs(standin) == before


def test_a_dry_run_writes_nothing_and_shows_no_secret(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """The plan is made by reading alone, and what it prints holds no secret."""
    out = io.StringIO()
    sync.show(sync.plan(grafana, all_of_it), Console(file=out, width=200), full=True)
    assert standin.writes == []
    assert f"+ create dashboard {PREFIX}-run" in out.getvalue()
    run(grafana, all_of_it)
    standin.points[f"{PREFIX}-slack"]["settings"]["title"] = "edited"
    sync.show(sync.plan(grafana, all_of_it, renew=True), Console(file=out, width=200), full=True)
    assert "edited" in out.getvalue()
    assert "s3cret" not in out.getvalue()


def test_what_people_changed_is_shown_and_put_back(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """Each kind; one object's difference is a unified diff."""
    run(grafana, all_of_it)
    (group,) = all_of_it.rule_groups
    first = group["rules"][0]["uid"]
    standin.sources[f"{PREFIX}-extra"]["url"] = "http://elsewhere"
    standin.folders[FOLDER]["title"] = "Renamed"
    standin.dashboards[f"{PREFIX}-run"]["dashboard"]["title"] = "Renamed"
    standin.dashboards[f"{PREFIX}-fleet"]["meta"]["folderUid"] = "theirs"
    standin.groups[FOLDER, group["title"]]["rules"][0]["labels"]["more"] = "1"
    standin.templates[PREFIX]["template"] = "x"
    standin.points[f"{PREFIX}-email"]["settings"]["addresses"] = "c@d.org"
    standin.tree["routes"][-1]["group_wait"] = "5m"
    changes = sync.plan(grafana, all_of_it)
    assert {change.title for change in changes} == {
        f"change data source {PREFIX}-extra",
        f"change folder {FOLDER}",
        f"change dashboard {PREFIX}-run",
        f"change dashboard {PREFIX}-fleet",
        f"change rule group {group['title']}",
        f"change template {PREFIX}",
        f"change contact point {PREFIX}-email",
        f"change notification policy {PREFIX}",
    }
    shown = {change.kind: change.lines() for change in changes}
    assert "-group_wait: 5m" in shown["notification policy"]
    assert "+group_wait: 10s" in shown["notification policy"]
    assert any("more: '1'" in line for line in shown["rule group"]), first
    sync.apply(grafana, changes)
    assert run(grafana, all_of_it) == "nothing to do"


def test_what_a_server_adds_or_writes_otherwise_is_no_difference(
    standin: Standin, grafana: Grafana, all_of_it: Content
) -> None:
    """Defaults, ids, and durations in another form."""
    run(grafana, all_of_it)
    (group,) = all_of_it.rule_groups
    for rule in standin.groups[FOLDER, group["title"]]["rules"]:
        rule["keep_firing_for"] = "0s"
        rule["data"][0]["model"]["extra"] = 1
    standin.tree["routes"][-1] |= {"group_wait": "0m10s", "continue": False}
    standin.dashboards[f"{PREFIX}-run"]["dashboard"] |= {"graphTooltip2": 0}
    written = len(standin.writes)
    assert run(grafana, all_of_it) == "nothing to do"
    assert len(standin.writes) == written


def test_what_is_in_the_content_no_more_is_deleted(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """Ours alone, and the contact point after the policy that named it."""
    before = _theirs(standin)
    old = {"uid": f"{PREFIX}-gone", "title": "Gone", "tags": [f"{PREFIX}-gone"]}
    (group,) = all_of_it.rule_groups
    rules = [{**group["rules"][0], "uid": f"{PREFIX}-gone"}]
    more = replace(
        all_of_it,
        dashboards=[*all_of_it.dashboards, old],
        rule_groups=[group, {"title": "Old/er", "folderUid": FOLDER, "interval": 60, "rules": rules}],
        templates=[*all_of_it.templates, {"name": f"{PREFIX}-gone", "template": "x"}],
    )
    run(grafana, more)
    told = run(grafana, replace(all_of_it, datasources=[], contact_points=[], policy={}), prune=True)
    assert told == f"{6 + len(all_of_it.datasources) - 1 + 1} to delete"
    assert _theirs(standin) == before
    assert f"{PREFIX}-gone" not in standin.dashboards
    assert f"{PREFIX}-email" not in standin.points
    assert (FOLDER, "Old/er") not in standin.groups
    run(grafana, all_of_it)
    assert run(grafana, all_of_it) == "nothing to do"


def test_a_shell_without_the_settings_undoes_nothing(standin: Standin, grafana: Grafana) -> None:
    """Contact points, route and data sources that a sync elsewhere made of settings stay, until they are pruned."""
    set_ = {"grafana_store_dsn": "postgresql://r:p@db/runs", "grafana_prometheus_url": "https://prom.example"}
    run(grafana, content(load(**WAYS, **set_)))
    before = copy.deepcopy((standin.sources, standin.points, standin.tree))
    assert run(grafana, content(load())) == "nothing to do"
    assert run(grafana, content(load(notify_slack_url=SLACK))) == "nothing to do"
    assert (standin.sources, standin.points, standin.tree) == before
    assert run(grafana, content(load()), prune=True) == "3 to delete"
    assert {uid for uid in standin.points if uid.startswith(PREFIX)} == set()


def test_data_sources_go_by_a_setting_that_is_set(standin: Standin, grafana: Grafana) -> None:
    """The first run makes them by default, as compose.yaml has them; a setting changes its own, and no other."""
    run(grafana, content(load()))
    assert standin.sources[f"{PREFIX}-postgres"]["url"] == "postgres:5432"
    standin.sources[f"{PREFIX}-postgres"]["url"] = "theirs:5432"
    assert run(grafana, content(load(grafana_prometheus_url="https://prom.example"))) == "1 to change"
    assert standin.sources[f"{PREFIX}-postgres"]["url"] == "theirs:5432"
    assert standin.sources[f"{PREFIX}-prometheus"]["url"] == "https://prom.example"


def test_a_rule_of_somebody_else_in_our_group_survives(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """The API takes a group as a whole: what is not ours goes back as it came, also where our group goes."""
    run(grafana, all_of_it, editable=True)
    (group,) = all_of_it.rule_groups
    theirs = {**group["rules"][0], "uid": "their-own", "title": "Their own", "provenance": ""}
    standin.groups[FOLDER, group["title"]]["rules"].append(theirs)
    assert run(grafana, all_of_it) == "nothing to do"
    fewer = replace(all_of_it, rule_groups=[{**group, "rules": group["rules"][1:]}])
    assert run(grafana, fewer) == "1 to change"
    assert [r["uid"] for r in standin.groups[FOLDER, group["title"]]["rules"]][-1] == "their-own"
    assert run(grafana, replace(all_of_it, rule_groups=[])) == "1 to delete"
    (left,) = standin.groups[FOLDER, group["title"]]["rules"]
    assert (left["uid"], left["title"]) == ("their-own", "Their own")


def test_our_route_stays_where_somebody_put_it(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """It is added at the end; moved, it is left there, and the others keep their order and every field."""
    theirs = copy.deepcopy(standin.tree["routes"])
    run(grafana, all_of_it)
    assert standin.tree["routes"] == [*theirs, all_of_it.policy]
    standin.tree["routes"] = [{**all_of_it.policy, "group_wait": "1m"}, *theirs, dict(all_of_it.policy)]
    assert run(grafana, all_of_it) == "1 to change"
    assert standin.tree["routes"] == [all_of_it.policy, *theirs]


@pytest.mark.parametrize("provenance", ["", "api"])
def test_who_may_edit_the_tree_stays_as_it_was(
    standin: Standin, grafana: Grafana, all_of_it: Content, provenance: str
) -> None:
    """It is everybody's: a sync must not lock it, and can't unlock it."""
    standin.tree["provenance"] = provenance
    run(grafana, all_of_it)
    assert standin.tree.get("provenance", "") == provenance


@pytest.mark.parametrize(("editable", "provenance"), [(False, "api"), (True, "")])
def test_who_may_edit_what_is_ours_is_chosen_once(
    standin: Standin, grafana: Grafana, all_of_it: Content, provenance: str, *, editable: bool
) -> None:
    """Not in Grafana's pages unless asked for; what could be edited stays so, by whatever later run."""
    run(grafana, all_of_it, editable=editable)
    standin.templates[PREFIX]["template"] = "x"
    standin.points[f"{PREFIX}-email"]["settings"]["addresses"] = "x@y.org"
    (group,) = all_of_it.rule_groups
    standin.groups[FOLDER, group["title"]]["interval"] = 600
    run(grafana, all_of_it)
    ours = [
        standin.templates[PREFIX],
        standin.points[f"{PREFIX}-email"],
        *standin.groups[FOLDER, group["title"]]["rules"],
    ]
    assert {each["provenance"] for each in ours} == {provenance}


def test_what_comes_from_files_stops_it_before_anything_is_written(
    standin: Standin, grafana: Grafana, all_of_it: Content
) -> None:
    """The error names each such object."""
    run(grafana, all_of_it)
    standin.dashboards[f"{PREFIX}-run"]["meta"]["provisioned"] = True
    standin.dashboards[f"{PREFIX}-run"]["dashboard"]["title"] = "Other"
    standin.templates[PREFIX] |= {"provenance": "file", "template": "x"}
    standin.points[f"{PREFIX}-email"]["settings"]["addresses"] = "x@y.org"
    written = len(standin.writes)
    with pytest.raises(
        GrafanaError, match="nothing is written: change dashboard agent-detector-run: it comes from a pro"
    ):
        run(grafana, all_of_it)
    assert len(standin.writes) == written


def test_what_changes_between_look_and_write_is_not_overwritten(
    standin: Standin, grafana: Grafana, all_of_it: Content
) -> None:
    """Dashboard (412), template (409), rule group and policy, which have no version, too."""
    run(grafana, all_of_it)
    (group,) = all_of_it.rule_groups
    stored, run_ = standin.groups[FOLDER, group["title"]], standin.dashboards[f"{PREFIX}-run"]["dashboard"]
    run_["title"] = stored["rules"][0]["title"] = standin.templates[PREFIX]["template"] = "Other"
    standin.tree["routes"][-1]["group_wait"] = "1m"
    changes = {change.kind: change for change in sync.plan(grafana, all_of_it)}
    run_["version"] += 1
    standin.templates[PREFIX]["version"] = "newer"
    stored["rules"] = [*stored["rules"], {**stored["rules"][0], "uid": "their-new"}]
    standin.tree["routes"] = standin.tree["routes"][1:]
    written, said = len(standin.writes), {}
    for kind in ("dashboard", "template", "rule group", "notification policy"):
        with pytest.raises(GrafanaError, match="run it again") as raised:
            changes[kind].write()
        said[kind] = raised.value.status
    assert said == {"dashboard": 412, "template": 409, "rule group": 412, "notification policy": 412}
    assert len(standin.writes) == written


def test_secrets_are_written_again_on_demand(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """Grafana does not show what it has, so a new one is no difference by itself."""
    run(grafana, all_of_it)
    moved = content(load(**{**WAYS, "notify_slack_url": "https://hooks.example/new"}))
    newer = replace(all_of_it, contact_points=moved.contact_points)
    assert run(grafana, newer) == "nothing to do"
    run(grafana, newer, renew=True)
    assert standin.points[f"{PREFIX}-slack"]["settings"]["url"] == "https://hooks.example/new"


def test_kinds_can_be_left_out(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """What is left out is not even read, so its permission is not needed; a kind that does not exist is a fault."""
    standin.refused = {"getDataSources": 403, "GetPolicyTree": 403}
    run(grafana, all_of_it, skip={"datasources", "policy"})
    assert f"{PREFIX}-extra" not in standin.sources
    with pytest.raises(ConfigError, match="--skip: expected any of datasources, folder"):
        sync.plan(grafana, all_of_it, skip={"rule"})


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        ("getDataSources", 401, "list data sources: came 401: made to fail. expected the token of a service account"),
        ("createFolder", 403, "create folder agent-detector: came 403: made to fail. the token may not do this: give "),
        ("PutPolicyTree", 403, "give its service account alert.provisioning:write"),
        ("GetAlertRules", 404, "list alert rules: came 404: made to fail. expected Grafana's API at this address"),
        ("addDataSource", 409, "create data source agent-detector-"),
        ("postDashboard", 412, "came 412: made to fail. somebody changed it meanwhile"),
        ("GetTemplates", 500, "came 500: made to fail. look into Grafana's own log"),
        ("GetContactpoints", 429, "came 429: made to fail. it is asked too often"),
    ],
)
def test_each_refusal_says_where_what_and_what_to_do(
    standin: Standin, grafana: Grafana, all_of_it: Content, operation: str, status: int, said: str
) -> None:
    """Step, status, Grafana's words, advice."""
    standin.refused = {operation: status}
    with pytest.raises(GrafanaError) as raised:
        run(grafana, all_of_it)
    assert f"Grafana at {grafana.url}: " in str(raised.value)
    assert said in str(raised.value)
    assert raised.value.status == status


def test_a_wrong_token_is_said_without_it(standin: Standin, all_of_it: Content) -> None:
    """401, and the token is not repeated."""
    client = Grafana(standin.url, "glsa_other", timeout=5.0)
    with pytest.raises(
        GrafanaError, match=r"came 401: Invalid API key\. expected the token of a service account"
    ) as raised:
        sync.plan(client, all_of_it)
    client.close()
    assert "glsa_other" not in str(raised.value)


def test_a_page_in_place_of_the_api_is_said(standin: Standin, grafana: Grafana, all_of_it: Content) -> None:
    """A login page or a proxy answers 200 with HTML."""
    standin.page = "<!doctype html><title>Sign in</title>"
    with pytest.raises(GrafanaError, match="expected JSON of Grafana's API, came '<!doctype html><title>Sign in"):
        sync.plan(grafana, all_of_it)


def test_a_server_that_is_away_or_silent_is_said(standin: Standin, all_of_it: Content) -> None:
    """Where it was looked for, and how long was waited."""
    standin.silent.set()
    slow = Grafana(standin.url, TOKEN, timeout=0.2)
    with pytest.raises(GrafanaError, match=r"expected an answer within 0\.2 s, came none"):
        sync.plan(slow, all_of_it)
    standin.silent.clear()
    slow.close()
    away = Grafana("http://user:s3cret@127.0.0.1:1/below?x=1", TOKEN, timeout=1.0)
    with pytest.raises(
        GrafanaError, match=r"Grafana at http://127\.0\.0\.1:1/below: list data sources: expected a Gr"
    ) as raised:
        sync.plan(away, all_of_it)
    away.close()
    assert "Connection refused" in str(raised.value)


def test_the_token_comes_from_its_file(tmp_path: Any) -> None:
    """Where one is set; a file that can't be read is a fault of the settings."""
    path = tmp_path / "token"
    path.write_text("glsa_file\n")
    assert token_of(load(grafana_token="glsa_env", grafana_token_file=path)) == "glsa_file"
    with pytest.raises(ConfigError, match="grafana_token_file: expected a readable file"):
        token_of(load(grafana_token_file=tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "length"), [("1h30m", 5400), ("90s", 90), ("0", 0), ("", 0), ("5x", -1), ("250ms", 0.25)]
)
def test_durations_are_compared_by_their_length(text: str, length: float) -> None:
    """Grafana writes them in its own form."""
    assert seconds(text) == length
    assert seen({"for": "1m"}, {"for": "60s", "more": 1}) == {"for": "1m"}


def test_secrets_are_masked_at_any_depth() -> None:
    """A data source's address is none, a contact point's is one."""
    body = {
        "url": "http://a",
        "settings": {"url": "x", "hmacConfig": {"secret": "y"}},
        "secureJsonData": {"password": "z"},
    }
    assert masked(body) == {
        "url": "(secret)",
        "settings": {"url": "(secret)", "hmacConfig": {"secret": "(secret)"}},
        "secureJsonData": {"password": "(secret)"},
    }
    assert masked(body, address=True)["url"] == "http://a"
