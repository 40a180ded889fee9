"""The exception tree."""

from __future__ import annotations

import inspect

import pytest

from detector import errors


@pytest.mark.parametrize(
    "kind", [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
)
def test_every_error_is_in_the_tree_that_the_module_draws(kind: type[Exception]) -> None:
    """The drawing names every class, and all but Drop share one root."""
    assert errors.__doc__
    assert kind.__name__ in errors.__doc__
    assert issubclass(kind, errors.DetectorError) is (kind is not errors.Drop)


def test_a_config_error_holds_every_fault() -> None:
    """All faults are in its list and in its text."""
    fault = errors.ConfigError(["a: expected 1, came 2", "b: expected 3, came 4"])
    assert fault.faults == ["a: expected 1, came 2", "b: expected 3, came 4"]
    assert str(fault) == "settings: a: expected 1, came 2; b: expected 3, came 4"


def test_a_drop_keeps_its_reason_apart_from_the_detail() -> None:
    """The reason is what is counted; the detail is for people only."""
    drop = errors.Drop("truncated", "at byte 17")
    assert (drop.reason, drop.detail, str(drop)) == ("truncated", "at byte 17", "truncated: at byte 17")
    assert str(errors.Drop("truncated")) == "truncated"
