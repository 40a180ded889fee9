"""One frozen settings object. Reads the environment (`DETECTOR_*`), then `detector.toml`.

Everything that the detector can be told stands here with its unit and its default. Faults
are reported together, and nothing starts while there is one.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from detector.errors import ConfigError

Mode = Literal["shadow", "alert", "enforce"]

_HERE = Path(__file__).resolve().parent


def _run_dir() -> Path:
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "agent-run-detector"
    user = os.getuid()
    return Path("/run/agent-run-detector") if user == 0 else Path(f"/tmp/agent-run-detector-{user}")  # noqa: S108


PACKAGED_MODELS = _HERE / "_models" if (_HERE / "_models").is_dir() else _HERE.parent / "models"
"""The models that came with the code: `_models` in an installed wheel, `models/` in a checkout."""


class Settings(BaseSettings):
    """All settings. Construct with `load()`, which turns faults into one ConfigError."""

    model_config = SettingsConfigDict(
        env_prefix="DETECTOR_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        toml_file="detector.toml",
    )

    # Kafka
    bootstrap: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, host:port, comma-separated")
    group: str = Field("agent-run-detector", description="consumer group; also names the table's changelog")
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    ssl_cafile: Path | None = Field(None, description="PEM file of the authority that signed the broker")
    ssl_certfile: Path | None = Field(None, description="PEM file of this client's certificate")
    ssl_keyfile: Path | None = Field(None, description="PEM file of this client's key, where it isn't in ssl_certfile")
    ssl_keypassword: SecretStr = Field(SecretStr(""), description="of the key, where it is encrypted")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    topic_prefix: str = Field("", description="put before every topic name")
    spans_topic: str = "otlp_spans"
    logs_topic: str = "otlp_logs"
    partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        4, description="partitions of the topics that the detector makes; run log and changelog must agree"
    )
    replication: Annotated[int, Field(ge=1, le=15)] = 1
    run_log_retention_hours: Annotated[int, Field(ge=1)] = Field(
        168, description="how long the run log and the dead letters are kept: as far back as can be replayed"
    )
    audit_retention_days: Annotated[int, Field(ge=6)] = Field(
        90, description="how long verdicts, acks and labels are kept; an enforcer's memory needs 5 days of acks"
    )

    # state
    store: Literal["rocksdb", "memory"] = "rocksdb"
    datadir: Path = Field(Path("detector-data"), description="RocksDB files; one folder a worker")
    max_live_runs: Annotated[int, Field(ge=1)] = Field(
        200_000, description="runs that one worker holds; beyond it the quiet run that was idle longest is finished"
    )
    idle_seconds: Annotated[float, Field(gt=0)] = Field(
        1800.0, description="a run without events for this long is finished and summarised"
    )
    finished_seconds: Annotated[float, Field(gt=0)] = Field(
        300.0, description="the same, once the agent's own span has ended"
    )
    session_seconds: Annotated[float, Field(ge=0.5, le=300)] = Field(
        6.0,
        description="a worker that Kafka did not hear of for this long loses its partitions to another. Kafka's own "
        "group.min.session.timeout.ms must allow it; more than 6 makes a take-over take more than 10 s",
    )
    tick_seconds: Annotated[float, Field(gt=0)] = Field(1.0, description="how often the worker looks for due runs")

    # judging
    models: Path = Field(PACKAGED_MODELS, description="folder of models; `current` in it names one")
    mode: Mode = Field("enforce", description="shadow: verdicts only; alert: no pauses; enforce")
    workflow_modes: dict[str, Mode] = Field(default_factory=dict, description="mode by workflow")
    manifests: Path | None = Field(
        None, description="folder of workflow manifests, `<workflow>.yaml`; not set: none. Read when the worker starts"
    )
    shadow_share: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.01,
        description="share of runs, by a hash of their id, that the model alone does not stop: it alerts, and their "
        "end says what its pauses cost. Rules stop them all the same. Only where hash_key is set; 0: none",
    )
    brake_stops: Annotated[int, Field(ge=0, le=1_000)] = Field(
        20,
        description="runs that the model may stop in brake_window_seconds, in each partition of the run log; beyond "
        "that it only alerts, with the cause `brake`. Rules, manifests and people are not braked; 0: no brake",
    )
    brake_window_seconds: Annotated[float, Field(gt=0)] = Field(
        600.0, description="the time that brake_stops is counted over, by when the records of the run log were written"
    )
    pause_deadline_seconds: Annotated[float, Field(ge=0)] = Field(
        86_400.0, description="a pause that nobody decides ends after this; 0: never"
    )
    pause_deadline_action: Literal["kill", "resume"] = "kill"

    # secrets of the detector itself
    hash_key: SecretStr = Field(SecretStr(""), description="keys the hashes in the run log; the same for every worker")
    signing_key: SecretStr = Field(SecretStr(""), description="signs commands, acks and labels (HMAC-SHA256)")

    # limits of what is read
    max_record_bytes: Annotated[int, Field(ge=1024)] = Field(
        32 * 1024 * 1024, description="a larger record is rejected unread"
    )
    max_text_chars: Annotated[int, Field(ge=256)] = Field(
        16_384, description="characters of one argument or result that are matched"
    )

    # what calls do
    lexicon_file: Path | None = Field(
        None,
        description="YAML, JSON or TOML: commands, patterns, places and assets of your own beside the packaged ones",
    )

    # HTTP
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9464
    enforcer_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="where `detector enforce` serves the same, on metrics_host; not set: nowhere"
    )
    receive_host: str = "127.0.0.1"
    receive_port: Annotated[int, Field(ge=0, le=65_535)] = 4318
    receive_token: SecretStr = Field(SecretStr(""), description="bearer token; needed beyond loopback")

    # enforcers
    webhook_url: SecretStr = Field(
        SecretStr(""),
        description="where `detector enforce` posts commands; empty: nowhere. Set it on one host: each host that "
        "has it posts every command, with the same delivery id. Secret, for an address may hold a token",
    )
    webhook_key: SecretStr = Field(SecretStr(""), description="signs webhook bodies (HMAC-SHA256)")
    # news for people (docs/notify.md)
    notify_level: Literal["ALERT", "PAUSE", "KILL"] = Field(
        "PAUSE", description="`detector notify` tells of verdicts of this level and above, and of what ended them"
    )
    notify_webhook_url: SecretStr = Field(SecretStr(""), description="where it posts stories as JSON, signed")
    notify_webhook_key: SecretStr = Field(SecretStr(""), description="signs their bodies (HMAC-SHA256)")
    notify_slack_url: SecretStr = Field(SecretStr(""), description="Slack's incoming webhook; its address is a secret")
    notify_smtp_url: SecretStr = Field(
        SecretStr(""),
        description="smtp://[USER:PASSWORD@]HOST[:PORT] (STARTTLS, demanded beyond loopback) or smtps://...",
    )
    notify_email_from: str = Field("", description="sender of its mail, e.g. detector@example.org")
    notify_email_to: list[str] = Field(default_factory=list, description='receivers of its mail, as JSON: ["a@b.org"]')
    notify_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="where `detector notify` serves /metrics and probes, on metrics_host; not set: nowhere"
    )
    annotate_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="the same of `detector grafana annotate`"
    )
    trace_url: str = Field(
        "", description="where a trace is shown, with `{trace}` in place of its id, e.g. https://tempo/trace/{trace}"
    )

    runbook_url: str = Field(
        "docs/runbooks.md", description="where docs/runbooks.md is shown to people: alerts lead to its sections"
    )

    # Grafana: what `detector grafana` reads
    grafana_url: str = Field("http://127.0.0.1:3000", description="its address for `detector grafana`")
    grafana_public_url: str = Field("", description="its address in links, as people reach it; not set: grafana_url")
    grafana_token: SecretStr = Field(SecretStr(""), description="of a service account")
    grafana_token_file: Path | None = Field(None, description="file that holds it, in place of grafana_token")
    grafana_prometheus_url: str = Field(
        "http://prometheus:9090", description="Prometheus as Grafana reaches it, for the data source"
    )
    grafana_store_dsn: SecretStr = Field(
        SecretStr("postgresql://grafana@postgres:5432/runs?sslmode=disable"),
        description="the store's PostgreSQL as Grafana reaches it, with a user that may only read",
    )

    # rows for dashboards (docs/store.md)
    store_dsn: SecretStr = Field(
        SecretStr(""), description="PostgreSQL of `detector store`: postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    )
    store_retention_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        0, description="it deletes runs that nothing was heard of for so long; 0: never"
    )
    store_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="where it serves /metrics and probes, on metrics_host; not set: nowhere"
    )

    run_dir: Path = Field(
        default_factory=_run_dir, description="where `detector run` registers its runs; private to one user"
    )
    cgroup_root: Path | None = Field(None, description="a writable cgroup v2 folder; found by itself where not set")

    # logs
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @field_validator("bootstrap")
    @classmethod
    def _bootstrap_has_ports(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"expected host:port, comma-separated, came {server.strip()!r}")
        return value

    @field_validator("grafana_url", "grafana_public_url", "grafana_prometheus_url", "trace_url")
    @classmethod
    def _address_is_http(cls, value: str) -> str:
        if value and not _is_http(value):
            came = "not repeated, it may hold a login" if "@" in value else f"came {value!r}"
            raise ValueError(f"expected an http:// or https:// address with a host, {came}")
        return value

    @field_validator("grafana_url", "grafana_public_url", "trace_url")
    @classmethod
    def _link_has_no_login(cls, value: str) -> str:
        # These stand in every message and on every dashboard.
        if "@" in urlsplit(value).netloc:
            raise ValueError("expected an address without a login, for it stands in links; not repeated")
        return value

    @field_validator("grafana_store_dsn")
    @classmethod
    def _store_is_postgres(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if not _has_host(address, {"postgresql", "postgres"}) or "@" in urlsplit(address).path:
            raise ValueError(
                "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE; not repeated, it may hold a password"
            )
        return value

    @field_validator("notify_smtp_url")
    @classmethod
    def _smtp_is_smtp(cls, value: SecretStr) -> SecretStr:
        if (address := value.get_secret_value()) and not _has_host(address, {"smtp", "smtps"}):
            raise ValueError("expected smtp://HOST or smtps://HOST; not repeated, it may hold a password")
        return value

    @field_validator("webhook_url", "notify_webhook_url", "notify_slack_url")
    @classmethod
    def _webhook_is_http(cls, value: SecretStr) -> SecretStr:
        if (address := value.get_secret_value()) and not _is_http(address):
            raise ValueError("expected an http:// or https:// address with a host; not repeated, it may hold a token")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> Settings:
        said = self._security_faults()
        if self.webhook_url.get_secret_value() and not self.webhook_key.get_secret_value():
            said.append("webhook_key: expected a key where webhook_url is set, so that bodies can be verified")
        if self.notify_webhook_url.get_secret_value() and not self.notify_webhook_key.get_secret_value():
            said.append("notify_webhook_key: expected a key where notify_webhook_url is set")
        if self.notify_smtp_url.get_secret_value() and not (self.notify_email_from and self.notify_email_to):
            said.append("notify_email_from and notify_email_to: expected both where notify_smtp_url is set")
        loopback = {"127.0.0.1", "localhost", "::1"}
        if self.receive_host not in loopback and not self.receive_token.get_secret_value():
            said.append(f"receive_token: expected a token where receive_host ({self.receive_host}) is not loopback")
        if said:
            raise ValueError("; ".join(said))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then detector.toml."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def topic(self, name: str) -> str:
        """The full name of one of the detector's own topics, e.g. `agent-commands`."""
        return self.topic_prefix + name

    def mode_of(self, workflow: str) -> Mode:
        """What the detector may do to runs of `workflow`."""
        return self.workflow_modes.get(workflow, self.mode)

    def aiokafka_security(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client: protocol, TLS, SASL."""
        options: dict[str, Any] = {"security_protocol": self.security.upper()}
        if self.security.endswith("ssl"):
            options["ssl_context"] = self._tls()
        if self.security.startswith("sasl"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        return options

    def _security_faults(self) -> list[str]:
        """What of `security`, ssl_* and sasl_* doesn't fit together, or can't be read."""
        said = []
        login, secret = bool(self.sasl_username), bool(self.sasl_password.get_secret_value())
        if self.security.startswith("sasl") and not (login and secret):
            said.append("sasl_username and sasl_password: expected both where security is sasl_*")
        if not self.security.startswith("sasl") and (login or secret):
            said.append(f"security: expected sasl_ssl or sasl_plaintext where a login is set, came {self.security}")
        if self.ssl_keyfile and not self.ssl_certfile:
            said.append("ssl_certfile: expected the certificate where ssl_keyfile is set")
        if self.security.endswith("ssl"):
            try:
                self._tls()
            except ValueError as fault:
                said.append(str(fault))
        elif self.ssl_cafile or self.ssl_certfile:
            # Whoever names certificates must not get a connection that is open to all.
            said.append(f"security: expected ssl or sasl_ssl where ssl_* is set, came {self.security}")
        return said

    def _tls(self) -> ssl.SSLContext:
        """Raises ValueError that names the file which can't be used."""
        what = f"ssl_cafile: expected a PEM file of certificates, came {self.ssl_cafile}"
        try:
            context = ssl.create_default_context(cafile=str(self.ssl_cafile) if self.ssl_cafile else None)
            if self.ssl_certfile:
                what = (
                    "ssl_certfile, ssl_keyfile, ssl_keypassword: expected a certificate and its key in PEM, and the "
                    f"password of an encrypted key, came {self.ssl_certfile} and {self.ssl_keyfile or 'no other file'}"
                )
                # A password, even an empty one: without any OpenSSL asks for one at the terminal.
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile, self.ssl_keypassword.get_secret_value)
        except OSError as fault:
            reason = getattr(fault, "reason", None) or fault.strerror or "not readable"
            raise ValueError(f"{what}: {str(reason).lower().replace('_', ' ')}") from None
        return context


def load(**overrides: Any) -> Settings:
    """The settings from `overrides`, the environment and detector.toml, in this order.

    Raises ConfigError that names every fault, with the setting, what was expected and what came.
    """
    try:
        return Settings(**overrides)
    except ValidationError as fault:
        raise ConfigError([_in_words(error) for error in fault.errors()]) from None


def _in_words(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    # A secret's text must not come back in the error that rejects it; under an unknown name it may be one as well.
    known = Settings.model_fields.get(str(error["loc"][0])) if error["loc"] else None
    secret = known is None or known.annotation is SecretStr
    came = "" if secret or error["type"] == "value_error" else f", came {error['input']!r}"
    return f"{name}: {message}{came}" if name else message


def _is_http(address: str) -> bool:
    return _has_host(address, {"http", "https"})


def _has_host(address: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)
