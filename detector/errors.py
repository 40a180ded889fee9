"""Every error that the detector raises on purpose.

    DetectorError
    ├── ConfigError     settings, all their faults at once
    ├── PluginError     a dialect, behaviour or enforcer that breaks its contract
    ├── ModelError      a model file that must not be walked
    ├── TransportError  Kafka or HTTP could not be reached or refused
    │   ├── RefusedError  a broker is there, but takes other settings: TLS, certificate, login
    │   └── GrafanaError  Grafana could not be reached, or refused (observe/grafana/api.py)
    ├── StoreError      PostgreSQL could not be reached, or does not let the store work
    ├── EnforcerError   a run could not be paused, resumed or killed
    ├── DecisionError   a person's decision that a newer command overtook
    └── VersionError    a record or a state that a newer version of the detector wrote

`Drop` stands apart: it is no fault of ours. A stage raises it for input that can't be
used; the caller counts its reason and goes on.
"""

from __future__ import annotations


class DetectorError(Exception):
    """Root of the tree; its text names the step, what was expected and what came."""


class ConfigError(DetectorError):
    """Settings that can't be used. `faults` holds one sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("settings: " + "; ".join(faults))


class PluginError(DetectorError):
    """A plug-in file that lacks what its kind asks for."""


class ModelError(DetectorError):
    """A model directory whose checksum, features or arrays are not what the manifest says."""


class TransportError(DetectorError):
    """Kafka or an HTTP peer that can't be reached, or that refused."""


class RefusedError(TransportError):
    """A broker that is there and does not take these settings: trying again will not help."""


class StoreError(DetectorError):
    """A PostgreSQL that is away, or that does not let the store read or write."""


class EnforcerError(DetectorError):
    """An enforcer that couldn't bring a run into the state that a command asks for."""


class DecisionError(DetectorError):
    """A person's decision that did not take effect, since a newer command than they could see stands."""


class VersionError(DetectorError):
    """Written by a newer worker: it must be left to the newer ones, neither skipped nor overwritten."""

    def __init__(self, what: str, known: int, came: int) -> None:
        self.came = came
        super().__init__(
            f"{what}: expected version {known} at most, came {came}: a newer worker wrote it. Upgrade this one"
        )


class Drop(Exception):  # noqa: N818 - not an error: a counted decision
    """Input that is set aside. `reason` is a low-cardinality label for metrics."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)
