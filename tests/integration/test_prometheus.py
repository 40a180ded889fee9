"""Prometheus, with the stack's own configuration, scrapes a real worker."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.integration.conftest import Worker
from tests.integration.server import ROOT, STACK, Server, free_port, listens

Query = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def query(worker: Worker, prometheus_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Asks a Prometheus that runs with prometheus.yaml of the stack.

    Of that file only the targets differ, and nothing else is added: the addresses of the containers become those on
    loopback, jobs whose server is not there are left out.
    """
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = yaml.safe_load((STACK / "prometheus.yaml").read_text())
    here = {"detector": f"127.0.0.1:{worker.metrics_port}", "prometheus": f"127.0.0.1:{port}"}
    config["scrape_configs"] = [
        {"job_name": job["job_name"], "static_configs": [{"targets": [here[job["job_name"]]]}]}
        for job in config["scrape_configs"]
        if job["job_name"] in here
    ]
    assert len(config["scrape_configs"]) == len(here), "a job of the stack was renamed"
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    where = [f"--config.file={file}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with Server("prometheus", [prometheus_program, *where]) as server:
        server.until(lambda: listens(port))
        yield lambda text: ask(port, text)


def ask(port: int, text: str) -> list[dict[str, Any]]:
    """The result of a query once it has data; empty where it has none after 30 s."""
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with urllib.request.urlopen(address, timeout=5) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        if result:
            return result
        time.sleep(0.5)
    return []


def test_the_worker_is_up_and_ready(query: Query) -> None:
    """Prometheus reaches the worker, and the worker says that it judges."""
    assert query('up{job="detector"} == 1')
    assert query("detector_ready == 1")


def test_the_model_in_use_is_shown(query: Query) -> None:
    """The version of the model is a label."""
    (sample,) = query("detector_model_info == 1")
    assert sample["metric"]["version"]


def test_every_job_of_the_stack_names_a_service() -> None:
    """Each scrape job is a service of compose.yaml."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    jobs = [job["job_name"] for job in yaml.safe_load((STACK / "prometheus.yaml").read_text())["scrape_configs"]]
    assert set(jobs) <= set(services)
