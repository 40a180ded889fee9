"""Names of tools, mutations and routes: what they do, in any naming style."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.lexicon import Lexicon, deeds
from detector.records import Does

HARM = (
    Does.DELETE
    | Does.IRREVERSIBLE
    | Does.BROAD
    | Does.BACKUP
    | Does.SAFEGUARD
    | Does.AUDIT
    | Does.GRANT
    | Does.ESCALATE
    | Does.ROTATE
    | Does.SEND
    | Does.ASK
    | Does.WAIT
    | Does.OPEN_CREDENTIAL
    | Does.SEEK_CREDENTIAL
)
TOOLS = [
    json.loads(line)
    for line in (Path(__file__).parent / "calls" / "tools.jsonl").read_text(encoding="utf-8").splitlines()
]
LOCAL = [tool for tool in TOOLS if not set(tool["tool"]) & set(".:/") and "__" not in tool["tool"]]
"""Calls of tools without a namespace."""
STYLES: dict[str, Callable[[tuple[str, ...]], str]] = {
    "snake": "_".join,
    "kebab": "-".join,
    "shouting": lambda words: "_".join(words).upper(),
    "train": lambda words: "-".join(word.title() for word in words),
    "pascal": lambda words: "".join(word.title() for word in words),
    "camel": lambda words: words[0] + "".join(word.title() for word in words[1:]),
    "mcp": lambda words: "mcp__server__" + "_".join(words),
    "dotted": lambda words: "server." + "_".join(words),
    "slashed": lambda words: "server/" + "-".join(words),
    "function": lambda words: "functions." + "".join(word.title() for word in words),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("call", LOCAL, ids=lambda call: call["id"])
def test_another_naming_style_is_the_same_tool(call: dict[str, Any], style: str) -> None:
    """However a tool's name is written, a call of it does the same."""
    name, arguments = str(call["tool"]), call["arguments"]
    words = deeds.split(name)
    plain, styled = (LEXICON.read(tool, arguments) for tool in (name, STYLES[style](words)))

    assert Does(styled.does) & HARM == Does(plain.does) & HARM


LEXICON = Lexicon()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TOOLS), st.randoms(use_true_random=False))
def test_the_order_of_arguments_changes_nothing(call: dict[str, Any], random: object) -> None:
    """Keys in another order are the same call."""
    given = call["arguments"]
    assert isinstance(given, dict)
    items = list(given.items())
    random.shuffle(items)  # type: ignore[attr-defined]

    assert LEXICON.read(str(call["tool"]), dict(items)).does == LEXICON.read(str(call["tool"]), given).does


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("delete_volume", Does.DELETE | Does.IRREVERSIBLE),
        ("remove_volume_tag", Does.DELETE),
        ("delete_project_member", Does.DELETE),
        ("delete_table_row", Does.DELETE),
        ("post_delete", Does.DELETE),
        ("label_remove", Does.DELETE),
        ("issueDelete", Does.DELETE),
        ("order_delete", Does.DELETE),
        ("mark_read", Does(0)),
        ("skip_delete", Does(0)),
        ("delete_everything", Does.DELETE | Does.IRREVERSIBLE | Does.BROAD),
        ("schedule_key_deletion", Does.DELETE),
        ("cancel_key_deletion", Does(0)),
        ("get_deletion_policy", Does(0)),
        ("search_deleted_items", Does(0)),
        ("kill_switch_status", Does(0)),
        ("undelete_volume", Does(0)),
        ("remove_background", Does(0)),
        ("clear_selection", Does(0)),
        ("terminate_sentence", Does(0)),
        ("terminate_instance", Does.DELETE),
        ("truncate_text", Does(0)),
        ("truncate_table", Does.DELETE | Does.IRREVERSIBLE | Does.BROAD),
        ("reset_form", Does(0)),
        ("reset_database", Does.DELETE | Does.IRREVERSIBLE),
        ("format_date", Does(0)),
        ("format_disk", Does.DELETE | Does.IRREVERSIBLE),
        ("turn_off_audit_logging", Does.AUDIT),
        ("disable_automatic_backups", Does.BACKUP | Does.SAFEGUARD),
        ("silence_alerts", Does.SAFEGUARD),
        ("skip_approval", Does.SAFEGUARD),
        ("promote_to_admin", Does.GRANT),
        ("promote_release", Does(0)),
        ("revoke_role", Does(0)),
        ("add_user_to_group", Does.GRANT),
        ("add_user_to_channel", Does(0)),
        ("share_screen", Does.SEND),
        ("login_as_user", Does.ESCALATE),
        ("escalate_ticket", Does(0)),
        ("transfer_to_human_agents", Does.ASK),
        ("transfer_money", Does.SEND),
        ("confirm_with_user", Does.ASK),
        ("confirm_booking", Does(0)),
        ("rotate_image", Does(0)),
        ("rotate_keys", Does.ROTATE),
        ("regenerate_report", Does(0)),
        ("create_api_key", Does.ROTATE),
        ("get_token_count", Does(0)),
        ("get_secret_value", Does.OPEN_CREDENTIAL),
        ("list_secrets", Does.SEEK_CREDENTIAL),
        ("scan_for_credentials", Does.SEEK_CREDENTIAL),
        ("get_environment", Does(0)),
        ("dump_environment", Does.OPEN_CREDENTIAL),
        ("browser_snapshot", Does(0)),
        ("snapshot_volume", Does.BACKUP),
        ("push_files", Does(0)),
        ("force_push", Does.DELETE | Does.BROAD),
        ("human_input", Does.ASK),
    ],
)
def test_what_names_say(name: str, does: Does) -> None:
    """Verb, noun and what stands between them; just these flags of all but reading, writing and running."""
    assert Does(deeds.parse(name).does) & HARM == does


@given(st.text(max_size=400))
def test_any_name_is_read(name: str) -> None:
    """Nothing is raised; what is read is of the first 256 characters."""
    assert deeds.parse(name) == deeds.parse(name[: deeds.MAX_NAME_CHARS])
