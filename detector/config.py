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
    ssl_keyfile: Path | None = Field(None, description="PEM file of this client's key")
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
    tick_seconds: Annotated[float, Field(gt=0)] = Field(1.0, description="how often the worker looks for due runs")

    # judging
    models: Path = Field(PACKAGED_MODELS, description="folder of models; `current` in it names one")
    mode: Mode = Field("enforce", description="shadow: verdicts only; alert: no pauses; enforce")
    workflow_modes: dict[str, Mode] = Field(default_factory=dict, description="mode by workflow")
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

    # HTTP
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9464
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

    @field_validator("webhook_url")
    @classmethod
    def _webhook_is_http(cls, value: SecretStr) -> SecretStr:
        if (address := value.get_secret_value()) and not _is_http(address):
            raise ValueError("expected an http:// or https:// address with a host; not repeated, it may hold a token")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> Settings:
        if self.security.startswith("sasl") and not (self.sasl_username and self.sasl_password.get_secret_value()):
            raise ValueError("sasl_username and sasl_password: expected both where security is sasl_*")
        if self.webhook_url.get_secret_value() and not self.webhook_key.get_secret_value():
            raise ValueError("webhook_key: expected a key where webhook_url is set, so that bodies can be verified")
        loopback = {"127.0.0.1", "localhost", "::1"}
        if self.receive_host not in loopback and not self.receive_token.get_secret_value():
            raise ValueError(
                f"receive_token: expected a token where receive_host ({self.receive_host}) is not loopback"
            )
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
            context = ssl.create_default_context(cafile=str(self.ssl_cafile) if self.ssl_cafile else None)
            if self.ssl_certfile:
                context.load_cert_chain(str(self.ssl_certfile), str(self.ssl_keyfile) if self.ssl_keyfile else None)
            options["ssl_context"] = context
        if self.security.startswith("sasl"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        return options


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
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
