"""Words that tell what an argument is, what a program does, and what may be deleted without a thought."""

from __future__ import annotations

from detector.records import Does


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- argument names, in lower case without `_` and `-` ------------------------------------

SHELL_KEYS = _set("command cmd commands script shell bash commandline shellcommand cmdline input fullcommand")
SQL_KEYS = _set("sql statement sqlquery querysql querytext")
QUERY_KEYS = _set("query q graphql operation document mutation")
SEEK_KEYS = _set("pattern regex regexp search searchterm keyword keywords searchquery glob needle")
URL_KEYS = _set("url uri endpoint href link address baseurl apiurl")
PATH_KEYS = _set(
    "path file filepath filename dir directory folder source src destination dest target paths files root cwd"
    " targetfile notebookpath"
)
CODE_KEYS = _set("code python pythoncode sourcecode js javascript snippet program")
PROSE_KEYS = _set(
    "content contents text message body description comment title subject prompt thought thoughts reason reasoning"
    " summary explanation oldstr newstr oldstring newstring oldtext newtext filetext patch diff note notes data value"
    " replacement instructions question answer html markdown caption details rationale justification todos edits"
)
"""What a person or a file will read: no act, whatever it says."""
BODY_KEYS = _set("body data json payload requestbody jsonbody content")
HEADER_KEYS = _set("headers header httpheaders requestheaders")
METHOD_KEYS = _set("method httpmethod verb")
REQUEST_KEYS = URL_KEYS | BODY_KEYS | HEADER_KEYS | METHOD_KEYS
TARGET_KEYS = tuple(
    "id name host database bucket table volume recipient to email account user repo branch target resource key".split()
)
"""Ends of the names of arguments whose value is what a call acts on."""

# --- tool names ---------------------------------------------------------------------------

SHELL_WORDS = _set("bash shell sh terminal command cmd zsh powershell console exec subprocess cli")
SQL_WORDS = _set("sql postgres postgresql mysql sqlite psql bigquery snowflake db database clickhouse duckdb")
CODE_WORDS = _set("python code ipython notebook jupyter repl interpreter javascript node")
GRAPHQL_WORDS = _set("graphql gql")
SEARCH_WORDS = _set("grep search find glob rg ripgrep lookup locate")

# --- programs -----------------------------------------------------------------------------

PROGRAMS: dict[str, int] = {
    program: int(does)
    for does, programs in (
        (
            Does.READ,
            (
                "ls cat head tail less more pwd echo printf wc file stat du df ps top id whoami date which type tree"
                " diff cmp env printenv sort uniq cut tr jq yq awk column nl tac md5sum sha256sum uname hostname true"
                " false test [ xxd od strings history man help cd read"
            ),
        ),
        (Does.READ | Does.SEARCH, "grep egrep fgrep zgrep rg ag ack find fd locate findstr"),
        (Does.WRITE, "touch mkdir cp mv ln tee chmod chown tar unzip zip gzip sed patch install"),
        (Does.DELETE, "rm unlink shred rmdir dropdb"),
        (Does.WAIT, "sleep wait"),
    )
    for program in programs.split()
}
"""What a program does when no more is known of the command; one that isn't here is EXECUTE."""

GIT: dict[str, int] = {
    verb: int(does)
    for does, verbs in (
        (Does.READ, "status log diff show branch blame remote fetch ls-files rev-parse describe grep config"),
        (
            Does.WRITE,
            "add commit checkout switch merge rebase stash tag restore clone pull init apply cherry-pick rm mv reset",
        ),
        (Does.WRITE | Does.SEND, "push"),
    )
    for verb in verbs.split()
}

SEARCHERS = _set("grep egrep fgrep zgrep rg ag ack")
INTERPRETERS = _set("python python3 python2 node ruby perl deno bun php")
SQL_CLIENTS = _set("psql mysql sqlite3 mariadb sqlcmd bq duckdb clickhouse-client cockroach")
SAYING = SEARCHERS | _set(
    "find fd echo printf npm npx yarn pnpm pip pip3 pytest cargo make tox node git man sed awk python python3 perl ruby"
)
"""Programs whose words name no place where they act: `grep production`, `npm install --production`."""
MANAGERS = _set(
    "railway aws gcloud az fly flyctl heroku doctl gh glab vercel netlify supabase render linode-cli hcloud ibmcloud"
    " oci kubectl oc neonctl planetscale pscale turso wrangler firebase eksctl scw cf stripe"
)
"""Programs whose subcommands name a resource and a verb."""

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
