"""Differences of data sources, folder and dashboards: each a `Change` that knows how to write itself.

Ours is what has a uid that begins with PREFIX; nothing else is read beyond lists, or written.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from detector.observe.grafana.api import Grafana
from detector.observe.grafana.content import PREFIX, Content, Json
from detector.observe.grafana.diff import Change, masked, same, seen

FROM_FILE = "it comes from a provisioning file of that Grafana; change it there, see `detector grafana write`"


def ours(uid: object) -> bool:
    """Whether an object of this uid belongs to the detector."""
    return isinstance(uid, str) and (uid == PREFIX or uid.startswith(f"{PREFIX}-"))


# --- data sources -----------------------------------------------------------------------


def datasources(grafana: Grafana, content: Content, *, renew: bool, prune: bool) -> Iterator[Change]:
    """`renew`: writes secrets again, which Grafana does not show. `prune`: deletes those that the content has not."""
    step, kind = "list data sources", "data source"
    listed = grafana.read(list, step, "datasources:read", lambda api: api.datasource.list_datasources())
    present = {each["uid"]: each for each in listed if ours(each.get("uid"))}
    for wanted in content.datasources:
        uid = wanted["uid"]
        if uid not in present:
            write = partial(_add_source, grafana, wanted)
            yield Change(kind, uid, "create", None, masked(wanted, address=True), write)
            continue
        if uid in content.assumed:
            continue
        live = grafana.read(dict, f"read {kind} {uid}", "datasources:read", partial(_source, uid=uid))
        shown = {**wanted, "secureJsonData": dict.fromkeys(wanted.get("secureJsonData", {}), True)}
        found = {**live, "secureJsonData": live.get("secureJsonFields", {})}
        if (renew and wanted.get("secureJsonData")) or not same(shown, found):
            before, after = masked(seen(shown, found), address=True), masked(wanted, address=True)
            write = partial(_set_source, grafana, {**wanted, "version": live.get("version", 0)})
            yield Change(kind, uid, "change", before, after, write, FROM_FILE if live.get("readOnly") else "")
    for uid in sorted(present.keys() - {wanted["uid"] for wanted in content.datasources}) if prune else ():
        yield Change(kind, uid, "delete", present[uid], None, partial(_drop_source, grafana, uid))


def _source(api: Any, uid: str) -> Any:
    return api.datasource.get_datasource_by_uid(uid)


def _add_source(grafana: Grafana, wanted: Json) -> None:
    step = f"create data source {wanted['uid']}"
    grafana.write(step, "datasources:create", lambda api: api.datasource.create_datasource(wanted))


def _set_source(grafana: Grafana, wanted: Json) -> None:
    uid = wanted["uid"]
    step, needs = f"change data source {uid}", f"datasources:write on datasources:uid:{uid}"
    grafana.write(step, needs, lambda api: api.datasource.update_datasource_by_uid(uid, wanted))


def _drop_source(grafana: Grafana, uid: str) -> None:
    step, needs = f"delete data source {uid}", f"datasources:delete on datasources:uid:{uid}"
    grafana.write(step, needs, lambda api: api.datasource.delete_datasource_by_uid(uid))


# --- the folder -------------------------------------------------------------------------


def folder(grafana: Grafana, content: Content) -> Iterator[Change]:
    """The folder that holds dashboards and rules."""
    wanted, uid = content.folder, content.folder["uid"]
    live = grafana.find(
        f"read folder {uid}", f"folders:read on folders:uid:{uid}", lambda api: api.folder.get_folder(uid)
    )
    if live is None:
        yield Change("folder", uid, "create", None, wanted, partial(_add_folder, grafana, wanted))
    elif not same(wanted, live):
        write = partial(_set_folder, grafana, wanted, live.get("version"))
        yield Change("folder", uid, "change", seen(wanted, live), wanted, write)


def _add_folder(grafana: Grafana, wanted: Json) -> None:
    step, needs = f"create folder {wanted['uid']}", "folders:create on folders:uid:general"
    grafana.write(step, needs, lambda api: api.folder.create_folder(wanted["title"], wanted["uid"]))


def _set_folder(grafana: Grafana, wanted: Json, version: int | None) -> None:
    uid = wanted["uid"]
    step, needs = f"change folder {uid}", f"folders:write on folders:uid:{uid}"
    grafana.write(step, needs, lambda api: api.folder.update_folder(uid, wanted["title"], version))


# --- dashboards -------------------------------------------------------------------------


def dashboards(grafana: Grafana, content: Content) -> Iterator[Change]:
    """Each dashboard bears its uid as a tag: by the list of tags those are found that are in the content no more."""
    within = content.folder["uid"]
    wanted = [_tagged(model) for model in content.dashboards]
    for model in wanted:
        uid = model["uid"]
        live = _dashboard(grafana, uid)
        if live is None:
            yield Change("dashboard", uid, "create", None, model, partial(_save, grafana, model, within, None))
            continue
        found, moved = live["dashboard"], {"folder": live["meta"].get("folderUid", "")}
        if not same(model, found) or moved["folder"] != within:
            write = partial(_save, grafana, model, within, found.get("version"))
            before, after = {**seen(model, found), **moved}, {**model, "folder": within}
            yield Change("dashboard", uid, "change", before, after, write, _provisioned(live))
    tags = grafana.read(list, "list tags", "dashboards:read", lambda api: api.dashboard.get_dashboards_tags())
    named = {each["term"] for each in tags if each["term"] != PREFIX and ours(each["term"])}
    for uid in sorted(named - {model["uid"] for model in wanted}):
        live = _dashboard(grafana, uid)
        # Somebody may have put our tag on a copy, or moved what was ours to a place of their own.
        if live is not None and live["meta"].get("folderUid") == within:
            yield Change("dashboard", uid, "delete", live, None, partial(_drop, grafana, uid), _provisioned(live))


def _tagged(model: Json) -> Json:
    tags = model.get("tags", [])
    return model if model["uid"] in tags else {**model, "tags": [*tags, model["uid"]]}


def _provisioned(live: Json) -> str:
    return FROM_FILE if live["meta"].get("provisioned") else ""


def _dashboard(grafana: Grafana, uid: str) -> Json | None:
    needs = f"dashboards:read on dashboards:uid:{uid}"
    return grafana.find(f"read dashboard {uid}", needs, lambda api: api.dashboard.get_dashboard(uid))


def _save(grafana: Grafana, model: Json, within: str, version: int | None) -> None:
    uid = model["uid"]
    deed = (
        f"dashboards:create on folders:uid:{within}" if version is None else f"dashboards:write on dashboards:uid:{uid}"
    )
    # With the version that was looked at, and without `overwrite`: what somebody saves meanwhile is not lost.
    known = {} if version is None else {"version": version}
    body = {
        "dashboard": {**model, **known},
        "folderUid": within,
        "overwrite": False,
        "message": "detector grafana sync",
    }
    grafana.write(f"save dashboard {uid}", deed, lambda api: api.dashboard.update_dashboard(body))


def _drop(grafana: Grafana, uid: str) -> None:
    needs = f"dashboards:delete on dashboards:uid:{uid}"
    grafana.write(f"delete dashboard {uid}", needs, lambda api: api.dashboard.delete_dashboard(uid))
