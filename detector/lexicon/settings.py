"""What single arguments say: a protection off, a backup kept for no time, a role given, a filter that holds for all.

Arguments of tools, fields of request bodies, parameters of addresses and inputs of mutations alike. A
setting is a pattern for the argument's path in words (`audit_logging_enabled`) and one for its value.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from typing import Any

from detector.lexicon.deeds import split
from detector.lexicon.entries import PatternSet
from detector.records import Does

MAX_KEY_CHARS = 96
MAX_VALUE_CHARS = 200
"""Of a value that are matched."""


class Says(IntFlag):
    """What an argument says of the call that it belongs to."""

    REHEARSED = 1
    """Nothing is carried out."""
    SOFT = 2
    """What goes can be brought back."""
    HARD = 4
    """What goes can't."""
    WIDE = 8
    """All of it."""
    CHANGED = 16
    """`does` of the setting holds where the call changes something."""
    DELETED = 32
    """`does` of the setting holds where the call deletes something."""
    GIVEN = 64
    """`does` of the setting holds where the call adds or changes something, and makes nothing new."""
    ALWAYS = 128
    """`does` of the setting holds whatever the call does."""
    AGED = 512
    """Whatever its age."""
    SWITCHED = 256
    """What the act's name says is switched off."""


@dataclass(frozen=True)
class Setting:
    """One thing that an argument may say. The sign is `argument.name`."""

    name: str
    key: str
    """Matches the whole path: words in lower case, joined by `_`."""
    value: str
    """Matches the whole value in lower case; `true` and `false`, `[]` and `{}` are written so."""
    says: Says
    does: Does
    words: str
    fires: tuple[str, str]
    quiet: tuple[str, str]
    unless: str = ""
    """Matches the values that do not say so."""

    @property
    def sign(self) -> str:
        """The name that an action carries."""
        return f"argument.{self.name}"


_OFF = r"false|0|off|no|none|disabled?|inactive|suspended|not_?required|optional|detect(?:ion)?_?only|disabled_\w+|permissive|allow_?all|monitor|report_?only"
_ON = r"true|1|yes|on|enabled|always|y"
_EMPTY = r"(?:[\w-]+_)?"
_AT_ONCE = r"0|0 ?(?:ms|s|m|h|d|w|days?|hours?|minutes?|seconds?|milliseconds?)|1 ?(?:s|ms|seconds?|milliseconds?|minutes?)|now|immediate(?:ly)?|p0d|pt0s|today"
_TO_ADMIN = r"(?:[\w.:/-]*[/:._ -])?(?:org_?|super_?|global_?|cluster_?|project_?|workspace_?|account_?|company_?|team_?|repo_?)?(?:admin(?:istrator)?s?(?:access)?|owners?|root|superusers?|superadmins?|maintain(?:er)?s?|editors?|writers?|write|full(?:[_ ]?(?:access|control))?|all|\*|cluster-admin|poweruser(?:access)?|contributor|manager)"
_FORMS_OF_AUDIT = r"(?:audit\w*|access_logs?|access_logging|activity_logs?|cloudtrail\w*|log_exports?|query_logs?|flow_logs?|system_logs?|logging|server_logs?|s3_logs?|security_logs?|is_logging|multi_region_trail|log_file_validation)"
_PROTECTED = (
    r"(?:\w*protect(?:ion|ed|ions)?(?:_rules?|_enabled|_mode)?|prevent_(?:destroy|deletion|delete|overwrite)|disable_api_(?:termination|stop)|(?:is_)?(?:locked|immutable|write_protected)|\w*object_lock\w*|legal_hold|enforce_\w+|\w*_enforcement(?:_level)?|requires?d?_\w*(?:approv|review|confirm|sign|status|check|mfa|2fa|two_factor|auth|pull_?request|conversation|verif|ssl|tls|consent|permission|code_owner|login|password|https|encrypt|linear)\w*"
    r"|\w*approv(?:al|als|ing|ers?)\w*_(?:required|count|enabled|needed)|\w*(?:reviews?|approvals?|confirmation|mfa|two_factor|2fa)_(?:required|enabled|needed)|approvals?|mfa|mfa_delete|two_factor\w*|2fa|\w*versioning(?:_enabled|_status|_configuration_status)?|soft_?delete(?:_enabled|_policy|_retention\w*)?|(?:ssl|tls|certificate|host_key)_(?:verif\w+|enforc\w+|required|mode)|verify(?:_ssl|_tls|_cert\w*)?|(?:strict_)?host_key_checking"
    r"|firewall\w*|\w*waf\w*|sandbox(?:ed)?(?:_mode|_enabled)?|safe_mode|guardrails?\w*|safety_\w+|content_filter\w*|block_public_\w+|ignore_public_acls|restrict_public_\w+|public_access_block\w*|row_level_security|rls(?:_enabled)?|confirm(?:ation)?_required|secret_scanning\w*|vulnerability_alerts|dependabot\w*_enabled|code_scanning\w*|encrypt(?:ed|ion)\w*|rate_limit\w*_enabled|signature_verification|deletion_window|human_in_the_loop|network_polic\w+(?:_enabled)?|admission_\w+|pod_security\w*|dismiss_stale_reviews\w*|do_not_delete|retain|keep_history|quota_enforced|spend_limit_enabled)"
)
_BACKED_UP = r"(?:\w*back_?ups?(?:_enabled|_retention\w*|_retention_period|_days|_schedule|_policy_enabled|_window|_active|_count|_configuration_enabled)?|\w*(?:pitr|point_in_time)\w*|\w*snapshots?_(?:enabled|retention\w*|schedule|policy|count|limit|days)|automated_snapshots|continuous_back_?ups?|transaction_log_retention\w*|binary_?log(?:ging)?_?enabled|time_travel\w*|data_retention_time_in_days|recovery_enabled)"

SETTINGS = (
    Setting("rehearsed", rf"{_EMPTY}(?:dry_?run|simulat(?:e|ion)|plan_?only|validate_?only|check_?only|what_?if|no_?op|test_run|rehearsal|preview_only|explain_only|noop|dry)", r"true|1|yes|all|server|client|on|dryrun|",
            Says.REHEARSED, Does(0), "tries out only", ("dryRun", "true"), ("dry_run", "false")),
    Setting("not-carried-out", r"execute|apply|commit|for_real|really|live_run|perform", r"false|0|no",
            Says.REHEARSED, Does(0), "tries out only", ("apply", "false"), ("apply", "true")),
    Setting("rehearsed-by-mode", r"(?:run_|execution_)?mode", r"dry[_ -]?run|plan|simulate|simulation|validate|preview|check|what[_ -]?if",
            Says.REHEARSED, Does(0), "tries out only", ("mode", "dry-run"), ("mode", "fast")),
    Setting("soft", r"(?:soft_?(?:delete)?|to_trash|move_to_trash|use_trash|recoverable|archive_instead|create_final_snapshot|final_snapshot|take_final_snapshot|backup_first|with_backup|snapshot_before_\w+|delayed|keep_back_?ups?|retain_\w+|use_recycle_bin|undoable)", _ON,
            Says.SOFT, Does(0), "deletes so that it can be brought back", ("soft", "true"), ("soft", "false")),
    Setting("soft-window", r"\w*(?:recovery_window\w*|final_(?:db_)?snapshot_identifier|pending_window\w*|grace_period\w*|deletion_delay\w*|purge_after\w*)", r"[1-9]\w*|[a-z][\w-]{2,}",
            Says.SOFT, Does(0), "deletes so that it can be brought back for some time", ("recovery_window_in_days", "7"), ("recovery_window_in_days", "0")),
    Setting("for-good", r"(?:hard_?(?:delete)?|permanent(?:ly)?(?:_delete)?|delete_permanently|skip_(?:trash|final_snapshot|back_?up|recycle_bin|recovery)|bypass_(?:trash|recycle_bin|recovery)|no_recovery|force_delete_without_recovery|without_recovery|irreversible|irrevocabl[ey]|purge|shred|destroy_data|wipe\w*|delete_automated_back_?ups|delete_back_?ups|delete_snapshots|include_back_?ups|all_versions|delete_all_versions|no_back_?up)", _ON,
            Says.HARD, Does(0), "deletes for good", ("hardDelete", "true"), ("hard_delete", "false")),
    Setting("not-kept", r"(?:soft_?(?:delete)?|to_trash|use_trash|move_to_trash|recoverable|create_final_snapshot|take_final_snapshot|final_snapshot|recovery_window\w*|retain_\w*back_?ups?|keep_back_?ups?|backup_first|keep_(?:enrollment|user)_data)", r"false|0|no|off",
            Says.HARD, Does(0), "deletes for good", ("use_trash", "false"), ("use_trash", "true")),
    Setting("all-of-it", r"(?:\w*_)?(?:all|everything|recursive(?:ly)?|recurse|cascad(?:e|ing)|delete_all\w*|remove_all\w*|purge_(?:everything|all)|all_\w+|include_(?:children|descendants|subfolders|subdirectories|all|dependents)|delete_(?:children|contents|volumes|data|associated\w*)|with_(?:volumes|data|children|contents)|force|force_delete|force_destroy|bypass_quorum)", _ON,
            Says.WIDE, Does(0), "asks for all of it, or forces it", ("delete_all", "true"), ("small_force", "false")),
    Setting("everything", r"(?:\w*_)?(?:scope|target|targets|ids?|path|paths|pattern|filter|selector|query|where|match|name|names|resource|resources|key|keys|prefix|table|tables|users?|environment|environments|index|range|collection|items|files|match\w*|namespaces?|projects?|label_selector|expression|glob)", r"\*|\*\*|\*\*/\*|/|/\*|\.\*|\.\+|all|_all|everything|%|any|\*:\*|0-|1=1|true|\[\"\*\"\]|\{__name__=~[\"'].[+*][\"']\}|\*\.\*|~|\$home|c:\\+|\(objectclass=\*\)",
            Says.WIDE, Does(0), "names everything", ("scope", "all"), ("path", "/srv/a")),
    Setting("of-any-age", r"\w*(?:older_than\w*|min_age\w*|minimum_age\w*|before\w*|until\w*|keep(?:_last|_latest|_days|_count|_recent|_newest)?|age_days|days_old|max_age\w*|inactive_for\w*|cutoff\w*|days)", _AT_ONCE,
            Says.AGED, Does(0), "takes what is of any age", ("older_than_days", "0"), ("older_than_days", "30")),
    # --- what is switched off -------------------------------------------------------------
    Setting("switched-off", r"(?:(?:input|data|attributes|settings|config)_)?(?:is_)?(?:enabled?|active|on|required|enforced|value|setting_value|new_value|state|status|mode)", r"false|0|off|disabled?|none|no|inactive|suspended",
            Says.SWITCHED, Does(0), "switches it off", ("enabled", "false"), ("enabled", "true")),
    Setting("guard-off", rf"{_EMPTY}{_PROTECTED}(?:_enabled|_active|_status|_required|_state|_mode)?", _OFF,
            Says.CHANGED, Does.WRITE | Does.SAFEGUARD, "turns a protection off by an argument", ("deletion_protection", "false"), ("deletion_protection", "true")),
    Setting("guard-passed", r"\w*(?:skip_\w*(?:check|review|approv|validat|verif|hook|polic|confirm|protect|auth|safety|scan)\w*|bypass_\w+|ignore_\w*(?:check|polic|protect|lock|rule|valid|quorum|warning|safety|approv|restrict|permission|dependen)\w*|override_\w*(?:polic|protect|lock|approv|check|safety|rule)\w*|no_verify|disable_\w*(?:protect|check|verif|valid|hook|polic|guard|firewall|mfa|approv|review|lock|encrypt|security|safety|back_?up|audit|rollback|auth)\w*|allows?_?(?:force_?push(?:es)?|deletions?|unsafe\w*|bypass\w*|destroy\w*|overwrite_protected|unverified\w*|unsigned\w*|privileged\w*|insecure\w*)|force_unlock|dangerously_\w+|dangerous\w*|admin_override|break_?glass|unprotect|suppress_\w*(?:check|polic|warning)\w*|insecure\w*|auto_approve_all|unsafe\w*)", _ON,
            Says.CHANGED, Does.WRITE | Does.SAFEGUARD, "passes over a protection by an argument", ("bypass_policy", "true"), ("skip_cache", "true")),
    Setting("audit-off", rf"{_EMPTY}{_FORMS_OF_AUDIT}(?:_enabled|_status|_active|_level|_mode|_state|_success)?", _OFF + r"|fatal|\[\]",
            Says.CHANGED, Does.WRITE | Does.AUDIT, "turns an audit trail off by an argument", ("audit_logging_enabled", "false"), ("audit_logging_enabled", "true")),
    Setting("audit-shortened", r"\w*(?:logs?|audit|trail|events?)\w*_(?:retention|expir|ttl|max_age|keep)\w*", rf"{_AT_ONCE}|1|1 ?(?:d|days?|h|hours?)",
            Says.CHANGED, Does.WRITE | Does.AUDIT, "keeps an audit trail for no time", ("log_retention_days", "1"), ("log_retention_days", "365")),
    Setting("backups-off", rf"{_EMPTY}{_BACKED_UP}", _OFF + r"|null|\[\]|never",
            Says.CHANGED, Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups off by an argument", ("backup_retention_period", "0"), ("backup_retention_period", "7")),
    Setting("expires-at-once", r"\w*(?:retention(?:_days?|_hours|_ms|_bytes|_seconds|_minutes|_period\w*|_in_\w+|_time\w*|_duration)?|expir(?:y|ation|es?|e_after\w*|ation_days|ation_in_days|e_days|e_after_seconds|ation_ms)(?:_days|_ms|_seconds|_hours)?|lifecycle\w*_(?:days?|age)|(?:expire|expiration|expiry|delete|deletion|purge)\w*_(?:days?|age|after|min_age|max_age|days_after\w*)|ttl_days|time_to_live_days|history_days)", rf"{_AT_ONCE}|1 ?(?:d|days?|h|hours?|m)|1",
            Says.CHANGED, Does.WRITE | Does.DELETE | Does.BROAD, "lets what is kept expire at once", ("rules_expire_days", "0"), ("rules_transition_days", "90")),
    # --- who may do what ------------------------------------------------------------------
    Setting("gives-role", r"(?:\w*_)?(?:roles?|role_(?:id|name|arn)|permissions?|permission_level|access(?:_level|_role)?|privileges?|org_role|user_role|authority|grants?|policy_arn|policies)", rf"{_TO_ADMIN}(?:,.*)?",
            Says.GIVEN, Does.WRITE | Does.GRANT, "gives a role that may change things", ("role", "admin"), ("role", "assistant")),
    Setting("makes-admin", r"(?:\w*_)?(?:is_)?(?:admin|administrator|superuser|super_admin|owner|root|staff|site_admin|sudo)", r"true|1|yes",
            Says.GIVEN, Does.WRITE | Does.GRANT, "makes somebody an administrator", ("is_admin", "true"), ("is_admin", "false")),
    Setting("to-everybody", r"(?:\w*_)?(?:visibility|acl|canned_acl|access|principals?|public|is_public|publicly_accessible|public_access|anonymous\w*|anonymous_access|link_(?:sharing|access)|allow_(?:public|anonymous)\w*|share_with|shared_with|audience|grantees?|members?|sharing|type|scope|publish)", r"public|public-read\S*|publicread\S*|anyone\w*|anyone[_ -]with\S*|everyone|allusers|allauthenticatedusers|\*|world|internet|anonymous|true|container|blob",
            Says.GIVEN, Does.WRITE | Does.GRANT, "opens something to everybody by an argument", ("visibility", "public"), ("visibility", "private")),
    Setting("no-longer-private", r"(?:is_)?private(?:_repo|_repository)?|restricted|require_login", r"false|0|no",
            Says.GIVEN, Does.WRITE | Does.GRANT, "opens something to everybody by an argument", ("private", "false"), ("private", "true")),
    Setting("from-anywhere", r"\w*(?:cidr\w*|ip_ranges?|source_ranges?|source_ips?|allowed_(?:ips?|ip_addresses|origins|cidrs?|networks?|hosts)|allow_?list|whitelist|ip_address|source|networks?|authorized_networks\w*|ingress\w*)", r"0\.0\.0\.0(?:/0)?(?:,.*)?|::/0|\*",
            Says.GIVEN, Does.WRITE | Does.SAFEGUARD, "lets requests in from anywhere", ("cidr_ip", "0.0.0.0/0"), ("cidr_ip", "10.0.0.0/8")),
    Setting("lets-key-in", r"(?:\w*_)?(?:keys?|public_?keys?|ssh_?keys?|authorized_?keys?|key_data|public_key_material)", r"(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2|sk-ssh).*",
            Says.CHANGED, Does.WRITE | Does.GRANT, "lets the holder of a key in", ("key", "ssh-ed25519 AAAA"), ("key", "homepage")),
    Setting("asks-no-more", r"(?:\w*_)?(?:permission_mode|approval_(?:mode|policy)|permissions?|mode|auto_approve|auto_accept|autonomy|sandbox_mode|confirm(?:ation)?_mode)", r"bypass\w*|dont_?ask|auto_?approve\w*|yolo|full_?auto|danger\w*|unrestricted|accept_?all|never_?ask|allow_?all|skip_?permissions|no_?restrictions",
            Says.CHANGED, Does.ESCALATE, "asks for no permission any more", ("mode", "bypassPermissions"), ("mode", "plan")),
    # --- credentials ----------------------------------------------------------------------
    Setting("new-credential", r"(?:\w*_)?(?:new_(?:password|secret|token|api_?key|passphrase|pin)|secret_string|secret_value|password_hash|reset_password|regenerate_(?:token|key|secret))", r".+",
            Says.CHANGED, Does.WRITE | Does.ROTATE, "sets a new credential", ("new_password", "x"), ("new_name", "x")),
    Setting("uses-credential", r"(?:\w*_)?(?:api_?keys?|apikey|access_?key(?:_id)?|secret_access_key|secret_?key|access_?token|auth_?token|bearer(?:_token)?|id_token|refresh_token|session_token|personal_access_token|private_token|client_secret|authorization|password|passwd|passphrase|credentials?|jwt|x_api_key|x_auth_token|cookie)|token|auth|github_token|gitlab_token|bot_token|user_token|admin_token|service_token|api_token", r".+",
            Says.ALWAYS, Does.USE_CREDENTIAL, "uses a credential that it carries", ("api_key", "x"), ("max_tokens", "10"), r"\{\}|\[\]|true|false|null|none|default|\d{1,3}|\.\.\."),
    Setting("keeps-value", r"(?:include|with|show|reveal|decrypt|return|expose|unmask|raw)_(?:values?|secrets?|plaintext|decryption|credentials?|passwords?|sensitive\w*)|with_decryption|decrypted?|show_sensitive|plaintext|unmasked", _ON,
            Says.ALWAYS, Does.OPEN_CREDENTIAL, "asks for the values of credentials", ("with_decryption", "true"), ("with_decryption", "false")),
)  # fmt: skip

_keys = PatternSet([f"^(?:{setting.key})$" for setting in SETTINGS]).match
_VALUES = tuple(
    (setting, re.compile(setting.value).fullmatch, re.compile(setting.unless).fullmatch) for setting in SETTINGS
)


@lru_cache(maxsize=8192)
def _of_key(path: str) -> tuple[tuple[Setting, Any, Any], ...]:
    return tuple(_VALUES[hit] for hit in _keys(path.encode("utf-8", "surrogatepass")) or ())


def plain(key: str) -> str:
    """A key as words joined by `_`."""
    return _plain(key) if len(key) <= MAX_KEY_CHARS else ""


@lru_cache(maxsize=8192)
def _plain(key: str) -> str:
    return "_".join(split(key))


def matters(path: str, *, reads: bool = False) -> bool:
    """Whether an argument of this path may say anything. `reads`: of a call that only reads."""
    if not path or len(path) > MAX_KEY_CHARS:
        return False
    return any(setting.says & Says.ALWAYS or not reads for setting, _, _ in _of_key(path))


def of(path: str, value: Any) -> tuple[Setting, ...]:
    """What an argument says. `path`: its key in plain words, behind those of what it stands in."""
    if not path or len(path) > MAX_KEY_CHARS:
        return ()
    known = _of_key(path)
    if not known:
        return ()
    text = as_text(value)
    found: tuple[Setting, ...] = ()
    for setting, values, unless in known:
        if values(text) and not (setting.unless and unless(text)):
            found += (setting,)
    return found


def as_text(value: Any) -> str:
    """A value as the patterns know it."""
    if isinstance(value, str):
        return value[:MAX_VALUE_CHARS].strip().lower()
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return f"{value:g}" if abs(value) < 1e12 else "1000000000000"
    return "{}" if isinstance(value, dict) and not value else "[]" if not value else "..."
