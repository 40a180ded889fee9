"""Arguments in every encoding that was met."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.dialects._arguments import parse

LS = {"command": "ls -la"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"command": "ls -la"}', LS),
        (LS, LS),
        ("ls -la", "ls -la"),
        ('{"kwargs": {"command": "ls -la"}}', LS),
        ('{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"command": "ls -la"}}', LS),
        ('{"args": ["x"], "kwargs": {"a": 1}}', {"0": "x", "a": 1}),
        ('{"action": {"command": "ls -la"}}', LS),
        ('{"input_str": "{\'command\': \'ls -la\'}", "tags": [], "metadata": {}}', LS),
        ('{"callId": "c1", "name": "bash", "args": {"command": "ls -la"}}', LS),
        ('"{\\"command\\": \\"ls -la\\"}"', LS),
        ('  {"command": "ls -la"}\n', LS),
        ('{"arguments": {"command": "ls -la"}}', LS),
        ('{"input": "ls -la"}', "ls -la"),
        ("{'command': 'ls -la', 'n': (1, 2)}", {**LS, "n": [1, 2]}),
        ('{"command": "ls -la\\n\\"x\\" and then it was cut', {"command": 'ls -la\n"x" and then it was cut'}),
        ('{"a": 7, "b": tru', {"a": "7"}),
        ('["a", "b"]', {"0": "a", "1": "b"}),
        ("{}", {}),
        ("", ""),
        ("null", "null"),
        (None, None),
        (7, "7"),
        ("{no json", "{no json"),
        ("[" * 10_000, "[" * 10_000),
        ('{"a":' * 5000, '{"a":' * 5000),
        ('"bare"', "bare"),
    ],
)
def test_parse(value: Any, expected: Any) -> None:
    """A mapping where there is one under the wrapping, else the text."""
    assert parse(value) == expected


@given(st.text(max_size=100) | st.text(alphabet="{}[]\"':,ab\\ 1(", max_size=100))
def test_any_text_is_parsed(text: str) -> None:
    """Nothing is raised; a mapping's keys are text."""
    found = parse(text)

    assert found is None or isinstance(found, str) or all(isinstance(key, str) for key in found)
