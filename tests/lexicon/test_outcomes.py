"""How a call ended."""

from __future__ import annotations

import pytest

from detector.lexicon import outcomes
from detector.records import Does, Outcome

LONG = "def check(request):\n    raise PermissionDenied('401 unauthorized: permission denied')\n" * 20


@pytest.mark.parametrize(
    ("result", "message", "failed", "status", "does", "expected"),
    [
        ("total 64", "", False, 0, Does.EXECUTE, Outcome.OK),
        ("", "", True, 0, Does.READ, Outcome.ERROR),
        (LONG, "", False, 0, Does.READ, Outcome.OK),
        (LONG, "", False, 0, Does.EXECUTE, Outcome.OK),
        ("", "ToolError 403 Forbidden", True, 0, Does.READ, Outcome.REFUSED),
        ("", "", False, 401, Does.READ, Outcome.REFUSED),
        ("", "", False, 503, Does.READ, Outcome.ERROR),
        ("", "", False, 204, Does.DELETE, Outcome.OK),
        ("Error: 401 Unauthorized", "", False, 0, Does.EXECUTE, Outcome.REFUSED),
        ("request failed with code 403", "", True, 0, Does.EXECUTE, Outcome.REFUSED),
        ('Traceback (most recent call last):\n File "a.py", line 401', "", True, 0, Does.EXECUTE, Outcome.ERROR),
        ('{"error": "invalid token"}', "", False, 0, Does.READ, Outcome.REFUSED),
        ('{"errors":[{"message":"Not Authorized"}]}', "", False, 0, Does.READ, Outcome.REFUSED),
        ('{"message":"Bad credentials","status":"401"}', "", False, 0, Does.READ, Outcome.REFUSED),
        ('[{"type":"text","text":"Error: permission denied"}]', "", False, 0, Does.EXECUTE, Outcome.REFUSED),
        ('{"status": 503, "body": "try later"}', "", False, 0, Does.READ, Outcome.ERROR),
        ("curl: (7) Failed to connect", "", False, 0, Does.EXECUTE, Outcome.ERROR),
        ('{"stdout":"","exit_code":7}', "", False, 0, Does.EXECUTE, Outcome.ERROR),
        ("Process exited with code 0\nOutput: ok", "", False, 0, Does.EXECUTE, Outcome.OK),
        ("<returncode>1</returncode>", "", False, 0, Does.EXECUTE, Outcome.ERROR),
        ("<returncode>0</returncode>\nchecks exited with code 1", "", False, 0, Does.EXECUTE, Outcome.OK),
        ("x" * 900 + "\nExit code: 2", "", False, 0, Does.EXECUTE, Outcome.ERROR),
        ("exit code: 1", "", False, 0, Does.EXECUTE | Does.SEARCH, Outcome.OK),
        ("bash: /etc/shadow: Permission denied\nexit code: 1", "", False, 0, Does.EXECUTE, Outcome.REFUSED),
        ("This tool call requires confirmation, please approve or reject.", "", False, 0, Does.DELETE, Outcome.DENIED),
        ("Tool execution blocked by hook. Tool: run_shell", "", False, 0, Does.EXECUTE, Outcome.DENIED),
        ("Action rejected: not now", "", False, 0, Does.EXECUTE, Outcome.DENIED),
        ("", "Command blocked by PreToolUse hook", True, 0, Does.EXECUTE, Outcome.DENIED),
        ("Our policy: deletion requires approval.", "", False, 0, Does.READ, Outcome.OK),
    ],
)
def test_outcomes(result: str, message: str, *, failed: bool, status: int, does: Does, expected: Outcome) -> None:
    """From status, error, exit codes and phrases, where these are the answer and not what was read."""
    looked_at = outcomes.look(result, b"key")

    assert outcomes.read(looked_at, message, failed, status, int(does)) is expected
