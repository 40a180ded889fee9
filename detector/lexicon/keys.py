"""Names of arguments and words of tools' names that tell what a text is."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- names of arguments, in lower case without `_` and `-` --------------------------------

SHELL = _set(
    "command cmd commands script shell bash commandline shellcommand cmdline input fullcommand clicommand"
    " bashcommand terminalcommand cli args argv execcommand runcommand"
)
SQL = _set(
    "sql statement sqlquery querysql querytext sqlstatement sqltext statements rawsql rawquery migration ddl dml"
)
QUERY = _set("query q graphql operation document mutation graphqlquery querystring gql")
SEEK = _set(
    "pattern regex regexp search searchterm keyword keywords searchquery glob needle searchpattern globpattern term"
)
URL = _set("url uri endpoint href link address baseurl apiurl requesturl")
PATH = _set(
    "path file filepath filename dir directory folder source src destination dest target paths files root cwd"
    " targetfile notebookpath sourcepath destinationpath from to oldpath newpath absolutepath relativepath"
)
CODE = _set("code python pythoncode sourcecode js javascript snippet program")
PROSE = _set(
    "content contents text message body description comment title subject prompt thought thoughts reason reasoning"
    " summary explanation oldstr newstr oldstring newstring oldtext newtext filetext patch diff note notes data"
    " value replacement instructions question answer html markdown caption details rationale justification todos"
    " edits questions resolution feedback commitmessage options story plan steps goal objective task"
)
"""What a person or a file will read: no act, whatever it says."""
BODY = _set("body data json payload requestbody jsonbody content requestdata jsondata")
HEADER = _set("headers header httpheaders requestheaders")
METHOD = _set("method httpmethod verb requestmethod")
REQUEST = URL | BODY | HEADER | METHOD
ACTION = _set(
    "action op operation act task verb method command event subcommand operationtype actiontype requesttype commandtype"
)
KIND = _set("type kind resourcetype resource entity entitytype object objecttype model resourcekind itemtype")
DESTINATION = _set("destination dest destinationpath target newpath to output outputpath")

TARGETS = _set(
    "id ids name names arn arns host hosts hostname database databases db dbname bucket buckets table tables volume"
    " volumes recipient recipients to cc bcc email emails account accounts user users username usernames repo repos"
    " repository repositories branch branches target targets resource resources key keys queue topic instance"
    " instances service services server servers cluster clusters namespace project projects environment env app"
    " application domain collection collections index stream function group groups team channel channels org"
    " organization tenant customer member members vault secret device disk snapshot backup machine node nodes"
    " deployment release container image pod zone path paths file files dir directory folder source destination slug"
    " iban number url vm site workspace topics schema keyspace policy uri login owner principal assignee"
    " invitee grantee subscription alias identifier uuid guid ref sha ip cidr vpc subnet"
)
"""Last words of the names of arguments whose value is what a call acts on."""

NAMING = _set(
    "key name setting variable flag option property parameter settingname featureflag flagname variablename"
    " attribute field"
)
GIVEN = _set("value enabled state newvalue on active status")
"""A setting by its name, and what it is set to."""

GROUPS = {
    "url": URL,
    "method": METHOD,
    "body": BODY,
    "headers": HEADER,
    "action": ACTION,
    "kind": KIND,
    "naming": NAMING,
    "given": GIVEN,
    "route": _set("path route resource requestpath pathname"),
    "host": _set("host hostname server domain authority"),
    "contents": _set("content contents text filetext data body newcontent"),
}
"""Arguments that are looked for by what they are for."""

STATEMENTS = _set("query sql statement stmt command q cypher ddl statements")
"""The same of arguments in others, whose value may be a statement."""

# --- words of tools' names ----------------------------------------------------------------

SHELL_TOOLS = _set("bash shell sh terminal command cmd zsh powershell console exec subprocess cli")
SQL_TOOLS = _set(
    "sql postgres postgresql mysql sqlite psql bigquery snowflake db database clickhouse duckdb mariadb redshift"
    " databricks trino athena"
)
CODE_TOOLS = _set("python code ipython notebook jupyter repl interpreter javascript node")
GRAPHQL_TOOLS = _set("graphql gql")
SEARCH_TOOLS = _set("grep search find glob rg ripgrep lookup locate")

PROGRAMS = {
    program: program
    for program in (
        "kubectl helm terraform tofu docker git gh aws gcloud az mongosh vault railway supabase heroku fly vercel"
        " rclone restic ansible pulumi systemctl oc wrangler gsutil podman bq netlify prisma rabbitmqctl"
    ).split()
} | {"redis": "redis-cli", "mongo": "mongosh", "flyctl": "fly", "kafka": "kafka-topics", "k8s": "kubectl"}
"""Programs that tools are named after, and the program that a call of the tool stands for."""
