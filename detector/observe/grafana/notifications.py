"""How alerts reach people: contact points, a notification policy, message templates.

Contact points are made of the settings of `detector notify` (docs/notify.md): where they name nobody there is
none, nor a policy, and alerts go where the rest of that Grafana's alerts go. The templates hold no `$`: in a
provisioning file Grafana would put environment variables in its place.
"""

from __future__ import annotations

from detector.config import Settings
from detector.observe.grafana.content import PREFIX, Json

LABEL = ("app", "=", PREFIX)
"""The matcher of the policy: every rule of the detector carries this label."""

TITLE = f'{{{{ template "{PREFIX}.title" . }}}}'
MESSAGE = f'{{{{ template "{PREFIX}.message" . }}}}'

_TEMPLATE = """\
{{ define "PREFIX.title" -}}
{{ if eq .Status "firing" }}[{{ .Alerts.Firing | len }} firing]{{ else }}[over]{{ end }} \
{{ with .CommonAnnotations.title }}{{ . }}{{ else }}The agents' detector{{ end }}
{{- with .CommonLabels.workflow }} ({{ . }}){{ end }}
{{- end }}

{{ define "PREFIX.message" -}}
{{ range .Alerts.Firing }}{{ template "PREFIX.alert" . }}{{ end -}}
{{ if .Alerts.Resolved }}Over:
{{ range .Alerts.Resolved }}- {{ .Annotations.title }}{{ with .Labels.workflow }} ({{ . }}){{ end }}
{{ end }}{{ end -}}
Which runs: `detector runs`. One run's story: `detector show RUN`.
Approve: `detector resume RUN --reason WHY`. Deny: `detector kill RUN --reason WHY`.
{{- end }}

{{ define "PREFIX.alert" -}}
{{ .Annotations.title }}{{ with .Labels.severity }} [{{ . }}]{{ end }}
{{ with .Annotations.summary }}{{ . }}
{{ end -}}
since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}
{{ with .Annotations.runbook_url }}What to do: {{ . }}
{{ end -}}
{{ with .PanelURL }}The panel: {{ . }}
{{ end -}}
{{ with .SilenceURL }}Silence it: {{ . }}
{{ end }}
{{ end }}
"""


def templates() -> list[Json]:
    """Title and message of every alert."""
    return [{"name": PREFIX, "template": _TEMPLATE.replace("PREFIX", PREFIX)}]


def contact_points(settings: Settings) -> list[Json]:
    """One name, a way for each that the settings name."""
    found: list[Json] = []
    if settings.notify_email_to:
        addresses = ";".join(settings.notify_email_to)
        found.append(_way("email", {"addresses": addresses, "subject": TITLE, "message": MESSAGE, "singleEmail": True}))
    if url := settings.notify_slack_url.get_secret_value():
        found.append(_way("slack", {"url": url, "title": TITLE, "text": MESSAGE}))
    return found


def policy(settings: Settings) -> Json:
    """The route of our alerts; empty where there is no contact point of ours."""
    if not contact_points(settings):
        return {}
    return {
        "receiver": PREFIX,
        "object_matchers": [list(LABEL)],
        "group_by": ["alertname", "workflow"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "4h",
    }


def _way(kind: str, settings: Json) -> Json:
    return {
        "uid": f"{PREFIX}-{kind}",
        "name": PREFIX,
        "type": kind,
        "settings": settings,
        "disableResolveMessage": False,
    }
