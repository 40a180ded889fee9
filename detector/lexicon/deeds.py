"""What a name says that a call does: tool names, GraphQL fields, REST paths, CLI subcommands.

A name in any style is split into words. The first of them that is a verb governs; with a noun it
makes a deed. `delete_volume`, `volumeDelete`, `DELETE /volumes/7` and `fly volumes destroy` are
the same deed on four surfaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from detector.records import Does

MAX_WORDS = 16

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=8192)
def split(name: str) -> tuple[str, ...]:
    """The words of a name in camelCase, snake_case, kebab-case, dots or slashes, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(name[:256])[:MAX_WORDS])


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS: dict[str, Does] = {}
"""Verb to what it does."""

for _does, _verbs in (
    (
        Does.READ,
        (
            "get read list ls fetch show describe view open cat load download retrieve head check inspect count"
            " peek info details whoami status stat export dump verify validate calculate compute summarize review diff"
        ),
    ),
    (Does.READ | Does.SEARCH, "search find query grep glob scan browse lookup rg filter"),
    (
        Does.WRITE,
        (
            "create add write update edit set put insert modify append save make new upsert rename move mv copy cp"
            " patch apply deploy merge commit reserve book schedule reschedule configure replace restore register start"
            " enable change scale tag label close reopen resolve archive cancel stop disable suspend deactivate"
            " detach unset redeploy restart rollback migrate import sync submit sign touch mkdir unprotect bypass skip"
            " mute turn escalate"
        ),
    ),
    (
        Does.DELETE,
        (
            "delete destroy remove rm drop purge wipe erase truncate terminate del deprovision unlink expunge nuke"
            " prune uninstall shred flush clear"
        ),
    ),
    (Does.SEND, "send post email publish forward share invite reply tweet notify upload transfer pay dm push mail"),
    (Does.GRANT | Does.WRITE, "grant authorize assign promote impersonate entitle"),
    (Does.EXECUTE, "run exec execute bash shell terminal python eval sh cmd powershell command invoke sudo"),
    (Does.ROTATE | Does.WRITE, "rotate renew regenerate reissue reset revoke"),
    (Does.WAIT, "wait sleep delay"),
    (Does.ASK, "ask confirm clarify approve"),
    (Does.ESCALATE, "elevate assume"),
):
    VERBS |= dict.fromkeys(_verbs.split(), _does)

DELETING = frozenset(verb for verb, does in VERBS.items() if does is Does.DELETE)
DISABLING = _set("disable remove delete stop suspend deactivate detach turn bypass skip unset mute unprotect")
WRITING = frozenset(verb for verb, does in VERBS.items() if does & Does.WRITE)
READING = frozenset(verb for verb, does in VERBS.items() if does & Does.READ)
ANY = frozenset(VERBS)

_CREDENTIALS = _set("secret secrets password passwords credential credentials token tokens apikey keypair passphrase")


@dataclass(frozen=True)
class Deed:
    """A verb and a noun that mean something together. All of `nouns` are alternatives."""

    name: str
    verbs: frozenset[str]
    nouns: frozenset[str]
    does: Does
    words: str
    fires: tuple[str, ...]
    quiet: tuple[str, ...]


_GONE = Does.DELETE | Does.IRREVERSIBLE

DEEDS = (
    Deed(
        "delete-backup",
        DELETING,
        _set("backup backups snapshot snapshots recovery pitr"),
        _GONE | Does.BACKUP,
        "deletes a backup",
        ("deleteBackup", "volume_snapshot_delete"),
        ("createBackup", "list_deleted_backups"),
    ),
    Deed(
        "delete-volume",
        DELETING,
        _set("volume volumes pvc pv disk disks ebs filesystem persistentvolumeclaim"),
        _GONE,
        "deletes a volume",
        ("volumeDelete", "mcp__railway__delete_volume"),
        ("volumeCreate", "get_volume"),
    ),
    Deed(
        "delete-database",
        DELETING,
        _set("database databases db dbs rds postgres mysql redis keyspace datastore warehouse"),
        _GONE,
        "deletes a database",
        ("drop_database", "DeleteDBInstance"),
        ("databaseList", "backup_database"),
    ),
    Deed(
        "delete-table",
        DELETING,
        _set("table tables collection collections dataset index"),
        _GONE,
        "deletes a table or collection",
        ("dropTable", "delete_collection"),
        ("list_tables", "create_table"),
    ),
    Deed(
        "delete-bucket",
        DELETING,
        _set("bucket buckets blobs s3"),
        _GONE,
        "deletes a storage bucket",
        ("deleteBucket", "remove_bucket"),
        ("list_buckets", "getBucket"),
    ),
    Deed(
        "delete-repository",
        DELETING,
        _set("repo repos repository repositories"),
        _GONE,
        "deletes a repository",
        ("delete_repository", "repoDelete"),
        ("create_repo", "fork_repository"),
    ),
    Deed(
        "delete-environment",
        DELETING,
        _set(
            "environment environments project projects cluster clusters namespace namespaces tenant workspace org"
            " organization subscription stack"
        ),
        _GONE,
        "deletes an environment, project or cluster",
        ("environmentDelete", "delete_project"),
        ("projectCreate", "list_environments"),
    ),
    Deed(
        "delete-audit-trail",
        DELETING,
        _set("log logs audit trail trails history logging"),
        _GONE | Does.AUDIT,
        "deletes logs or an audit trail",
        ("delete_log_group", "DeleteTrail"),
        ("read_logs", "get_history"),
    ),
    Deed(
        "disable-protection",
        DISABLING,
        _set(
            "protection protections guard guardrail guardrails mfa 2fa safeguard"
            " safeguards firewall lock rulesets ruleset"
        ),
        Does.WRITE | Does.SAFEGUARD,
        "turns a protection off",
        ("disable_deletion_protection", "removeBranchProtection"),
        ("enable_branch_protection", "get_protection"),
    ),
    Deed(
        "disable-audit",
        DISABLING - DELETING,
        _set("audit logging trail trails monitoring alerting alerts logs"),
        Does.WRITE | Does.AUDIT,
        "turns auditing or monitoring off",
        ("stop_logging", "disable_audit"),
        ("enable_audit", "get_audit_log"),
    ),
    Deed(
        "rotate-credential",
        _set("rotate renew regenerate reissue reset revoke update change set"),
        _CREDENTIALS,
        Does.WRITE | Does.ROTATE,
        "changes a credential",
        ("rotateToken", "update_password"),
        ("get_password_policy_status", "update_profile"),
    ),
    Deed(
        "rotate-key",
        _set("rotate renew regenerate reissue revoke"),
        _set("key keys certificate certificates cert"),
        Does.WRITE | Does.ROTATE,
        "changes a key or certificate",
        ("rotate_api_key", "renewCertificate"),
        ("update_key_result", "list_keys"),
    ),
    Deed(
        "create-credential",
        _set("create add new make issue generate mint register"),
        _CREDENTIALS | _set("apikeys accesskey sshkey"),
        Does.WRITE | Does.GRANT,
        "makes a new credential",
        ("create_access_token", "generateSecret"),
        ("create_user", "generate_report"),
    ),
    Deed(
        "read-credential",
        READING,
        _CREDENTIALS,
        Does.READ | Does.OPEN_CREDENTIAL,
        "reads a stored credential",
        ("get_secret_value", "listCredentials"),
        ("get_user", "count_tokenizer_words"),
    ),
    Deed(
        "grant-access",
        _set("grant add attach assign put authorize promote set create give bind enable"),
        _set(
            "role roles access permission permissions admin collaborator policy iam privilege privileges owner acl"
            " rolebinding member binding"
        ),
        Does.WRITE | Does.GRANT,
        "grants access",
        ("grant_access", "addCollaborator"),
        ("list_roles", "get_permissions"),
    ),
    Deed(
        "escalate-privileges",
        _set("escalate elevate assume"),
        _set(
            "privilege privileges permission permissions role roles rights authority access admin root superuser"
            " identity principal scope scopes"
        ),
        Does.ESCALATE,
        "takes on more authority",
        ("escalate_privileges", "AssumeRole"),
        # A ticket that goes to second-level support is escalated too.
        ("escalate_ticket", "ticket.escalate", "escalateCase"),
    ),
    Deed(
        "delete-account",
        DELETING,
        _set("user users account accounts member members customer customers"),
        Does.DELETE,
        "deletes an account or a person's membership",
        ("delete_user", "removeMember"),
        ("get_user", "create_account"),
    ),
)

_BY_VERB: dict[str, tuple[Deed, ...]] = {
    verb: tuple(deed for deed in DEEDS if verb in deed.verbs) for verb in {v for deed in DEEDS for v in deed.verbs}
}

SOMETHING_DELETED = Deed(
    "delete-something", DELETING, frozenset(), Does.DELETE,
    "deletes something", ("delete_draft",), ("undelete_draft",),
)  # fmt: skip


@lru_cache(maxsize=8192)
def classify(words: tuple[str, ...]) -> tuple[int, Deed | None]:
    """What the words of a name do: flags of the governing verb, and the deed that it makes with a noun."""
    for position, word in enumerate(words):
        does = VERBS.get(word)
        others = words[:position] + words[position + 1 :]
        for deed in _BY_VERB.get(word, ()):
            if not deed.nouns.isdisjoint(others):
                return int((does or Does(0)) | deed.does), deed
        if does is not None:
            return int(does), SOMETHING_DELETED if word in DELETING else None
    return 0, None
