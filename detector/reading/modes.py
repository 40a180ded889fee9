"""Under which permission mode an agent acts, or starts another: the switches of the agents' own command lines.

Names are the makers' own. The deployment may name its mode by the resource attribute `agent.permission_mode`.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from typing import NamedTuple

import re2

from detector.lexicon.secrets import redact

RESOURCE_MODE = "agent.permission_mode"
MAX_MODE_CHARS = 32
MAX_SEEN_CHARS = 1024
_NOT_A_MODE = re.compile(r"[^A-Za-z0-9_.:-]+")


class Switch(NamedTuple):
    """A switch of an agent's command line, and the mode that it starts. An empty `mode`: the switch's one group."""

    pattern: str
    mode: str
    fires: str
    quiet: str


SWITCHES = (
    Switch(r"--dangerously-skip-permissions\b", "bypassPermissions", "claude --dangerously-skip-permissions -p x", "claude -p x"),
    Switch(r"--permission-mode[=\s]{1,4}[\"']?(default|plan|acceptEdits|bypassPermissions|dontAsk|auto)\b", "", "claude --permission-mode acceptEdits", "claude --permission-mode $M"),
    Switch(r"--dangerously-bypass-approvals-and-sandbox\b", "danger-full-access", "codex exec --dangerously-bypass-approvals-and-sandbox x", "codex exec x"),
    Switch(r"\bcodex\b[^|;&\n]*?\s(?:--sandbox|-s)[=\s]{1,4}[\"']?(read-only|workspace-write|danger-full-access)\b", "", "codex --sandbox danger-full-access x", "kubectl -s read-only"),
    Switch(r"\bcodex\b[^|;&\n]*?\s(?:--ask-for-approval|-a)[=\s]{1,4}[\"']?(untrusted|on-failure|on-request|never)\b", "", "codex -a never x", "ls -a never"),
    Switch(r"\b(?:codex|gemini)\b[^|;&\n]*?\s--yolo\b", "yolo", "gemini --yolo -p x", "yolo --train"),
    Switch(r"\bgemini\b[^|;&\n]*?\s--approval-mode[=\s]{1,4}[\"']?(default|auto_edit|yolo|plan)\b", "", "gemini --approval-mode yolo", "gemini -p x"),
    Switch(r"\baider\b[^|;&\n]*?\s--yes-always\b", "yes-always", "aider --yes-always a.py", "aider a.py"),
)  # fmt: skip

_options = re2.Options()
_options.encoding = re2.Options.Encoding.LATIN1
_options.log_errors = False
_first = re2.Set.SearchSet(_options)
for _switch in SWITCHES:
    _first.Add(_switch.pattern.encode())
_first.Compile()
_switches = tuple((re2.compile(switch.pattern.encode(), _options), switch.mode) for switch in SWITCHES)


def find(text: bytes) -> str:
    """The mode that a call's words switch on; empty where none does. The first in SWITCHES wins."""
    hits = _first.Match(text)
    if not hits:
        return ""
    pattern, mode = _switches[min(hits)]
    return mode or str(pattern.search(text).group(1), "latin-1")


def clean(mode: str) -> str:
    """A mode's name as actions carry it: at most 32 characters of [A-Za-z0-9_.:-]."""
    return _NOT_A_MODE.sub("_", redact(mode[:MAX_SEEN_CHARS]))[:MAX_MODE_CHARS]
