"""What single arguments say, and what filters bound."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import Lexicon, filters, settings
from detector.records import Does

LEXICON = Lexicon()


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_fires_and_is_quiet(setting: settings.Setting) -> None:
    """It is found in its example, and not in the one near to it; it has words where it has a sign."""
    assert setting in settings.of(settings.plain(setting.fires[0]), setting.fires[1])
    assert setting not in settings.of(settings.plain(setting.quiet[0]), setting.quiet[1])
    assert setting.words


@pytest.mark.parametrize(
    "style", ["deletion_protection", "deletionProtection", "DeletionProtection", "deletion-protection"]
)
@pytest.mark.parametrize("value", [False, "false", "OFF", 0, "disabled"])
def test_keys_and_values_in_any_style(style: str, value: Any) -> None:
    """Keys are words, and off is off however it is written."""
    assert LEXICON.read("update_database", {"name": "a", style: value}).does & Does.SAFEGUARD


@pytest.mark.parametrize(
    ("tool", "arguments", "does"),
    [
        ("update_settings", {"audit": {"logging": {"enabled": False}}}, Does.AUDIT),
        ("update_settings", '{"audit": {"logging": {"enabled": false}}}', Does(0)),
        ("update_settings", {"settings": '{"audit": {"enabled": false}}'}, Does.AUDIT),
        ("set_flag", {"name": "require_mfa", "enabled": False}, Does.SAFEGUARD),
        ("set_flag", {"name": "dark_mode", "enabled": False}, Does(0)),
        ("modify_db_instance", {"BackupRetentionPeriod": 0}, Does.BACKUP | Does.SAFEGUARD),
        ("modify_db_instance", {"BackupRetentionPeriod": 7}, Does(0)),
        ("put_lifecycle", {"Rules": [{"Expiration": {"Days": 1}}]}, Does.DELETE | Does.BROAD),
        ("put_lifecycle", {"rules": [{"action": "expire", "days": 0}]}, Does.DELETE | Does.BROAD),
        ("put_lifecycle", {"rules": [{"action": "transition", "days": 0}]}, Does(0)),
        ("set_retention", {"target": "backups", "days": 90}, Does(0)),
        ("set_retention", {"log_group": "app", "retention_in_days": 1}, Does.AUDIT),
        ("update_user", {"id": 7, "role": "admin"}, Does.GRANT),
        ("revoke_role", {"id": 7, "role": "admin"}, Does(0)),
        ("list_users", {"role": "admin"}, Does(0)),
        ("send_message", {"role": "assistant"}, Does(0)),
        ("update_repo", {"private": False}, Does.GRANT),
        ("create_repo", {"private": False}, Does(0)),
        ("add_rule", {"cidr_ip": "0.0.0.0/0"}, Does.SAFEGUARD),
        ("set_permission_mode", {"mode": "bypassPermissions"}, Does.ESCALATE),
        ("set_permission_mode", {"mode": "plan"}, Does(0)),
        ("list_databases", {"deletion_protection": False}, Does(0)),
    ],
)
def test_what_arguments_say(tool: str, arguments: Any, does: Does) -> None:
    """Just these flags; of a call that only reads, and of what is not there, nothing."""
    judged = Does.AUDIT | Does.SAFEGUARD | Does.BACKUP | Does.DELETE | Does.BROAD | Does.GRANT | Does.ESCALATE

    assert Does(LEXICON.read(tool, arguments).does) & judged == does


@pytest.mark.parametrize(
    ("arguments", "does"),
    [
        ({"name": "a"}, Does.DELETE | Does.IRREVERSIBLE),
        ({"name": "a", "dry_run": True}, Does(0)),
        ({"name": "a", "dryRun": "true"}, Does(0)),
        ({"name": "a", "dry_run": False}, Does.DELETE | Does.IRREVERSIBLE),
        ({"name": "a", "recovery_window_in_days": 7}, Does.DELETE),
        ({"name": "a", "skip_final_snapshot": True, "recovery_window_in_days": 7}, Does.DELETE | Does.IRREVERSIBLE),
        ({"name": "a", "cascade": True}, Does.DELETE | Does.IRREVERSIBLE | Does.BROAD),
    ],
)
def test_how_far_and_for_how_long_a_deletion_goes(arguments: Any, does: Does) -> None:
    """Rehearsed, kept for some time, for good, with all that hangs on it."""
    assert (
        Does(LEXICON.read("delete_database", arguments).does) & (Does.DELETE | Does.IRREVERSIBLE | Does.BROAD) == does
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, True),
        ([], True),
        ("*", True),
        ("1=1", True),
        ({"match_all": {}}, True),
        ({"query": {"match_all": {}}}, True),
        ({"_id": {"$exists": True}}, True),
        ({"id": {"_gte": 0}}, True),
        ({"$or": [{"a": 1}, {}]}, True),
        ({"_and": []}, True),
        ({"id": {"_is_null": False}}, True),
        ("id IS NOT NULL", True),
        ({"name": {"$regex": ".*"}}, True),
        ({"id": 7}, False),
        ({"id": {"_eq": 7}}, False),
        ({"status": "x"}, False),
        ({"a": {"$exists": True}}, False),
        ("id = 7", False),
        ({"query": {"match": {"a": "b"}}}, False),
        ({"$and": [{}, {"a": 1}]}, False),
        (None, False),
        (7, False),
    ],
)
def test_filters_that_bound_nothing(value: Any, expected: bool) -> None:
    """Of document stores, search engines, GraphQL and SQL."""
    assert filters.is_all(value) is expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just("*"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("id $or where a query filter role days".split()), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_arguments_are_read(value: Any) -> None:
    """Nothing is raised, by filters or by whole calls."""
    filters.is_all(value)
    for tool in ("delete_rows", "update_user", "get_page", "x"):
        assert LEXICON.read(tool, {"where": value, "options": value}).does >= 0
