"""Entries for SQL statements, as sql_text writes them: words between single blanks, in lower case, strings in quotes."""

# ruff: noqa: E501, S608 - a pattern is read in one piece, and no statement is made of it

from __future__ import annotations

from detector.lexicon.entries import Entry, Surface
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

COLUMN_WORD = (
    r"(?:passw(?:or)?ds?|passwd|pwd|passphrase|password_hash|pass_hash|encrypted_password|rolpassword|authentication_string|secrets?"
    r"|secret_keys?|client_secret|decrypted_secret|api_?keys?|apikey|access_?tokens?|refresh_?tokens?|auth_?tokens?|private_?keys?"
    r"|access_?keys?|credentials?|totp_secret|mfa_secret|token)"
)
_KEPT_IN = (
    r"(?:\S*(?:secret|credential|password|passwd|api_?key|access_?token|auth_?token|refresh_?token|private_?key)\S*|\S*\bpg_authid|\S*\bpg_shadow"
    r"|mysql\.user|\S*\bsql_logins|sys\.user\$|dba_users|mysql\.global_priv|\S*\bpg_user_mappings?)"
)
_SOUGHT = r"'[^']*(?:passw|pwd|secret|token|api.?key|credential|private.?key)[^']*'"
_OFF = r"(?:=|to|:=) '?(?:0|off|false|no|none|disabled|-1|fatal|panic)\b"
_AUDIT_SETTING = (
    r"(?:pgaudit\.\w+|log_statement|log_min_\w+|log_connections|log_disconnections|log_destination|logging_collector|general_log|slow_query_log"
    r"|log_output|audit_\w+|\w+_audit|server_audit\w*|sql_log_bin|unified_audit\w*|enable_audit\w*|log_queries|query_log\w*|log_duration|sql_log_off)"
)
AUDIT_TABLE = r"\S*(?:audit|(?:access|activity|security|admin|system|login|logon|query|query_thread|event|change|api|session|ddl|error)_?(?:logs?|history|trail|journal))\S*"
_GUARD = r"(?:polic(?:y|ies)|approvals?|protections?|mfa|guard\w*|safeguards?|two_factor|review_rules?|locks?)"


def _sql(name: str, pattern: str, does: Does, words: str, fires: str, quiet: str) -> Entry:
    return Entry(name, Surface.SQL, pattern, does, words, fires, quiet)


ENTRIES = (
    # --- what goes ------------------------------------------------------------------------
    _sql("cascade", r"(?:drop|truncate) .*\bcascade\b", Does.BROAD,
         "takes what depends on it along", "drop table a cascade", "alter table a add foreign key ( b ) references c on delete cascade"),
    _sql("drop-owned", r"drop owned by ", _GONE | Does.BROAD,
         "drops all that a role owns", "drop owned by app", "reassign owned by app to b"),
    _sql("drop-backup", r"(?:drop|delete) (?:backup|snapshot|time travel|restore point|failover group)\b|.*\b(?:sp_delete_backuphistory|delete_backup)\b", _GONE | Does.BACKUP,
         "deletes a backup of a database", "drop snapshot nightly", "create snapshot nightly"),
    _sql("purge-logs", r"purge (?:binary|master) logs|reset (?:master|binary logs)|.*\bpg_drop_replication_slot \(", _GONE | Does.BROAD | Does.BACKUP,
         "deletes the logs that a database is restored from", "purge binary logs before now ( )", "show binary logs"),
    _sql("purge-recyclebin", r"purge (?:dba_)?recyclebin|purge (?:table|tablespace|index) ", _GONE | Does.BROAD,
         "empties a database's recycle bin", "purge recyclebin", "show recyclebin"),
    _sql("purge", r"drop .* purge$", Does.IRREVERSIBLE,
         "drops past the recycle bin", "drop table a purge", "drop table purge_log"),
    _sql("drop-versions", r"vacuum .*\bretain 0\b|.*\bexpire_snapshots \(|.*\bremove_orphan_files \(|optimize table \S+ final cleanup", _GONE | Does.BROAD,
         "deletes a table's earlier versions", "vacuum delta.a retain 0 hours", "vacuum delta.a retain 168 hours"),
    _sql("expire", r"alter table .*\bttl\b.*\binterval '?[01]'? (?:second|minute|hour|day)|alter table .*\bttl .*\+ tointerval(?:second|minute|hour|day) \( ?[01] |alter .*\bdefault_time_to_live = [1-9]\d{0,3}\b"
                   r"|alter .*\b(?:partition_expiration_days|default_table_expiration_days|log_retention|retention) = '?[01]\b(?: ?day)?|alter retention policy .*\bduration (?:[1-9]\d?[smh]|1h|1d)\b"
                   r"|alter table .*\boptions \( expiration_timestamp|.*\b(?:add|alter)_retention_policy \( .*'(?:0|1) ?\w+'|.*\bdrop_chunks \(",
         Does.DELETE | Does.BROAD, "lets rows expire at once", "alter table a modify ttl at + interval 1 day", "alter table a modify ttl at + interval 1 year"),
    _sql("terminate-topic", r"drop (?:topic|stream|connector|pipe|stage|bucket|volume|external location|share|catalog|warehouse|compute pool)\b", _GONE,
         "drops a store outside of tables", "drop stream orders delete topic", "describe stream orders"),
    # --- who may do what ------------------------------------------------------------------
    _sql("grant", r"grant |add role |alter default privileges .*\bgrant |.*\b(?:sp_addrolemember|sp_addsrvrolemember|sp_grantlogin|sp_grantdbaccess)\b|alter (?:server )?role .*\badd member\b|alter group .*\badd user\b|.*\bdbms_network_acl_admin\.append", Does.GRANT | Does.WRITE,
         "grants rights in a database", "grant select on a to bob", "show grants for bob"),
    _sql("grant-all", r"(?:alter default privileges .*)?grant all\b|grant .*\b(?:on all |on \*|on future )|grant .*\bto public\b|grant .*\bany (?:table|privilege|role)", Does.BROAD,
         "grants rights over everything, or to everybody", "grant select on a to public", "grant select on a to bob"),
    _sql("create-user", r"create (?:or replace )?(?:user|login|account)\b|create role .*\b(?:login|superuser|createrole|createdb|bypassrls|password|in role|admin)\b|.*\b(?:sp_addlogin|sp_adduser)\b", Does.GRANT | Does.WRITE,
         "creates a database user", "create user bob with password 'x'", "create role reporting nologin"),
    _sql("give-authority", r"(?:create|alter) (?:user|role|login) .*\b(?:superuser|createrole|bypassrls|createdb|replication|accountadmin)\b", Does.GRANT | Does.ESCALATE,
         "gives a database user power over others", "alter role app with superuser", "alter role app nosuperuser"),
    _sql("set-role", r"set (?:(?:session|local) )?(?:role (?:= |to )?(?:'?[a-mo-z]|'?n[^o]|'?no[^n])|session authorization [^d]|authorization [^d])"
                     r"|execute as (?:login|user|owner|'|caller)|use (?:secondary )?roles? |setuser '|.*\bset_config \( '(?:role|session_authorization)'|alter session set current_schema = sys\b", Does.ESCALATE,
         "takes on another role's rights in a database", "set role postgres", "set role none"),
    _sql("change-password", r"(?:alter|create) (?:user|role|login) .*\b(?:password|identified (?:by|with|via)|rsa_public_key|api_?key)\b|set password\b|update .*\bset\b.*\b(?:\w*(?:password|passwd|secret|api_?key)\w*|\w*_token|token|token_hash) =|.*\b(?:sp_password|sp_change_users_login)\b"
                            r"|alter (?:secret|credential|database scoped credential|master key|column master key)\b|create (?:or replace )?(?:persistent )?(?:secret|credential|database scoped credential)\b|.*\bvault\.(?:create|update)_secret \(", Does.ROTATE | Does.WRITE,
         "changes a stored credential", "alter user bob password 'x'", "select password from users"),
    _sql("read-secrets", rf".*\b(?:from|join|table) {_KEPT_IN}(?: |$)|(?:select|with) (?:.* )?(?:\S+\.)?{COLUMN_WORD}\b(?: as \S+)?(?: ,.*)? from |.*\bpg_read_file \( '[^']*(?:\.env|\.pgpass|passwd|shadow|id_rsa|\.key|\.pem|credential)|.*\bshow create user\b", Does.OPEN_CREDENTIAL | Does.READ,
         "reads stored credentials", "select * from api_keys", "select token_type , sum ( tokens ) from usage"),
    _sql("seek-secrets", rf".*\b(?:information_schema\.|pg_attribute|sys\.columns|sys\.all_columns|sqlite_master|sqlite_schema|all_tab_columns|user_tab_columns|dba_tab_columns|system\.columns|pg_class|pg_tables|sys\.tables|pragma_table_info).*{_SOUGHT}|show (?:full )?(?:columns|tables|fields) .*{_SOUGHT}", Does.SEEK_CREDENTIAL | Does.READ,
         "searches a schema for credentials", "select 1 from information_schema.columns where column_name like '%passw%'", "select 1 from information_schema.columns where table_name = 'orders'"),
    # --- what protects --------------------------------------------------------------------
    _sql("row-security-off", r"alter table .*\b(?:disable|no force) row level security|set (?:local |session )?row_security (?:=|to) '?(?:off|false|0)|alter security policy .*\bstate = off", Does.SAFEGUARD | Does.WRITE,
         "turns row security off", "alter table a disable row level security", "alter table a enable row level security"),
    _sql("drop-policy", r"drop (?:row access |masking |network |password |session |security |authentication |aggregation |projection )?(?:policy|firewall|rule set|network rule|resource governor)\b|alter .*\b(?:unset|drop) (?:row access|masking|network|password|session|authentication|aggregation) policy", Does.SAFEGUARD | Does.WRITE,
         "removes a policy that protects data", "drop policy tenants on a", "create policy tenants on a"),
    _sql("checks-off", rf"set .*\b(?:foreign_key_checks|unique_checks|sql_safe_updates|check_constraint_checks|safe_updates|require_secure_transport|validate_password\S*|sql_require_primary_key|read_only|super_read_only|default_transaction_read_only|transaction_read_only) {_OFF}"
                       r"|set .*\bsession_replication_role (?:=|to) '?replica|.*\bset_config \( 'session_replication_role' , 'replica|alter table .*\bdisable (?:replica |always )?(?:trigger|constraint|keys?|rule)\b|disable trigger\b|alter table .*\bnocheck constraint|pragma (?:foreign_keys|ignore_check_constraints|cell_size_check) = (?:off|0|false|on|1)"
                       r"|alter .*\bdeletion_?protection\S* = '?(?:false|off|0|disabled)", Does.SAFEGUARD | Does.WRITE,
         "turns checks of a database off", "set foreign_key_checks = 0", "set foreign_key_checks = 1"),
    _sql("guard-off", rf"update \S*{_GUARD}\S* set .*\b(?:enabled|active|required|enforced|is_\w+) = (?:false|0|'off')", Does.SAFEGUARD | Does.WRITE,
         "turns a protection off that a row keeps", "update approval_rules set enabled = false", "update approval_rules set enabled = true"),
    _sql("backups-off", r"alter .*\b(?:data_retention_time_in_days|max_data_extension_time_in_days|min_data_retention_time_in_days) = 0\b|alter database .*\bset recovery simple|.*\bunschedule \( '[^']*(?:backup|dump|snapshot|archive)|alter system set (?:archive_mode|archive_command|wal_level|full_page_writes|summarize_wal) (?:=|to) '?(?:off|minimal||/bin/true|:)'?(?: |$)"
                        r"|alter database (?:\S+ )?(?:noarchivelog|flashback off)|alter (?:task|event|job|database) \S*(?:backup|dump|snapshot)\S* (?:suspend|disable)|drop (?:task|event|job|schedule) (?:if exists )?\S*(?:backup|dump|snapshot)|update \S*(?:backup|snapshot)\S* set .*\b(?:enabled|active|is_\w+) = (?:false|0|'off')|.*\b(?:sp_delete_job|sp_update_job)\b.*(?:backup|dump)"
                        r"|alter table .*\bdeletedfileretentionduration' = 'interval 0", Does.BACKUP | Does.SAFEGUARD | Does.WRITE,
         "ends a database's backups", "alter table a set data_retention_time_in_days = 0", "alter table a set data_retention_time_in_days = 90"),
    _sql("backup", r"(?:backup|restore|import|undrop) (?:database|log|table|schema|system|certificate)\b|create (?:or replace )?(?:snapshot|backup|restore point)\b|.*\bpg_(?:start_backup|backup_start|create_restore_point) \(|drop .*\bbackup\b", Does.BACKUP,
         "makes or uses a backup of a database", "backup database a to disk = '/b'", "select * from backups"),
    # --- what is written down -------------------------------------------------------------
    _sql("audit-off", rf"(?:alter (?:system|database|role|user|session)|set)\b.*\b{_AUDIT_SETTING} {_OFF}|noaudit\b|drop (?:server |database )?audit\b|alter (?:server |database )?audit .*\bstate = off|alter audit policy .*\bdisable|drop trigger .*audit|.*\bdisable trigger .*audit|drop event (?:session|notification) |alter event session .*\bstate = stop"
                      r"|alter account .*\bunset\b.*\blog_level|.*\bdbms_(?:audit_mgmt\.clean_audit_trail|fga\.(?:drop|disable)_policy)|.*\bcron\.unschedule \( '[^']*audit|.*\bsp_trace_setstatus|.*\bsp_cycle_errorlog|alter system reset (?:pgaudit\.\w+|log_statement)", Does.AUDIT | Does.WRITE,
         "turns a database's audit trail off", "alter system set log_statement = 'none'", "alter system set log_statement = 'all'"),
    _sql("erase-audit", rf"(?:delete from|truncate|truncate table|drop table|drop table if exists|delete) {AUDIT_TABLE}(?: |$)|update {AUDIT_TABLE} set ", Does.AUDIT | Does.WRITE,
         "changes or erases rows of an audit trail", "delete from audit_log where actor = 7", "select * from audit_log"),
    # --- what runs, leaves and waits ------------------------------------------------------
    _sql("run-program", r"copy .*\b(?:to|from) program '|.*\b(?:xp_cmdshell|sys_exec|sys_eval|system)\b (?:\( )?n?'|.*\b(?:sp_configure '?(?:xp_cmdshell|clr enabled|ole automation)|sp_oacreate|sp_execute_external_script)|create (?:or replace )?(?:trusted )?(?:language|extension) (?:if not exists )?(?:plpython|plperlu|pltclu|plsh)|.*\blo_export \(|.*\bdbms_scheduler\.create_job", Does.EXECUTE | Does.WRITE,
         "runs a program on a database's server", "copy a to program 'gzip'", "copy a to stdout"),
    _sql("call", r"(?:call|exec|do) |execute (?:'|[b-z@]|a[a-rt-z_])|begin declare ", Does.EXECUTE,
         "runs a procedure", "call sync ( )", "prepare a from 'select 1'"),
    _sql("send", r"copy .*\bto program '|(?:copy|unload|export|select|backup)\b.* (?:to|into|outfile|uri =|url =) '?(?:https?|s3|gs|gcs|azure|abfss?|ftp|sftp)://|.*\b(?:sp_send_dbmail|utl_http\.request|utl_smtp|utl_mail|http_post|net\.http_post|http_request|dblink_exec|dblink_connect|postgres_fdw)\b|.*\b(?:remote|url|s3|mysql|postgresql) \( '[^']*(?://|\d+\.\d+)[^)]*\).*\bselect\b|insert into function (?:url|remote|s3|file) ", Does.SEND,
         "sends a database's data elsewhere", "copy ( select 1 ) to program 'curl -t - a.b'", "copy ( select 1 ) to stdout"),
    _sql("wait", r".*\b(?:pg_sleep|pg_sleep_for|pg_sleep_until|sleep|benchmark|dbms_lock\.sleep|dbms_session\.sleep|system\$wait) \(|.*\bwaitfor (?:delay|time)\b", Does.WAIT,
         "waits in a database", "select pg_sleep ( 5 )", "select sleep_hours from nights"),
)  # fmt: skip

ROWS = {
    "drop-table": (_GONE | Does.BROAD, "drops a table"),
    "drop-database": (_GONE | Does.BROAD, "drops a database or schema"),
    "drop-other": (Does.DELETE, "drops a database object"),
    "drop-column": (_GONE, "drops a column"),
    "drop-partition": (_GONE, "drops or empties a partition"),
    "truncate": (_GONE | Does.BROAD, "empties a table"),
    "delete-all": (_GONE | Does.BROAD, "deletes every row of a table"),
    "delete-rows": (Does.DELETE, "deletes rows"),
    "delete-scratch": (Does.DELETE, "drops or empties a scratch table"),
    "update-all": (Does.WRITE | Does.BROAD, "changes every row of a table"),
    "overwrite": (Does.WRITE | Does.DELETE | Does.BROAD, "overwrites all rows of a table"),
    "replace-table": (Does.WRITE | Does.DELETE, "replaces a table"),
    "merge-delete": (Does.WRITE | Does.DELETE | Does.BROAD, "deletes the rows that a source lacks"),
    "alter": (Does.WRITE, "changes a table's shape"),
}
"""What is read from the order of words, not by a pattern."""
