"""Names from outside: printable, short, without secrets, and the same whenever they come."""

from __future__ import annotations

import gc
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.reading import services
from detector.reading.classify import Classifier
from detector.reading.names import clean, tool_name
from detector.records import Resource

TOKEN = "ghp_" + "0aB" * 12


@pytest.mark.parametrize("name", ["svc/run-1", "my-agent", "é", ""])
def test_an_ordinary_name_stays(name: str) -> None:
    """What is short, printable and no secret is taken as it is."""
    assert clean(name) == name


@pytest.mark.parametrize(
    "name", [f"svc/{TOKEN}", f"{'x' * 150} {TOKEN}", f"{'x' * 190}/{TOKEN}", f"{TOKEN} " * 50, "token=abcd1234efgh"]
)
def test_a_secret_in_a_name_does_not_go_on(name: str) -> None:
    """Ids and names of services that hold a token are told apart by a hash."""
    cleaned = clean(name)

    assert TOKEN[:20] not in cleaned
    assert "abcd1234" not in cleaned
    assert cleaned != clean(name + "x")
    assert len(cleaned) <= 200


@given(st.text(max_size=300) | st.text(alphabet="token= passwrdis:/'a1B2~", max_size=260))
def test_a_name_that_was_cleaned_is_clean(name: str) -> None:
    """What was given out as a run's id is the same run when it comes back."""
    cleaned = clean(name)

    assert clean(cleaned) == cleaned
    assert cleaned.isprintable()
    assert len(cleaned) <= 200


def test_a_tools_name_is_short_and_holds_no_secret() -> None:
    """Whatever its length; long ones aren't remembered."""
    for name in (f"call {TOKEN}", f"{'x' * 40} {TOKEN}", "x" * 100_000, TOKEN * 100):
        assert len(tool_name(name)) <= 64
        assert TOKEN[:20] not in tool_name(name)


def test_a_resource_is_not_kept_alive() -> None:
    """What a resource says may be megabytes; only what is read of it is remembered."""
    resource = Resource({"service.name": "a"})
    alive = ref(resource)
    assert services.of(resource) is services.of(resource)
    del resource
    gc.collect()

    assert alive() is None


def test_calls_with_long_names_are_not_remembered() -> None:
    """Neither by the name of the tool nor by the id of the call."""
    classifier = Classifier(b"key", 16_384)
    name = "x" * 5000
    assert classifier.call(name, "{}") is not classifier.call(name, "{}")
    assert classifier.call("x", "{}") is classifier.call("x", "{}")
    assert classifier.short_hash(name) == classifier.hash(name)
    assert classifier._short_hash.cache_info().currsize == 0
