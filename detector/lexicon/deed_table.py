"""Deeds: a verb and a noun that mean something together. The first that fits holds."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from dataclasses import dataclass

from detector.lexicon.verbs import DELETING, DISABLING, READING, SCREENSHOT, nouns, words
from detector.records import Does

_NOTHING = Does(0)


@dataclass(frozen=True)
class Deed:
    """A verb and a noun that mean something together. All of `nouns` are alternatives; none: any."""

    name: str
    verbs: frozenset[str]
    nouns: frozenset[str]
    does: Does
    words: str
    """For people: what the call does, as a verb in the third person."""
    fires: tuple[str, ...]
    quiet: tuple[str, ...]
    anywhere: bool = False
    """Whether the noun may stand anywhere in what is named, and not only as its last one."""
    beside: frozenset[str] = frozenset()
    """Words of which one must stand in the name as well; none: no matter."""
    unless: frozenset[str] = frozenset()
    """Words none of which may."""
    without: Does = _NOTHING
    """What such a call does not do, whatever its verb says."""

    def fits(self, phrase: tuple[str, ...], noun: str, name: frozenset[str]) -> bool:
        """Whether a name of this verb is of this deed. `phrase`: what the verb is done to; `noun`: its last noun."""
        last = noun in self.nouns or (phrase and phrase[-1] in self.nouns)
        if self.nouns and not last and (not self.anywhere or self.nouns.isdisjoint(phrase)):
            return False
        if self.beside and self.beside.isdisjoint(name):
            return False
        return self.unless.isdisjoint(name)


_GONE = Does.DELETE | Does.IRREVERSIBLE

CREDENTIALS = nouns(
    "secret password credential token apikey apitoken accesskey secretkey privatekey keypair passphrase connectionstring"
    " accesstoken refreshtoken authtoken kubeconfig passwd dotenv signingkey pat otp servicerole"
)
"""What is kept secret. A token of a text has other words behind it: `token_count`."""

PROTECTIONS = nouns(
    "protection guard guardrail mfa 2fa safeguard firewall lock ruleset waf antivirus rls rowlevel approval gate statuscheck"
    " policyset captcha sandbox networkpolicy confirmation verification ratelimit quota encryption versioning softdelete hold"
    " monitor detector scanner enforcement alarm publicaccess safety interlock"
) | words(
    "monitoring alerting alerts scanning defender guardduty retention compliance consent security moderation tls ssl branchprotection"
)
_NOT_PROTECTED = words(
    "status state door screen orientation scroll caps comment record message spam task email test keyboard"
    " notification notifications label tag"
)

_BACKUPS = nouns("backup snapshot recoverypoint volumesnapshot dbsnapshot") | words("pitr recovery")
_GIVING = words(
    "grant add attach assign put authorize promote set create give bind enable invite update change make insert upsert share entitle allow permit"
)
_AUDITED = nouns("audit trail cloudtrail loggroup logstream auditlog") | words("logging syslog auditing")

DEEDS = (
    Deed(
        "delete-backup", DELETING | words("expire"), _BACKUPS, _GONE | Does.BACKUP, "deletes a backup",
        ("deleteBackup", "volume_snapshot_delete", "volumeInstanceBackupDelete"), ("createBackup", "list_deleted_backups"),
        unless=words("schedule policy plan"),
    ),
    Deed(
        "delete-backups", DELETING, nouns("vault repository bucket set chain file") | words("history"), _GONE | Does.BACKUP,
        "deletes what backups are kept in", ("DeleteBackupVault", "remove_backup_chain"), ("delete_vault", "delete_backup_schedule"), beside=_BACKUPS,
    ),
    Deed(
        "disable-backups", DISABLING, _BACKUPS, Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups off",
        ("disableBackups", "stop_automated_backups", "delete_backup_schedule"), ("enable_backups", "listBackups"), anywhere=True,
    ),
    Deed(
        "delete-audit-trail", DELETING, _AUDITED | nouns("log"), _GONE | Does.AUDIT, "deletes logs or an audit trail",
        ("delete_log_group", "DeleteTrail", "clear_audit_log"), ("read_logs", "get_history"), anywhere=True,
        unless=words("food meal workout sleep exercise travel change debug build console work fishing blog entry"),
    ),
    Deed(
        "erase-history", DELETING, words("history"), _GONE | Does.AUDIT, "erases a history of what was done",
        ("clear_shell_history", "delete_access_history"), ("get_shell_history", "clear_chat_history", "clear_history"),
        beside=words("shell bash zsh terminal command commands audit access activity login system change event git"),
    ),
    Deed(
        "disable-audit", DISABLING - DELETING, _AUDITED | nouns("log"), Does.WRITE | Does.AUDIT, "turns an audit trail off",
        ("stop_logging", "disable_audit", "auditLogStreamDisable"), ("enable_audit", "get_audit_log"), anywhere=True,
        unless=words("debug verbose console"),
    ),
    Deed(
        "disable-protection", DISABLING, PROTECTIONS, Does.WRITE | Does.SAFEGUARD, "turns a protection off",
        ("disable_deletion_protection", "removeBranchProtection", "turn_off_deletion_protection", "skip_approval", "deleteBranchProtectionRule"),
        ("enable_branch_protection", "get_protection", "release_lock"), anywhere=True, unless=_NOT_PROTECTED,
        without=Does.BROAD,
    ),
    Deed(
        "skip-checks", words("skip bypass override ignore suppress dismiss disable"),
        nouns("check review test hook validation policy rule confirmation approval requirement restriction permission limit warning"),
        Does.WRITE | Does.SAFEGUARD, "passes over a check", ("bypass_policy", "skipReview", "override_restrictions"), ("run_checks", "skip_track"),
        anywhere=True,
    ),
    Deed(
        "reset-mfa", words("reset"), words("mfa"), Does.WRITE | Does.SAFEGUARD, "takes away a second factor",
        ("reset_mfa", "resetTwoFactor"), ("get_mfa",),
    ),
    Deed(
        "delete-volume", DELETING | words("format"), nouns("drive volume pvc pv disk ebs filesystem persistentvolumeclaim persistentvolume efs partition lun"),
        _GONE, "deletes a volume", ("volumeDelete", "mcp__railway__delete_volume", "storage.volumes.delete"),
        ("volumeCreate", "get_volume", "remove_volume_tag"),
    ),
    Deed(
        "delete-database", DELETING,
        nouns("database db rds postgres mysql redis keyspace datastore warehouse catalog mongodb dynamodb postgresql sqlite mariadb elasticsearch"
              " opensearch sql cloudsql pg addon cosmosdb spanner bigtable vectorstore memorystore"), _GONE,
        "deletes a database", ("drop_database", "DeleteDBInstance", "db/destroy", "DELETE-Database"), ("databaseList", "backup_database", "delete_database_user"),
    ),
    Deed(
        "delete-table", DELETING, nouns("table collection dataset schema topic queue stream ledger"), _GONE, "deletes a table or collection",
        ("dropTable", "delete_collection", "truncateTable"), ("list_tables", "create_table", "delete_table_row"),
        unless=words("contents route routing footnote pivot figure html word"),
    ),
    Deed(
        "delete-index", DELETING, nouns("index"), _GONE, "deletes a search index",
        ("elasticsearch.delete_index", "pinecone__delete-index"), ("drop_index", "create_index"),
        beside=words("elastic elasticsearch opensearch es pinecone vector vectorstore search meili meilisearch typesense algolia weaviate qdrant"),
    ),
    Deed(
        "delete-bucket", DELETING, nouns("bucket blob s3") | words("objects"), _GONE, "deletes a storage bucket, or what is in it",
        ("deleteBucket", "remove_bucket", "empty_bucket"), ("list_buckets", "getBucket", "delete_bucket_policy"),
    ),
    Deed(
        "delete-repository", DELETING, nouns("repo repository registry"), _GONE, "deletes a repository",
        ("delete_repository", "repoDelete"), ("create_repo", "fork_repository"),
    ),
    Deed(
        "delete-environment", DELETING,
        nouns("environment project cluster namespace tenant workspace org organization subscription stack app application resourcegroup crd enterprise"
              " site userpool keyvault vault infrastructure infra"),
        _GONE | Does.BROAD, "deletes an environment, project or cluster",
        ("environmentDelete", "delete_project", "deleteApp"), ("projectCreate", "list_environments", "cancel_subscription", "delete_project_member"),
        unless=words("newsletter email push webhook notification calendar"),
    ),
    Deed(
        "delete-key", DELETING, nouns("masterkey kek"), _GONE, "deletes an encryption key",
        ("delete_encryption_key", "destroy_kms_key"), ("create_kms_key",),
    ),
    Deed(
        "delete-folder", DELETING, nouns("directory folder tree path"), _GONE, "deletes a folder",
        ("delete_directory", "removeFolder"), ("create_directory", "list_folder"), unless=words("critical svg"),
    ),
    Deed(
        "empty-trash", words("empty purge clear"), words("trash bin trashcan spam junk"), _GONE | Does.BROAD, "empties the trash",
        ("empty_trash", "purgeTrash"), ("move_to_trash", "trash_email"),
    ),
    Deed(
        "reset-state", words("reset"), nouns("database db environment device cluster schema table store volume queue collection factory stack index topic")
        | words("data everything pg postgres mysql redis mongo"), _GONE, "resets to nothing what was kept",
        ("reset_database", "factoryReset"), ("reset_form", "reset_password"), unless=words("password pool statistics view"),
    ),
    Deed(
        "rotate-credential", words("rotate renew regenerate reissue reset revoke update change set put roll replace refresh"),
        CREDENTIALS - nouns("connectionstring"), Does.WRITE | Does.ROTATE, "changes a credential",
        ("rotateToken", "update_password", "reset_user_password", "rotateApiKey"), ("get_password_policy_status", "update_profile", "reset_password_email"),
        unless=words("max limit device policy count budget"),
    ),
    Deed(
        "rotate-key", words("rotate renew regenerate reissue revoke roll"), nouns("key certificate cert license"), Does.WRITE | Does.ROTATE,
        "changes a key or certificate", ("rotate_signing_keys", "renewCertificate"), ("update_key_result", "list_keys"),
    ),
    Deed(
        "rotate-nothing", words("regenerate renew reissue rotate refresh"), frozenset(), Does.WRITE, "makes something again",
        ("regenerate_report", "renewSubscription", "rotate_image"), ("rotate_keys", "rotateAndRevokeAll"),
        unless=CREDENTIALS | nouns("key certificate cert all") | words("and all"), without=Does.ROTATE,
    ),
    Deed(
        "add-key", words("add create put upload import register insert set attach install"), nouns("deploykey sshkey authorizedkey publickey"),
        Does.WRITE | Does.GRANT, "lets the holder of a key in", ("add_deploy_key", "createSshKey"), ("list_ssh_keys", "create_api_key"),
    ),
    Deed(
        "create-credential", words("create add new make issue generate mint register provision"),
        CREDENTIALS | nouns("appkey"), Does.WRITE | Does.ROTATE, "makes a new credential",
        ("create_access_token", "generateSecret", "apiTokenCreate"), ("create_user", "generate_report", "create_token_bucket"),
        unless=words("payment card push device bucket limit count nft erc20 mint crypto"),
    ),
    Deed(
        "create-key", words("create add new make issue generate mint register provision"), nouns("key"), Does.WRITE | Does.ROTATE, "makes a new key",
        ("create_service_account_key", "generateHmacKey"), ("create_key", "add_key_result"),
        beside=nouns("serviceaccount iam storage hmac signing encryption webhook gpg pgp admin root account master"),
    ),
    Deed(
        "list-credentials", words("list ls enumerate"), CREDENTIALS, Does.READ | Does.SEEK_CREDENTIAL, "lists which credentials there are",
        ("list_secrets", "listCredentials"), ("list_users", "list_secret_names"),
    ),
    Deed(
        "seek-credential", words("search find grep scan locate discover query crawl"), CREDENTIALS, Does.READ | Does.SEARCH | Does.SEEK_CREDENTIAL,
        "searches for credentials", ("search_secrets", "findCredentials"), ("search_docs", "find_token_price"),
    ),
    Deed(
        "read-credential", READING - words("list ls enumerate search find grep scan locate discover query crawl count verify validate check calculate compute"
                                           " status stat summarize compare estimate measure diff head info"),
        CREDENTIALS | nouns("envvar"), Does.READ | Does.OPEN_CREDENTIAL, "reads a stored credential",
        ("get_secret_value", "readCredentials", "get_connection_string"), ("get_user", "count_tokenizer_words", "get_token_count"),
        unless=words("payment next page cursor metadata price balance transfer policy holders"),
    ),
    Deed(
        "dump-environment", words("dump print export show reveal list get read"), nouns("envvar") | words("env environ environment"),
        Does.READ | Does.OPEN_CREDENTIAL, "prints the environment", ("dumpEnvironment", "print_env", "list_env_vars"), ("get_environment", "list_environments"),
        beside=nouns("envvar") | words("env environ dump print"),
    ),
    Deed(
        "read-vault", words("read get list dump export show"), frozenset(), Does.READ | Does.OPEN_CREDENTIAL, "reads from a vault",
        ("vault.read", "vault.list_and_read_all"), ("vault.status", "list_vaults"), beside=words("vault"),
        unless=words("status health vaults seal obsidian names metadata policy policies note notes token audit mounts auth"),
    ),
    Deed(
        "escalate-privileges", words("escalate elevate assume impersonate switch become act request raise widen extend run exec execute"),
        nouns("asadmin privilege permission role right scope identity principal superuser elevation") | words("authority access admin root sudo administrator"),
        Does.ESCALATE, "takes on more authority", ("escalate_privileges", "AssumeRole", "switch_role", "request_scope"),
        # A ticket that goes to second-level support is escalated too.
        ("escalate_ticket", "ticket.escalate", "escalateCase"),
    ),
    Deed(
        "impersonate", words("impersonate become"), nouns("user account customer admin owner service serviceaccount"), Does.ESCALATE,
        "acts as somebody else", ("impersonate_user", "becomeOwner"), ("create_user",),
    ),
    Deed(
        "create-role", words("create make new"), nouns("role"), Does.WRITE, "makes a role", ("create_role", "CreateIAMRole"), ("grant_role", "create_role_binding"),
    ),
    Deed(
        "grant-access", _GIVING,
        nouns("role permission collaborator privilege owner acl rolebinding member binding membership maintainer acces entitlement ownership clusterrolebinding")
        | words("access admin iam administrator superuser rbac"),
        Does.WRITE | Does.GRANT, "grants access", ("grant_access", "addCollaborator", "projectMemberAdd", "admin.users.setAdmin"),
        ("list_roles", "get_permissions", "revoke_role"), unless=words("mode note token tokens log key"),
    ),
    Deed(
        "grant-policy", words("attach put bind add set assign update"), nouns("policy iampolicy"), Does.WRITE | Does.GRANT, "grants rights by a policy",
        ("attach_user_policy", "putBucketPolicy", "setIamPolicy"), ("get_policy", "set_retention_policy", "add_insurance_policy"),
        beside=nouns("bucket iam role user group resource key queue repository topic access principal function secret account"),
    ),
    Deed(
        "promote-person", words("promote elevate raise"), frozenset(), Does.WRITE | Does.GRANT, "gives somebody a higher role",
        ("promote_to_admin", "promoteUserToOwner"), ("promote_release",), beside=words("admin owner maintainer moderator superuser administrator"),
    ),
    Deed(
        "give-admin", _GIVING, nouns("user account member person serviceaccount employee"), Does.WRITE | Does.GRANT, "makes an account with power over others",
        ("create_user_with_admin_role", "add_user_as_owner"), ("create_user",),
        beside=words("admin owner superuser administrator root asadmin"), unless=words("note email message page panel"),
    ),
    Deed(
        "transfer-ownership", words("transfer"), nouns("ownership owner project repository repo app domain service workspace database organization"), Does.WRITE | Does.GRANT, "makes somebody else the owner",
        ("transfer_ownership", "projectTransfer"), ("transfer_file",), without=Does.SEND,
    ),
    Deed(
        "transfer-case", words("transfer"), nouns("issue ticket case call conversation chat reservation"), Does.WRITE, "hands a case to others",
        ("transferIssue",), ("transfer_money",), without=Does.SEND,
    ),
    Deed(
        "add-to-group", words("add invite join"), nouns("user people person member email account guest contributor") | words("everyone admin owner"),
        Does.WRITE | Does.GRANT, "lets somebody into a group", ("add_user_to_team", "invite_user"), ("add_user_note", "add_user_to_channel"),
        beside=nouns("group team org organization project role workspace repository enterprise account tenant") | words("invite slack"),
        unless=words("event meeting calendar"),
    ),
    Deed(
        "make-public", words("set make mark update change enable put allow share open"), words("public publicly anonymous everyone internet world publicaccess"),
        Does.WRITE | Does.GRANT, "opens something to the public", ("setBucketPublic", "make_repo_public", "enable_public_access"),
        ("get_public_url", "block_public_access"), anywhere=True, unless=words("key keys url ip holiday block"),
    ),
    Deed(
        "send-share", words("share"), nouns("screen location thought idea result finding post"), Does.SEND, "shares with people",
        ("share_location", "shareThought"), ("share_file",), without=Does.GRANT,
    ),
    Deed(
        "push-force", words("push"), frozenset(), Does.WRITE | Does.DELETE | Does.BROAD, "overwrites a remote branch",
        ("force_push", "git_push_force"), ("git_push",), beside=words("force forced"), without=Does.SEND,
    ),
    Deed(
        "schedule-deletion", words("schedule initiate start request confirm force execute trigger run perform queue"),
        nouns("deletion removal destruction termination"), Does.DELETE, "has something deleted", ("schedule_key_deletion", "initiateAccountDeletion"),
        ("cancel_key_deletion", "get_deletion_policy"), without=Does.EXECUTE,
    ),
    Deed(
        "push-code", words("push"), frozenset(), Does.WRITE, "pushes to a repository",
        ("push_files", "git.push"), ("push_notification",), without=Does.SEND, beside=nouns("file commit branch code change tag ref image") | words("git github gitlab"),
    ),
    Deed(
        "delete-customer", DELETING, nouns("customer patient tenantuser"), _GONE, "deletes a customer with all that hangs on it",
        ("delete_customer", "customerDelete"), ("update_customer", "delete_customer_note"),
    ),
    Deed(
        "delete-account", DELETING, nouns("user account member contact employee person profile identity collaborator serviceaccount guest"), Does.DELETE,
        "deletes an account or a person's membership", ("delete_user", "removeMember"), ("get_user", "create_account"),
    ),
    Deed(
        "make-backup", words("create make take start trigger run add enable schedule restore copy import new put"), _BACKUPS | nouns("dump"), Does.WRITE | Does.BACKUP,
        "makes or uses a backup", ("create_backup", "volumeInstanceBackupCreate"), ("take_snapshot", "browser_snapshot"), unless=SCREENSHOT | words("code"),
        anywhere=True,
    ),
    Deed(
        "plan-backups", words("set update change put modify configure"), _BACKUPS, Does.WRITE | Does.BACKUP, "changes how backups are made",
        ("set_backup_retention", "updateBackupSchedule"), ("set_retention",), anywhere=True, unless=SCREENSHOT,
    ),
    Deed(
        "read-backup", READING, _BACKUPS, Does.READ | Does.BACKUP, "reads about backups", ("list_backups", "getSnapshot"),
        ("browser_get_snapshot", "list_volumes"), unless=SCREENSHOT,
    ),
    Deed(
        "dump-database", words("dump"), nouns("database db schema table collection"), Does.READ | Does.BACKUP, "dumps a database",
        ("dump_database", "dbDump"), ("dump_config",),
    ),
    Deed(
        "back-up", words("backup snapshot checkpoint"), frozenset(), Does.WRITE | Does.BACKUP, "makes a backup",
        ("backup_database", "snapshot_volume"), ("browser_snapshot", "page.snapshot"), unless=SCREENSHOT | READING | words("model training test"),
    ),
    Deed(
        "picture", words("snapshot take capture"), frozenset(), Does.READ, "takes a picture of something", ("browser_snapshot", "take_screenshot", "take_snapshot"),
        ("take_order", "snapshot_volume"), beside=nouns("snapshot screenshot picture photo"), without=Does.WRITE,
    ),
    Deed(
        "ask-person", words("ask confirm clarify request prompt consult get escalate await wait poll review"),
        nouns("human approval confirmation person operator supervisor manager clarification") | words("feedback input user"), Does.ASK, "asks a person",
        ("request_approval", "request_human_input", "ask_user"), ("get_user", "confirm_booking", "list_approvals"),
        anywhere=True,
        beside=words("ask confirm clarify request prompt consult escalate human confirmation"), unless=words("status list email pullrequest github pull merge"),
    ),
    Deed(
        "confirm-alone", words("confirm"), frozenset(), Does.ASK, "asks a person",
        ("confirm_action", "confirm_with_user"), ("confirm_booking", "confirm_payment"),
        beside=words("user human with person operator action confirmation deletion delete dialog before"),
    ),
    Deed(
        "hand-to-person", words("escalate transfer hand request call"), frozenset(), Does.ASK, "hands over to a person",
        ("escalate_to_human", "transfer_to_human_agents"), ("transfer_money", "escalate_ticket"),
        beside=words("human humans person operator supervisor"), without=Does.SEND | Does.EXECUTE,
    ),
    Deed(
        "open-mode", words("set change switch update"), nouns("mode"), Does.WRITE, "changes how much is asked",
        ("set_permission_mode", "change_approval_mode"), ("set_mode", "get_permission_mode"), beside=nouns("permission approval sandbox"),
    ),
)  # fmt: skip

SOMETHING_DELETED = Deed(
    "delete-something", DELETING, frozenset(), Does.DELETE,
    "deletes something", ("delete_draft",), ("undelete_draft",),
)  # fmt: skip
