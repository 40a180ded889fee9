"""A stand-in for Grafana: an HTTP server that keeps what it is sent, and checks every request by the contract.

What it does where the contract is silent is Grafana's behaviour: versions that must be the stored ones (412, 409),
names that are taken (409), objects of files that can't be changed, secrets that are not given back, fields that a
server adds. `writes` lists what changed something, `faults` what left the contract.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.observe.grafana.contract import Call, Contract

TOKEN = "glsa_made_up"
REDACTED = "[REDACTED]"
Json = dict[str, Any]
Answer = tuple[int, Any]


class Standin:
    """One organisation's objects, by kind and uid."""

    def __init__(self) -> None:
        self.contract = Contract()
        self.faults: list[str] = []
        self.writes: list[str] = []
        self.refused: dict[str, int] = {}
        """Status by operation: what this token may not, or what goes wrong."""
        self.turned_away = 0
        self.url = ""
        self.page = ""
        """In place of every answer, as a proxy's login page."""
        self.silent = threading.Event()
        """While set, nothing is answered."""
        self.sources: dict[str, Json] = {}
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.groups: dict[tuple[str, str], Json] = {}
        self.templates: dict[str, Json] = {}
        self.points: dict[str, Json] = {}
        self.tree: Json = {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}
        self.annotations: list[Json] = []
        self._number = 0

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> Answer:
        """The answer to one request; answers are held to the contract as well."""
        call, faults = self.contract.read(method, target, headers, raw)
        self.faults += faults
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if call is None:
            return 404, {"message": "Not found"}
        if call.operation in self.refused:
            self.turned_away += 1
            return self.refused[call.operation], {"message": "made to fail"}
        named = re.sub("(?<=[a-z])(?=[A-Z])", "_", call.operation).lower()
        status, body = getattr(self, f"_{named}")(call)
        if method != "GET" and status < 400:
            self.writes.append(f"{method} {target}")
        if status < 400:
            self.faults += self.contract.answer(call.operation, status, body)
        return status, body

    def next(self) -> int:
        """A number that was not given before."""
        self._number += 1
        return self._number

    # --- data sources ---

    def _get_data_sources(self, _: Call) -> Answer:
        keys = ("id", "uid", "name", "type", "url", "access", "isDefault", "readOnly", "jsonData")
        return 200, [{key: each[key] for key in keys if key in each} for each in self.sources.values()]

    def _add_data_source(self, call: Call) -> Answer:
        body = call.body
        if any(body["name"] == each["name"] or body["uid"] == each["uid"] for each in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        stored = {**body, "id": self.next(), "orgId": 1, "version": 1, "readOnly": False}
        stored["secureJsonFields"] = dict.fromkeys(stored.pop("secureJsonData", {}), True)
        self.sources[body["uid"]] = stored
        return 200, {"datasource": stored, "id": stored["id"], "message": "Datasource added", "name": body["name"]}

    def _get_data_source_by_uid(self, call: Call) -> Answer:
        return _found(self.sources.get(call.path["uid"]))

    def _update_data_source_by_uid(self, call: Call) -> Answer:
        stored = self.sources[call.path["uid"]]
        if stored["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        if call.body.get("version") not in {None, stored["version"]}:
            return 409, {"message": "trying to update old version of datasource"}
        stored.update({key: value for key, value in call.body.items() if key not in {"version", "secureJsonData"}})
        stored["secureJsonFields"] |= dict.fromkeys(call.body.get("secureJsonData", {}), True)
        stored["version"] += 1
        return 200, {"datasource": stored, "id": stored["id"], "message": "updated", "name": stored["name"]}

    def _delete_data_source_by_uid(self, call: Call) -> Answer:
        return _gone(self.sources.pop(call.path["uid"], None), 200, {"message": "Data source deleted"})

    # --- folders and dashboards ---

    def _create_folder(self, call: Call) -> Answer:
        uid = call.body["uid"]
        if uid in self.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        self.folders[uid] = {**call.body, "id": self.next(), "version": 1}
        return 200, self.folders[uid]

    def _get_folder_by_uid(self, call: Call) -> Answer:
        return _found(self.folders.get(call.path["folder_uid"]))

    def _update_folder(self, call: Call) -> Answer:
        stored = self.folders[call.path["folder_uid"]]
        if call.body.get("version") != stored["version"] and not call.body.get("overwrite"):
            return 412, {"message": "the folder has been changed by someone else"}
        stored |= {"title": call.body["title"], "version": stored["version"] + 1}
        return 200, stored

    def _get_dashboard_by_uid(self, call: Call) -> Answer:
        return _found(self.dashboards.get(call.path["uid"]))

    def _get_dashboard_tags(self, _: Call) -> Answer:
        tags = [tag for each in self.dashboards.values() for tag in each["dashboard"].get("tags", [])]
        return 200, [{"term": tag, "count": tags.count(tag)} for tag in sorted(set(tags))]

    def _post_dashboard(self, call: Call) -> Answer:
        model, within = call.body["dashboard"], call.body.get("folderUid", "")
        stored = self.dashboards.get(model["uid"])
        if within and within not in self.folders:
            return 400, {"message": "folder not found"}
        if stored and stored["meta"].get("provisioned"):
            return 400, {"message": "Cannot save provisioned dashboard"}
        if stored and not call.body.get("overwrite") and model.get("version") != stored["dashboard"]["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        version = stored["dashboard"]["version"] + 1 if stored else 1
        kept = {**model, "id": stored["dashboard"]["id"] if stored else self.next(), "version": version}
        self.dashboards[model["uid"]] = {"dashboard": kept, "meta": {"folderUid": within, "version": version}}
        told = {key: kept[key] for key in ("id", "uid", "title", "version")}
        return 200, {**told, "status": "success", "url": f"/d/{model['uid']}"}

    def _delete_dashboard_by_uid(self, call: Call) -> Answer:
        gone = self.dashboards.pop(call.path["uid"], None)
        return _gone(gone, 200, {"message": "deleted", "title": "", "uid": call.path["uid"]})

    # --- alerting ---

    def _get_alert_rules(self, _: Call) -> Answer:
        return 200, [rule for group in self.groups.values() for rule in group["rules"]]

    def _get_alert_rule_group(self, call: Call) -> Answer:
        return _found(self.groups.get((call.path["FolderUID"], call.path["Group"])))

    def _put_alert_rule_group(self, call: Call) -> Answer:
        within, title = call.path["FolderUID"], call.path["Group"]
        if within not in self.folders:
            return 400, {"message": "folder does not exist"}
        known = {rule["uid"]: rule for group in self.groups.values() for rule in group["rules"]}
        provenance = _provenance(call)
        if any(not _allowed(known[rule["uid"]], provenance) for rule in call.body["rules"] if rule["uid"] in known):
            return 403, {"message": "cannot change provenance"}
        for group in self.groups.values():
            group["rules"] = [
                each for each in group["rules"] if each["uid"] not in {r["uid"] for r in call.body["rules"]}
            ]
        added = {"updated": "2026-04-25T14:03:07Z", "provenance": provenance, "orgID": 1}
        rules = [{**rule, "id": self.next(), **added, "ruleGroup": title} for rule in call.body["rules"]]
        self.groups[within, title] = {**call.body, "rules": rules}
        self.groups = {key: group for key, group in self.groups.items() if group["rules"]}
        return 200, self.groups[within, title]

    def _delete_alert_rule_group(self, call: Call) -> Answer:
        return _gone(self.groups.pop((call.path["FolderUID"], call.path["Group"]), None), 204, None)

    def _get_templates(self, _: Call) -> Answer:
        return 200, list(self.templates.values())

    def _put_template(self, call: Call) -> Answer:
        name, stored = call.path["name"], self.templates.get(call.path["name"])
        if stored and not _allowed(stored, _provenance(call)):
            return 403, {"message": "cannot change provenance"}
        if stored and call.body.get("version") != stored["version"]:
            return 409, {"message": "version conflict", "messageId": "alerting.notifications.template.conflict"}
        version = f"v{self.next()}"
        self.templates[name] = {
            "name": name,
            "template": call.body["template"],
            "version": version,
            "provenance": _provenance(call),
        }
        return 202, self.templates[name]

    def _delete_template(self, call: Call) -> Answer:
        return _gone(self.templates.pop(call.path["name"], None), 204, None)

    def _get_contactpoints(self, _: Call) -> Answer:
        return 200, [_redacted(each) for each in self.points.values()]

    def _post_contactpoints(self, call: Call) -> Answer:
        if call.body["uid"] in self.points:
            return 400, {"message": "contact point with this uid exists"}
        self.points[call.body["uid"]] = {**call.body, "provenance": _provenance(call)}
        return 202, _redacted(self.points[call.body["uid"]])

    def _put_contactpoint(self, call: Call) -> Answer:
        if not _allowed(self.points[call.path["UID"]], _provenance(call)):
            return 403, {"message": "cannot change provenance"}
        self.points[call.path["UID"]] = {**call.body, "provenance": _provenance(call)}
        return 202, {"message": "contactpoint updated"}

    def _delete_contactpoints(self, call: Call) -> Answer:
        name = self.points[call.path["UID"]]["name"]
        last = [each["name"] for each in self.points.values()].count(name) == 1
        if last and name in {route["receiver"] for route in self.tree.get("routes", [])}:
            return 409, {"message": "contact point is used by a notification policy"}
        del self.points[call.path["UID"]]
        return 202, None

    def _get_policy_tree(self, _: Call) -> Answer:
        return 200, self.tree

    def _put_policy_tree(self, call: Call) -> Answer:
        if not _allowed(self.tree, _provenance(call)):
            return 403, {"message": "cannot change provenance"}
        known = {each["name"] for each in self.points.values()} | {"grafana-default-email"}
        named = {call.body["receiver"]} | {route["receiver"] for route in call.body.get("routes", [])}
        if unknown := named - known:
            return 400, {"message": f"receiver {sorted(unknown)} does not exist"}
        self.tree = {**call.body} | ({"provenance": _provenance(call)} if _provenance(call) else {})
        return 202, {"message": "policies updated"}

    # --- annotations ---

    def _get_annotations(self, call: Call) -> Answer:
        tags, limit = set(call.query.get("tags", [])), int(call.query.get("limit", ["100"])[0])
        return 200, [each for each in self.annotations if tags <= set(each["tags"])][:limit]

    def _post_annotation(self, call: Call) -> Answer:
        made = {**call.body, "id": self.next()}
        self.annotations.append(made)
        return 200, {"id": made["id"], "message": "Annotation added"}


def _found(stored: Json | None) -> Answer:
    return (404, {"message": "not found"}) if stored is None else (200, stored)


def _gone(stored: Any, status: int, body: Any) -> Answer:
    return (404, {"message": "not found"}) if stored is None else (status, body)


def _provenance(call: Call) -> str:
    return "" if call.headers.get("x-disable-provenance") else "api"


def _allowed(stored: Json, provenance: str) -> bool:
    """None may become any, any other stays what it is."""
    return stored.get("provenance", "") in {"", provenance}


def _redacted(point: Json) -> Json:
    hidden = {"url", "token"} if point["type"] == "slack" else {"password"}
    return {**point, "settings": {k: REDACTED if k in hidden else v for k, v in point["settings"].items()}}


class _Handler(BaseHTTPRequestHandler):
    standin: Standin
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        standin = self.standin
        while standin.silent.is_set():
            time.sleep(0.01)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if standin.page:
            self._send(200, "text/html", standin.page.encode())
            return
        status, body = standin.answer(self.command, self.path, headers, raw)
        self._send(status, "application/json", b"" if body is None else json.dumps(body).encode())

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[tuple[Standin, str]]:
    """A stand-in and its address."""
    standin = Standin()
    handler = type("Handler", (_Handler,), {"standin": standin})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="grafana stand-in")
    thread.start()
    try:
        yield standin, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        standin.silent.clear()
        server.shutdown()
        server.server_close()
        thread.join(10)
