"""`detector grafana`: what a person sees, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector import cli
from detector.config import Settings
from tests.observe.grafana.standin import TOKEN, Standin, serving

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A Grafana that nobody has used yet; at the end every request was valid."""
    with serving() as (standin, url):
        standin.url = url
        yield standin
        assert standin.faults == []


@pytest.fixture
def call(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `detector grafana` in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DETECTOR_{name.upper()}", raising=False)
    monkeypatch.setenv("DETECTOR_GRAFANA_URL", standin.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["detector", "grafana", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_a_dry_run_a_run_and_another_one(standin: Standin, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference, the same written, nothing more to do."""
    monkeypatch.setenv("DETECTOR_GRAFANA_TOKEN", TOKEN)
    code, out, _ = call("sync", "--dry-run")
    assert (code, standin.writes) == (0, [])
    assert out.startswith("+ create ")
    assert out.endswith(" (dry run: nothing is written)\n")
    assert call("sync")[0] == 0
    written = len(standin.writes)
    assert call("sync")[1] == f"{standin.url}: nothing to do\n"
    assert len(standin.writes) == written > 0


def test_what_the_settings_made_is_deleted_on_demand(
    standin: Standin, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shell that lacks a setting nothing is undone; `--prune` says that it is meant."""
    monkeypatch.setenv("DETECTOR_GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("DETECTOR_NOTIFY_EMAIL_TO", '["ops@example.org"]')
    assert call("sync")[0] == 0
    monkeypatch.delenv("DETECTOR_NOTIFY_EMAIL_TO")
    assert call("sync")[1] == f"{standin.url}: nothing to do\n"
    assert call("sync", "--prune")[1].endswith(f"{standin.url}: 2 to delete\n")
    assert not standin.points


def test_the_token_of_the_command_line_wins(
    standin: Standin, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--token over --token-file over the environment; without any the error says what to do."""
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("DETECTOR_GRAFANA_TOKEN", "glsa_wrong")
    only = ("sync", "--dry-run", "--skip", "dashboards", "--skip", "rules")
    assert call(*only)[0] == 1
    assert call(*only, "--token-file", "token")[0] == 0
    (tmp_path / "token").write_text("glsa_wrong")
    assert call(*only, "--token-file", "token", "--token", TOKEN)[0] == 0
    code, out, err = call(*only)
    assert (code, out) == (1, "")
    assert err.startswith(f"detector: Grafana at {standin.url}: list data sources: came 401")
    assert "Service accounts" in err


def test_an_address_that_is_none_is_a_fault_of_the_settings(call: Call) -> None:
    """Before anything is asked."""
    code, _, err = call("sync", "--url", "grafana:3000")
    assert code == 1
    assert "grafana_url: expected an http:// or https:// address" in err


def test_files_are_written_once(call: Call, tmp_path: Path) -> None:
    """The paths of what changed, and nothing the second time."""
    code, out, _ = call("write", "made")
    assert code == 0
    assert (tmp_path / "made" / "grafana" / "dashboards" / "run.json").exists()
    assert "made/grafana/provisioning/alerting/rules.yaml" in out.splitlines()
    assert call("write", "made") == (0, "", "")
