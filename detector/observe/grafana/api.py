"""Grafana's HTTP API by grafana-client, with faults that say what was expected, what came, and what to do.

GrafanaError (a TransportError)   anything below; `status` is HTTP's, 0 where none came
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException, GrafanaTimeoutError

from detector.config import Settings
from detector.errors import ConfigError, TransportError
from detector.observe.news.story import name as plain

TIMEOUT_SECONDS = 10.0
"""Of one request."""

_SHOWN = 160
"""Characters that are shown of what Grafana, or whoever answered in its place, said."""

Answer = TypeVar("Answer", dict[str, Any], list[Any])
Work = Callable[[Any], Any]


class GrafanaError(TransportError):
    """Grafana could not be reached, or refused."""

    def __init__(self, text: str, status: int = 0) -> None:
        self.status = status
        super().__init__(text)


class Grafana:
    """One Grafana. Every method names the step, and the permission that it needs, for the error that may come."""

    def __init__(self, url: str, token: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self.url = _without_login(url)
        # Without the slash grafana-client would join a path prefix and `api` into one word.
        self._api = GrafanaApi.from_url(self.url + "/", credential=token or None, timeout=timeout)
        self._timeout = timeout

    @classmethod
    def from_settings(cls, settings: Settings) -> Grafana:
        """Raises ConfigError where the token's file can't be read."""
        return cls(settings.grafana_url, token_of(settings))

    def close(self) -> None:
        """Closes the connections."""
        self._api.client.s.close()

    def read(self, kind: type[Answer], step: str, needs: str, work: Work) -> Answer:
        """What Grafana answers. Raises GrafanaError."""
        answer = self._call(step, needs, work)
        if not isinstance(answer, kind):
            raise self._no_api(step, answer)
        return answer

    def find(self, step: str, needs: str, work: Work) -> dict[str, Any] | None:
        """The same of one object; None where there is none. Raises GrafanaError."""
        try:
            return self.read(dict, step, needs, work)
        except GrafanaError as fault:
            if fault.status == 404:
                return None
            raise

    def write(self, step: str, needs: str, work: Work) -> None:
        """Something changes. Raises GrafanaError."""
        answer = self._call(step, needs, work)
        if isinstance(answer, str) and answer.strip():
            raise self._no_api(step, answer)

    def _call(self, step: str, needs: str, work: Work) -> Any:
        try:
            return work(self._api)
        except GrafanaTimeoutError:
            raise self._error(step, f"expected an answer within {self._timeout:g} s, came none") from None
        except GrafanaException as fault:
            raise self._error(step, self._refused(fault, needs), fault.status_code) from None
        except niquests.exceptions.JSONDecodeError as fault:
            # Some of what is accepted (202) is answered without a word.
            if not fault.doc.strip():
                return None
            raise self._no_api(step, fault.doc) from None
        except niquests.exceptions.SSLError as fault:
            raise self._error(
                step, f"expected TLS with a certificate that this system trusts: {_said(fault)}"
            ) from None
        except (niquests.exceptions.RequestException, OSError) as fault:
            text = f"expected a Grafana there (setting grafana_url), came no connection: {_said(fault)}"
            raise self._error(step, text) from None

    def _refused(self, fault: GrafanaException, needs: str) -> str:
        # A service account's token is never in what Grafana says; the rest of it may be of any length.
        body = fault.response
        said = body.get("message") or body.get("error") if isinstance(body, dict) else body
        came = f"came {fault.status_code}" + (f": {plain(str(said), _SHOWN)}" if said else "")
        advice = {
            400: "it takes no such object; is this Grafana older than 11?",
            401: "expected the token of a service account (setting grafana_token, or --token-file); make one under "
            "Administration > Users and access > Service accounts",
            403: f"the token may not do this: give its service account {needs}",
            404: "expected Grafana's API at this address (setting grafana_url); does it live below a path?",
            409: "somebody else has an object of that name, or changed it meanwhile; run it again, or rename theirs",
            412: "somebody changed it meanwhile; run it again to see the difference as it is now",
            429: "it is asked too often; run it again later",
        }.get(fault.status_code, "look into Grafana's own log" if fault.status_code >= 500 else "")
        return f"{came}. {advice}" if advice else came

    def _no_api(self, step: str, answer: object) -> GrafanaError:
        text = plain(str(answer or ""), _SHOWN)
        return self._error(
            step,
            f"expected JSON of Grafana's API, came {text!r}: a login page or a proxy may stand in between. "
            "Set grafana_url to Grafana itself, with its path where it lives below one",
        )

    def _error(self, step: str, text: str, status: int = 0) -> GrafanaError:
        return GrafanaError(f"Grafana at {self.url}: {step}: {text}", status)


def token_of(settings: Settings) -> str:
    """The token, from its file where one is set. Raises ConfigError."""
    path: Path | None = settings.grafana_token_file
    if path is None:
        return settings.grafana_token.get_secret_value()
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or type(fault).__name__
        raise ConfigError([f"grafana_token_file: expected a readable file, came {path}: {reason}"]) from None


def _without_login(url: str) -> str:
    """The address, without a login or a query that would be taken for one."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _said(fault: BaseException) -> str:
    """The innermost reason, e.g. `Connection refused`: what is around it repeats addresses."""
    seen = fault
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    reason = getattr(seen, "strerror", None) or getattr(seen, "verify_message", None)
    return str(reason or type(fault).__name__)
