"""Settings: sources, faults, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from detector.config import PACKAGED_MODELS, Settings, load
from detector.errors import ConfigError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No detector.toml of the machine, and no DETECTOR_* either."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DETECTOR_{name.upper()}", raising=False)


def faults_of(**overrides: Any) -> list[str]:
    """The faults of settings that can't be used."""
    with pytest.raises(ConfigError) as raised:
        load(**overrides)
    return raised.value.faults


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting comes from the first source that has it."""
    (tmp_path / "detector.toml").write_text('group = "file"\nspans_topic = "file"\nlogs_topic = "file"\n')
    monkeypatch.setenv("DETECTOR_GROUP", "environment")
    monkeypatch.setenv("DETECTOR_SPANS_TOPIC", "environment")
    settings = load(group="argument")
    assert (settings.group, settings.spans_topic, settings.logs_topic) == ("argument", "environment", "file")


def test_every_fault_is_reported_at_once() -> None:
    """Three bad settings give three sentences that name setting and value."""
    faults = faults_of(bootstrap="nowhere", partitions=0, mode="maybe")
    assert len(faults) == 3
    assert any("bootstrap" in fault and "nowhere" in fault for fault in faults)
    assert any(fault.startswith("partitions") and "came 0" in fault for fault in faults)
    assert any(fault.startswith("mode") and "came 'maybe'" in fault for fault in faults)


def test_a_setting_that_does_not_exist_is_a_fault() -> None:
    """A typo does not pass in silence."""
    (fault,) = faults_of(bootstrp="127.0.0.1:9092")
    assert fault.startswith("bootstrp")


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"security": "sasl_ssl"}, "sasl_username"),
        ({"sasl_username": "u", "sasl_password": "p"}, "security: expected sasl_ssl or sasl_plaintext"),
        ({"ssl_cafile": "ca.pem"}, "security: expected ssl or sasl_ssl"),
        ({"security": "ssl", "ssl_keyfile": "key.pem"}, "ssl_certfile: expected the certificate"),
        ({"security": "ssl", "ssl_cafile": "none.pem"}, "came none.pem: no such file"),
        ({"webhook_url": "http://127.0.0.1/hook"}, "webhook_key"),
        ({"receive_host": "0.0.0.0"}, "receive_token"),
        ({"webhook_url": "ftp://127.0.0.1/hook"}, "webhook_url"),
        ({"bootstrap": "127.0.0.1:9092,other"}, "bootstrap"),
    ],
)
def test_parts_that_do_not_agree_are_a_fault(overrides: dict[str, Any], named: str) -> None:
    """A setting that asks for another one says which."""
    (fault,) = faults_of(**overrides)
    assert named in fault


def test_no_secret_comes_back_in_a_fault() -> None:
    """A rejected secret is not repeated in the error."""
    faults = faults_of(signing_key=["made-up-secret"], sasl_password=17)
    assert len(faults) == 2
    assert "made-up-secret" not in " ".join(faults)


@pytest.mark.parametrize("url", ["ftp://hooks.example/s3cret", "https:///s3cret", "https://[::1/s3cret", ["s3cret"]])
def test_a_rejected_address_is_not_repeated(url: Any) -> None:
    """A webhook's address may hold a token, so that what is wrong with it is told without it."""
    (fault,) = faults_of(webhook_url=url, webhook_key="k")
    assert fault.startswith("webhook_url: ")
    assert "s3cret" not in fault


@pytest.mark.parametrize("name", ["grafana_url", "grafana_public_url", "trace_url"])
@pytest.mark.parametrize("value", ["https://ada:s3cret@grafana.example/x", "ada:s3cret@grafana.example"])
def test_an_address_in_links_has_no_login(name: str, value: str) -> None:
    """It would stand in every message and on every dashboard; nor does the fault repeat it."""
    (fault,) = faults_of(**{name: value})
    assert fault.startswith(f"{name}: expected an ")
    assert "not repeated" in fault
    assert "s3cret" not in fault
    plain = "https://grafana.example/@ada/{trace}"
    assert getattr(load(**{name: plain}), name) == plain


def test_a_store_address_that_a_password_moved_is_not_taken() -> None:
    """Part of the password would be the name of the database, which Grafana shows."""
    (fault,) = faults_of(grafana_store_dsn="postgresql://grafana:12/s3cret@db:5432/runs")
    assert fault.startswith("grafana_store_dsn: expected")
    assert "s3cret" not in fault


def test_what_stands_under_an_unknown_name_is_not_repeated() -> None:
    """A secret under a misspelled name stays one."""
    (fault,) = faults_of(sasl_pasword="s3cret")
    assert fault.startswith("sasl_pasword: ")
    assert "s3cret" not in fault


def test_no_secret_is_printed_with_the_settings() -> None:
    """The settings as text hide every secret."""
    assert "made-up-secret" not in repr(load(signing_key="made-up-secret", hash_key="made-up-secret"))


def test_settings_can_not_be_changed() -> None:
    """They are frozen once loaded."""
    with pytest.raises(ValidationError, match="frozen"):
        load().group = "other"  # type: ignore[misc]


def test_topics_carry_the_prefix_and_workflows_their_mode() -> None:
    """The prefix goes before the detector's own topics; a workflow without a mode has the default."""
    settings = load(topic_prefix="team-", mode="alert", workflow_modes={"deploy": "enforce"})
    assert settings.topic("agent-commands") == "team-agent-commands"
    assert (settings.mode_of("deploy"), settings.mode_of("chat")) == ("enforce", "alert")


def test_clients_get_protocol_and_credentials() -> None:
    """SASL settings become the keyword arguments of an aiokafka client."""
    options = load(security="sasl_plaintext", sasl_username="u", sasl_password="p").aiokafka_security()
    assert options == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }
    assert load().aiokafka_security() == {"security_protocol": "PLAINTEXT"}


def test_tls_makes_a_context() -> None:
    """An encrypted protocol brings a TLS context that verifies the broker."""
    context = load(security="ssl").aiokafka_security()["ssl_context"]
    assert context.check_hostname


def test_certificates_that_can_not_be_used_are_a_fault_of_the_settings(tmp_path: Path) -> None:
    """A key that belongs to another certificate, or is encrypted under another password, is found before a start."""
    authority = trustme.CA()
    mine, other = authority.issue_cert("me.example.org"), authority.issue_cert("other.example.org")
    files = {name: tmp_path / name for name in ("certificate", "other", "encrypted")}
    mine.cert_chain_pems[0].write_to_path(files["certificate"])
    other.private_key_pem.write_to_path(files["other"])
    key = load_pem_private_key(mine.private_key_pem.bytes(), None)
    files["encrypted"].write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s3cret"))
    )
    given = {"security": "ssl", "ssl_certfile": files["certificate"]}
    (fault,) = faults_of(**given, ssl_keyfile=files["other"])
    assert fault.startswith("ssl_certfile, ssl_keyfile")
    assert str(files["other"]) in fault
    (fault,) = faults_of(**given, ssl_keyfile=files["encrypted"], ssl_keypassword="s3cret?")
    assert "s3cret" not in fault
    assert load(**given, ssl_keyfile=files["encrypted"], ssl_keypassword="s3cret").aiokafka_security()["ssl_context"]


def test_packaged_models_stand_beside_the_package() -> None:
    """In a checkout the models are those at its root."""
    assert PACKAGED_MODELS.is_dir()
    assert PACKAGED_MODELS.name == "models"
