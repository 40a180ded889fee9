"""Differences of alert rules, templates, contact points and the notification policy, by the provisioning API.

Who may edit what afterwards goes by provenance: what is made here can't be edited in Grafana's pages, so that the
next sync takes nobody's work away; with `editable` it can (X-Disable-Provenance), and what could be edited before
stays so. The notification policy is one tree for everybody: its provenance is left as it is, always.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from detector.observe.grafana.api import Grafana, GrafanaError
from detector.observe.grafana.content import PREFIX, Content, Json
from detector.observe.grafana.diff import Change, Deed, masked, same, seen
from detector.observe.grafana.notifications import LABEL
from detector.observe.grafana.parts import FROM_FILE, ours

READ = "alert.provisioning:read"
WRITE = "alert.provisioning:write and alert.provisioning.provenance:write"
_RULES = "alert.rules:read on folders:uid:" + PREFIX
_ADDED = frozenset({"id", "updated", "provenance", "orgID"})
"""What Grafana adds to a rule, and an organisation's number, which the token says."""


def _open(live: Json | None, *, editable: bool) -> bool:
    """Whether X-Disable-Provenance goes with the request: what could be edited stays so."""
    return editable if live is None else live.get("provenance") in {None, "", "none"}


def _obstacle(*lives: Json) -> str:
    return FROM_FILE if any(live.get("provenance") == "file" for live in lives) else ""


# --- rules ------------------------------------------------------------------------------


def rules(grafana: Grafana, content: Content, *, editable: bool) -> Iterator[Change]:
    """The groups in our folder. A rule of somebody else's in one of them is written back as it came."""
    within = content.folder["uid"]
    every = grafana.read(list, "list alert rules", READ, lambda api: api.alertingprovisioning.get_alertrules_all())
    names = sorted({rule["ruleGroup"] for rule in every if rule["folderUID"] == within and ours(rule["uid"])})
    for wanted in content.rule_groups:
        title = wanted["title"]
        live = _group(grafana, within, title)
        write = partial(_put_group, grafana, within, wanted, live, editable=editable)
        if live is None:
            yield Change("rule group", title, "create", None, wanted, write)
            continue
        if not _same_group(wanted, live):
            yield Change(
                *("rule group", title, "change", _shown(wanted, live), _shown(wanted, wanted), write),
                obstacle=_obstacle(*live["rules"]),
            )
    for title in names:
        if title not in {wanted["title"] for wanted in content.rule_groups}:
            live = _group(grafana, within, title) or {"rules": []}
            write = partial(_drop_group, grafana, within, title)
            yield Change("rule group", title, "delete", live, None, write, _obstacle(*live["rules"]))


def _same_group(wanted: Json, live: Json) -> bool:
    return _shown(wanted, live) == _shown(wanted, wanted)


def _shown(wanted: Json, live: Json) -> Json:
    """Interval and our rules by uid, as far as `wanted` speaks of them."""
    known = {rule["uid"]: rule for rule in wanted["rules"]}
    rules = {rule["uid"]: rule for rule in live["rules"] if ours(rule["uid"])}
    return {
        "interval": live.get("interval"),
        "order": list(rules),
        "rules": {uid: _bare(seen(known.get(uid, rule), rule)) for uid, rule in rules.items()},
    }


def _bare(rule: Json) -> Json:
    return {key: value for key, value in rule.items() if key not in _ADDED}


def _group(grafana: Grafana, within: str, title: str) -> Json | None:
    path = quote(title, safe="")
    step = f"read rule group {title!r}"
    found = grafana.find(step, READ, lambda api: api.alertingprovisioning.get_rule_group(within, path))
    return found if found and found.get("rules") else None


def _put_group(grafana: Grafana, within: str, wanted: Json, known: Json | None, *, editable: bool) -> None:
    title = wanted["title"]
    live = _group(grafana, within, title)
    # The API takes a group as a whole and has no version of it.
    if (live is None) != (known is None) or (live and known and live["rules"] != known["rules"]):
        raise _meanwhile(grafana, f"write rule group {title!r}")
    foreign = [rule for rule in (live or {"rules": []})["rules"] if not ours(rule["uid"])]
    own = [rule for rule in (live or {"rules": []})["rules"] if ours(rule["uid"])]
    is_open = all(_open(rule, editable=editable) for rule in own) if own else editable
    body = {**wanted, "rules": [*wanted["rules"], *foreign]}
    _write_group(grafana, within, title, body, is_open=is_open)


def _write_group(grafana: Grafana, within: str, title: str, body: Json, *, is_open: bool) -> None:
    path, needs = quote(title, safe=""), f"{WRITE}, {_RULES}, and datasources:query of the data sources"
    grafana.write(
        f"write rule group {title!r}",
        needs,
        lambda api: api.alertingprovisioning.update_rule_group(within, path, body, disable_provenance=is_open),
    )


def _drop_group(grafana: Grafana, within: str, title: str) -> None:
    live = _group(grafana, within, title)
    if live is None:
        return
    if foreign := [rule for rule in live["rules"] if not ours(rule["uid"])]:
        is_open = all(_open(rule, editable=True) for rule in foreign)
        _write_group(grafana, within, title, {**live, "rules": foreign}, is_open=is_open)
        return
    path = f"/v1/provisioning/folder/{within}/rule-groups/{quote(title, safe='')}"
    grafana.write(f"delete rule group {title!r}", WRITE, lambda api: api.client.DELETE(path))


def _meanwhile(grafana: Grafana, step: str) -> GrafanaError:
    text = "somebody changed it meanwhile; run it again to see the difference as it is now"
    return GrafanaError(f"Grafana at {grafana.url}: {step}: {text}", 412)


# --- templates --------------------------------------------------------------------------


def templates(grafana: Grafana, content: Content, *, editable: bool) -> Iterator[Change]:
    """Message templates; ours by name."""
    every = grafana.read(
        list, "list message templates", READ, lambda api: api.alertingprovisioning.get_templates() or []
    )
    present = {each["name"]: each for each in every if ours(each["name"])}
    for wanted in content.templates:
        name, live = wanted["name"], present.get(wanted["name"])
        write = partial(_put_template, grafana, wanted, live, is_open=_open(live, editable=editable))
        if live is None:
            yield Change("template", name, "create", None, wanted, write)
        elif live["template"].strip() != wanted["template"].strip():
            yield Change("template", name, "change", seen(wanted, live), wanted, write, _obstacle(live))
    for name in sorted(present.keys() - {wanted["name"] for wanted in content.templates}):
        live = present[name]
        yield Change("template", name, "delete", live, None, partial(_drop_template, grafana, name), _obstacle(live))


def _put_template(grafana: Grafana, wanted: Json, live: Json | None, *, is_open: bool) -> None:
    body = {"template": wanted["template"], "version": (live or {}).get("version", "")}
    step, path = f"write template {wanted['name']}", quote(wanted["name"], safe="")
    put = partial(_put, path=path, body=body, is_open=is_open)
    grafana.write(step, WRITE, put)


def _put(api: Any, path: str, body: Json, *, is_open: bool) -> Any:
    return api.alertingprovisioning.create_or_update_template(path, body, disable_provenance=is_open)


def _drop_template(grafana: Grafana, name: str) -> None:
    path = quote(name, safe="")
    grafana.write(f"delete template {name}", WRITE, lambda api: api.alertingprovisioning.delete_template(path))


# --- contact points ---------------------------------------------------------------------


def contact_points(grafana: Grafana, content: Content, *, editable: bool, renew: bool, prune: bool) -> Iterator[Change]:
    """Ways to people; ours by uid. `renew`: writes secrets again, which Grafana does not show. `prune`: deletes those
    that the settings do not name.
    """
    every = grafana.read(
        list, "list contact points", READ, lambda api: api.alertingprovisioning.get_contactpoints() or []
    )
    present = {each["uid"]: each for each in every if ours(each.get("uid"))}
    for wanted in content.contact_points:
        uid, live = wanted["uid"], present.get(wanted["uid"])
        write = partial(_put_point, grafana, wanted, exists=bool(live), is_open=_open(live, editable=editable))
        if live is None:
            yield Change("contact point", uid, "create", None, _masked(wanted), write)
        elif renew or not same(wanted, live):
            before = _masked(seen(wanted, live))
            yield Change("contact point", uid, "change", before, _masked(wanted), write, _obstacle(live))
    for uid in sorted(present.keys() - {wanted["uid"] for wanted in content.contact_points}) if prune else ():
        live = present[uid]
        yield Change("contact point", uid, "delete", None, None, partial(_drop_point, grafana, uid), _obstacle(live))


def _masked(point: Json) -> Json:
    return {**point, "settings": masked(point.get("settings", {}))}


def _put_point(grafana: Grafana, wanted: Json, *, exists: bool, is_open: bool) -> None:
    uid = wanted["uid"]

    def put(api: Any) -> Any:
        points = api.alertingprovisioning
        if exists:
            return points.update_contactpoint(uid, wanted, disable_provenance=is_open)
        return points.create_contactpoint(wanted, disable_provenance=is_open)

    grafana.write(f"write contact point {uid}", WRITE, put)


def _drop_point(grafana: Grafana, uid: str) -> None:
    grafana.write(f"delete contact point {uid}", WRITE, lambda api: api.alertingprovisioning.delete_contactpoint(uid))


# --- the notification policy ------------------------------------------------------------


def policy(grafana: Grafana, content: Content, *, prune: bool) -> Iterator[Change]:
    """Our route in a tree that is somebody else's: at its end where it is new, else where somebody put it.

    `prune`: deletes it where the settings name nobody.
    """
    if not content.policy and not prune:
        return
    tree = _tree(grafana)
    routes = tree.get("routes") or []
    mine = [route for route in routes if _is_ours(route)]
    wanted = content.policy
    if not wanted and not mine:
        return
    if len(mine) == 1 and wanted and same(wanted, mine[0]):
        return
    # More than one: somebody's copy of ours. The first place counts.
    places = [n for n, route in enumerate(routes) if _is_ours(route)]
    kept = [route for route in routes if not _is_ours(route)]
    if wanted:
        kept.insert(places[0] if places else len(kept), wanted)
    deed: Deed = "delete" if not wanted else "change" if mine else "create"
    before = seen(wanted, mine[0]) if mine and wanted else None
    write = partial(_put_tree, grafana, tree, {**tree, "routes": kept})
    yield Change("notification policy", PREFIX, deed, before, wanted or None, write, _obstacle(tree))


def _is_ours(route: Json) -> bool:
    return route.get("receiver") == PREFIX and list(LABEL) in (route.get("object_matchers") or [])


def _tree(grafana: Grafana) -> Json:
    step = "read the notification policy"
    return grafana.read(dict, step, READ, lambda api: api.alertingprovisioning.get_notification_policy_tree())


def _put_tree(grafana: Grafana, known: Json, tree: Json) -> None:
    step = "write the notification policy"
    # The API takes the tree as a whole and has no version of it.
    if _tree(grafana) != known:
        raise _meanwhile(grafana, step)
    is_open = _open(known, editable=True)
    put = partial(_put_policy, tree={key: value for key, value in tree.items() if key != "provenance"}, is_open=is_open)
    grafana.write(step, WRITE, put)


def _put_policy(api: Any, tree: Json, *, is_open: bool) -> Any:
    return api.alertingprovisioning.set_notification_policy_tree(tree, disable_provenance=is_open)
