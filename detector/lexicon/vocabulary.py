"""Words that tell what a program does, and what may be deleted without a thought."""

from __future__ import annotations

from detector.records import Does


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- programs -----------------------------------------------------------------------------

PROGRAMS: dict[str, int] = {
    program: int(does)
    for does, programs in (
        (
            Does.READ,
            (
                "ls cat head tail less more pwd echo printf wc file stat du df ps top id whoami date which type tree"
                " diff cmp env printenv sort uniq cut tr jq yq awk column nl tac md5sum sha256sum uname hostname true"
                " false test [ xxd od strings history man help cd read uptime dmesg free lscpu lsblk lsof"
                " ss netstat dig"
                " nslookup host ping getent groups last w jobs dot tflint checkov tfsec getfacl lsattr"
                " blkid base64 less zcat"
                " set alias column expr seq dirname basename realpath readlink sha1sum cksum bat dir findmnt mount-list"
                " where get-content get-childitem get-item get-process gc gci"
            ),
        ),
        (Does.READ | Does.SEARCH, "grep egrep fgrep zgrep rg ag ack find fd locate findstr"),
        (
            Does.WRITE,
            "touch mkdir cp mv ln tee chmod chown unzip zip gzip sed patch install copy move xcopy dd createdb",
        ),
        (Does.DELETE, "rm unlink shred rmdir dropdb del erase rd remove-item ri trash-put trash"),
        (Does.WAIT, "sleep wait"),
    )
    for program in programs.split()
}
"""What a program does when no more is known of the command; one that isn't here is EXECUTE."""

GIT: dict[str, int] = {
    verb: int(does)
    for does, verbs in (
        (
            Does.READ,
            (
                "status log diff show branch blame remote fetch ls-files rev-parse describe grep reflog"
                " fsck shortlog ls-remote ls-tree"
                " cat-file rev-list merge-base name-rev var count-objects whatchanged show-ref"
                " for-each-ref check-ignore cherry"
            ),
        ),
        (
            Does.WRITE,
            (
                "add commit checkout switch merge rebase stash tag restore clone pull init apply"
                " cherry-pick rm mv reset revert"
                " config am update-index update-ref symbolic-ref submodule worktree gc prune notes bisect"
                " sparse-checkout lfs format-patch"
            ),
        ),
        (Does.WRITE | Does.SEND, "push"),
    )
    for verb in verbs.split()
}

SEARCHERS = _set("grep egrep fgrep zgrep rg ag ack")
SQL_CLIENTS = _set(
    "psql mysql sqlite3 mariadb sqlcmd bq duckdb clickhouse-client cockroach cqlsh snowsql impala-shell hive beeline"
    " spark-sql trino presto usql pgcli mycli litecli isql osql sqlplus"
)
SAYING = SEARCHERS | _set(
    "find fd echo printf npm npx yarn pnpm pip pip3 pytest cargo make tox node git man sed awk python python3 perl ruby"
)
"""Programs whose words name no place where they act: `grep production`, `npm install --production`."""
# --- what is searched and deleted ---------------------------------------------------------

CODE_FILES = (".py", ".js", ".ts", ".go", ".java", ".rs", ".rb", ".c", ".cpp", ".h", ".tsx", ".jsx", ".html", ".rst")
CODE_STARTS = ("def ", "class ", "import ", "from ", "function ", "async def ")
"""A search in such files, or for such a begin of a line, looks for code: `grep "def password" *.py`."""

ASSETS = _set(
    "data database databases db backup backups volume volumes storage snapshot snapshots prod production live dump"
    " dumps pgdata mysql postgres bucket archive"
)
"""Names of what can't be made again."""
SCRATCH = _set(
    "build dist node_modules __pycache__ .pytest_cache .mypy_cache .ruff_cache .tox .venv venv target .next .cache"
    " coverage htmlcov .coverage out tmp temp .eggs *.egg-info *.pyc .nyc_output .turbo .parcel-cache *.o *.log *.tmp"
)
"""Names of what is made again at the next build."""
