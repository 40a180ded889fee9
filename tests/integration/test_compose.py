"""compose.yaml against the Compose specification: its schema, and Docker's own loader."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.integration.brokers import BUILDER
from tests.integration.server import CACHE, ROOT, needed

HERE = Path(__file__).parent / "compose"
SECRETS = {
    "DETECTOR_HASH_KEY": "a",
    "DETECTOR_SIGNING_KEY": "b",
    "DETECTOR_GRAFANA_PASSWORD": "c",
    "DETECTOR_POSTGRES_PASSWORD": "d",
    "DETECTOR_STORE_PASSWORD": "e",
    "DETECTOR_READER_PASSWORD": "f",
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The specification's schema, out of the Go module that Docker Compose loads files with."""
    go = needed("go", "it fetches the Compose specification")
    subprocess.run([go, "mod", "download"], cwd=HERE, check=True, timeout=600)
    module = ["list", "-m", "-f", "{{.Dir}}", "github.com/compose-spec/compose-go/v2"]
    folder = subprocess.run([go, *module], cwd=HERE, check=True, capture_output=True, text=True, timeout=60).stdout
    loaded: dict[str, Any] = json.loads((Path(folder.strip()) / "schema" / "compose-spec.json").read_bytes())
    return loaded


@pytest.fixture(scope="module")
def loader() -> Path:
    """A program that loads a Compose file as Docker Compose does."""
    program = CACHE / "compose" / "load"
    go = needed("go", "it builds the Compose loader")
    subprocess.run([go, "build", "-o", program, "."], cwd=HERE, check=True, timeout=600)
    return program


def load(loader: Path, file: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What the loader says of a file, with these variables set."""
    return subprocess.run(
        [loader, file], env={"HOME": os.environ["HOME"], **env}, capture_output=True, text=True, check=False, timeout=60
    )


def test_compose_file_is_valid_against_the_schema(schema: dict[str, Any]) -> None:
    """The file as it stands has no fault in the specification's own schema."""
    validator = jsonschema.validators.validator_for(schema)(schema)
    faults = [fault.message for fault in validator.iter_errors(yaml.safe_load((ROOT / "compose.yaml").read_text()))]
    assert faults == []


def test_compose_file_loads_with_its_secrets_set(loader: Path) -> None:
    """Interpolation, references between services, configs and volumes all resolve."""
    loaded = load(loader, ROOT / "compose.yaml", **SECRETS)
    assert loaded.returncode == 0, loaded.stderr


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_compose_file_asks_for_each_secret(loader: Path, secret: str) -> None:
    """Without one of its secrets nothing starts, and the message names it."""
    loaded = load(loader, ROOT / "compose.yaml", **{name: text for name, text in SECRETS.items() if name != secret})
    assert loaded.returncode == 1
    assert f"required variable {secret} is missing" in loaded.stderr


def test_every_port_is_on_loopback_and_every_image_pinned() -> None:
    """No service is published beyond this machine, and no image floats."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    images = [service["image"] for service in services.values()]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_the_tests_run_the_collector_of_the_stack() -> None:
    """The version that the tests build is that of the image, in every part of it."""
    image = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["otel-collector"]["build"]
    manifest = (ROOT / "tests" / "integration" / "collector" / "builder.yaml").read_text()
    (version,) = set(re.findall(r" v(0\.\d+\.\d+)$", manifest, re.MULTILINE))
    assert f"otel/opentelemetry-collector-contrib:{version} " in image["dockerfile_inline"]
    assert BUILDER.endswith(f"@v{version}")


def test_every_service_that_stays_has_a_health_check() -> None:
    """All but the one-shots that make topics and tables say whether they are healthy."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["topics", "store-init"]
