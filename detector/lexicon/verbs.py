"""Verbs and nouns of names: what tools, mutations and routes are called by."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.records import Does


def words(text: str) -> frozenset[str]:
    """Words as they are."""
    return frozenset(text.split())


def nouns(text: str) -> frozenset[str]:
    """Words and their plurals."""
    return frozenset(form for word in text.split() for form in (word, _plural(word)))


def _plural(word: str) -> str:
    if word[-1] == "y" and word[-2] not in "aeo":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("x", "ch", "sh", "ss")) else f"{word}s"


VERBS: dict[str, Does] = {
    verb: does
    for does, verbs in (
        (
            Does.READ,
            (
                "get read list ls fetch show describe view open cat load download retrieve head check inspect count peek info"
                " details whoami status stat export dump verify validate calculate compute summarize review diff reveal decrypt"
                " print poll tail watch compare preview explain lookup measure estimate access introspect enumerate"
            ),
        ),
        (Does.READ | Does.SEARCH, "search find grep query glob scan browse rg filter locate discover crawl"),
        (
            Does.WRITE,
            (
                "create add write update edit set put insert modify append save make new upsert rename move mv copy cp patch"
                " apply deploy merge commit reserve book schedule reschedule configure replace restore register start enable"
                " change scale tag label close reopen resolve archive cancel stop disable suspend deactivate detach unset"
                " redeploy restart rollback migrate import sync submit sign touch mkdir unprotect bypass skip mute turn attach"
                " link bind undelete unarchive recover reinstate trash discard pause resume resize provision install generate"
                " issue mint clone fork duplicate subscribe unsubscribe follow mark pin unpin star assign override ignore"
                " suppress dismiss kill abort lock unlock snooze approve reject accept decline complete finish"
                " upgrade downgrade promote swap switch toggle increment decrement prepend format strip trim log record track"
                " backup snapshot checkpoint complete exclude exempt whitelist allowlist loosen relax lower shorten"
                " purchase order checkout refund charge capture redeem annotate comment vote react adjust init initialize setup"
                " unenroll opt quarantine isolate seal unseal expire allow permit deny hide unhide drain"
                " cordon reduce limit stage prioritize crop silence expose initiate deallocate unmount"
            ),
        ),
        (
            Does.DELETE,
            (
                "delete destroy remove rm drop purge wipe erase truncate terminate del deprovision decommission unlink expunge"
                " nuke prune uninstall shred flush clear empty deregister unregister teardown obliterate annihilate zeroize"
                " rmdir flushall flushdb dropdb cleanup forget evict overwrite"
            ),
        ),
        (
            Does.SEND,
            (
                "send post email publish forward invite reply tweet notify upload transfer pay dm push mail broadcast announce"
                " sms page"
            ),
        ),
        (Does.SEND | Does.GRANT, "share"),
        (Does.GRANT | Does.WRITE, "grant authorize entitle empower"),
        (
            Does.EXECUTE,
            (
                "run exec execute bash shell terminal python eval sh cmd powershell command invoke trigger call dispatch launch"
                " build compile test rerun"
            ),
        ),
        (Does.ROTATE | Does.WRITE, "rotate renew regenerate reissue"),
        (Does.WRITE, "reset revoke roll"),
        (Does.WAIT, "wait sleep delay"),
        (Does.ASK, "ask clarify"),
        (Does.ESCALATE, "elevate impersonate sudo"),
        (
            Does(0),
            "escalate assume request become act confirm do perform handle manage process prompt consult take hand",
        ),
    )
    for verb in verbs.split()
}
"""Verb to what it does. Those without a flag do something with some nouns only."""

DELETING = frozenset(verb for verb, does in VERBS.items() if does is Does.DELETE)
DISABLING = DELETING | words(
    "disable stop suspend deactivate detach turn bypass skip unset mute unprotect dismiss override ignore suppress unlock pause silence"
    " exempt exclude loosen relax lower lift drain unseal opt downgrade"
)
READING = frozenset(verb for verb, does in VERBS.items() if does & Does.READ)
WRITING = frozenset(verb for verb, does in VERBS.items() if does & Does.WRITE)
STRONG = words(
    "delete destroy purge wipe erase truncate terminate deprovision expunge nuke create update upsert insert get fetch enable disable"
    " remove revoke grant rotate reset restore add edit set put describe retrieve download upload send execute invoke deploy stop start"
    " restart redeploy rename rollback obliterate deregister unregister uninstall drop cancel invite assign archive unarchive undelete"
    " regenerate renew flush prune clear empty read write search find"
)
"""Verbs that are never names of things: they govern though they come last."""

BARRING = words(
    "mark skip allow permit deny ignore suppress override bypass reject undo block prevent avoid cancel lock"
)
"""Verbs that say of another one whether it is done."""

OFTEN_NOUNS = words(
    "post view list order label tag mail email message share search query command test build run page comment log record"
    " backup snapshot checkpoint access alert dump export import status info check review head link lock branch table index"
    " bash shell terminal python sh cmd powershell http schedule book charge capture stage vote clone fork filter"
    " preview watch track limit process call sign pin star touch patch commit merge print page mark"
)

COMPOUNDS: dict[tuple[str, ...], tuple[str, ...]] = {
    tuple(pair.split()): tuple(joined.split())
    for pair, joined in (
        ("turn off", "disable"), ("switch off", "disable"), ("shut off", "disable"), ("turn on", "enable"), ("switch on", "enable"),
        ("opt out", "disable"), ("shut down", "stop"), ("tear down", "teardown"), ("roll back", "rollback"), ("back up", "backup"),
        ("clean up", "cleanup"), ("set up", "setup"), ("log out", "logout"), ("sign out", "logout"), ("scale down", "scale"),
        ("kill switch", "killswitch"), ("drop down", "dropdown"), ("drop zone", "dropzone"), ("drag drop", "dragdrop"), ("take down", "teardown"),
        ("api key", "apikey"), ("api keys", "apikeys"), ("api token", "apitoken"), ("api tokens", "apitokens"), ("access key", "accesskey"),
        ("access keys", "accesskeys"), ("secret key", "secretkey"), ("private key", "privatekey"), ("private keys", "privatekeys"), ("ssh key", "sshkey"),
        ("ssh keys", "sshkeys"), ("deploy key", "deploykey"), ("deploy keys", "deploykeys"), ("authorized key", "authorizedkey"),
        ("authorized keys", "authorizedkeys"), ("key pair", "keypair"), ("connection string", "connectionstring"), ("connection strings", "connectionstrings"),
        ("connection uri", "connectionstring"), ("connection url", "connectionstring"), ("database url", "connectionstring"),
        ("environment variable", "envvar"), ("environment variables", "envvars"), ("env var", "envvar"), ("env vars", "envvars"),
        ("config var", "envvar"), ("config vars", "envvars"), ("env variables", "envvars"), ("env variable", "envvar"),
        ("resource group", "resourcegroup"), ("resource groups", "resourcegroup"), ("log group", "loggroup"), ("log groups", "loggroup"), ("log stream", "logstream"),
        ("two factor", "mfa"), ("2 fa", "mfa"), ("multi factor", "mfa"), ("second factor", "mfa"), ("data base", "database"), ("file system", "filesystem"),
        ("key vault", "keyvault"), ("recovery point", "recoverypoint"), ("restore point", "recoverypoint"), ("point in", "pitr"), ("recycle bin", "trash"),
        ("storage account", "bucket"), ("user pool", "userpool"), ("service account", "serviceaccount"), ("access token", "accesstoken"),
        ("access tokens", "accesstokens"), ("refresh token", "refreshtoken"), ("auth token", "authtoken"), ("auth tokens", "authtokens"), ("row level", "rowlevel"),
        ("public access", "publicaccess"), ("pull request", "pullrequest"), ("rate limit", "ratelimit"), ("break glass", "breakglass"),
        ("find replace", "edit"), ("str replace", "edit"), ("service role", "servicerole"), ("load balancer", "loadbalancer"), ("status check", "statuscheck"),
        ("status checks", "statuschecks"), ("health check", "healthcheck"), ("check in", "checkin"), ("check out", "checkout"), ("web search", "search"),
        ("encryption key", "masterkey"), ("encryption keys", "masterkey"), ("master key", "masterkey"), ("kms key", "masterkey"), ("signing key", "signingkey"),
        ("batch get", "get"), ("head object", "get"), ("soft delete", "softdelete"), ("hard delete", "delete"), ("empty state", "emptystate"), ("protected branch", "branchprotection"), ("protected branches", "branchprotection"), ("protected tags", "branchprotection"),
        ("crypto key", "masterkey"), ("crypto keys", "masterkey"), ("customer key", "masterkey"), ("network policy", "networkpolicy"), ("network policies", "networkpolicies"),
        ("login as", "impersonate"), ("act as", "impersonate"), ("as admin", "asadmin"), ("as root", "asadmin"), ("as superuser", "asadmin"),
        ("admission controller", "admissioncontroller"), ("security hub", "securityhub"), ("security group", "securitygroup"),
    )
}  # fmt: skip
"""Two words that mean one thing."""

MODIFIERS = words(
    "bulk batch mass multi force hard soft permanently permanent async safe safely auto quick quickly http https api rest do try"
    " please admin internal my action handle perform now forever immediately direct directly v1 v2 v3 beta async"
    " mutation op can"
)
"""Words before or behind a verb that change nothing of what it means."""

ALL = words("all every everything everyone entire whole mass wildcard anything")
MANY = words("bulk batch many multiple multi several")
LOOSE = words(
    "old stale expired unused new current specific single one the a an my their this that these those any orphaned inactive legacy obsolete"
)
PREPOSITIONS = words(
    "from to for in on by with of via at into onto using as where before after older than if when until within under without per like and or then"
)

TRANSPARENT = nouns(
    "instance resource rule configuration setting value server service cluster record item entity material string content contents data version"
    " list set"
) | words("config info")
"""Nouns that leave it to the one before them what they are."""

ON_SCREEN = words(
    "selection selections form forms background listener listeners highlight highlights focus field fields screen text texts"
    " sentence sentences string strings whitespace watermark noise formatting metadata pin pins cursor breakpoint breakpoints toast tooltip overlay layer"
    " input inputs markdown line lines paragraph paragraphs word words character characters whitespaces duplicates duplicate accents punctuation"
    " filters clipboard console viewport zoom tab tabs window element elements shape style styles css class emphasis prefix suffix"
    " stopwords outliers nan nulls dropdown dropzone marker markers sort sorting undo redo state timer timers interval callback"
    " handler handlers emptystate suggestion placeholder spinner modal dialog popup axis legend number decimals"
    " context buffer buffers alpha transparency silence vocals outputs output seconds digits"
)
"""What is on a page, in a text or in a picture: gone without a loss."""

PICTURED = words("dom html css svg canvas aria xpath")
"""Words beside which a thing is one of a page."""

SCRATCH = words("cache caches cached temp tmp temporary scratch buffer prefetch tempfiles")

SCREENSHOT = words(
    "browser page dom accessibility a11y screen ui element aria heap window react component tab viewport css camera web dialog take"
)
"""Beside a snapshot: a picture of something, and no backup."""

RESET_OF = nouns(
    "database db branch environment device cluster schema table store volume queue collection factory stack project index repository topic"
) | words("data everything all pg postgres mysql redis mongo")
TRUNCATED = nouns(
    "table collection topic file index partition stream database entity dataset journal ledger log"
) | words("data history logs all everything")
TERMINATED = nouns(
    "instance vm machine server cluster environment node fleet workspace project account volume stack app container resource employee"
    " droplet host tenant desktop site"
)
FLUSHED = nouns("db database key store table") | words("all redis everything data")
EMPTIED = nouns(
    "bin bucket queue table folder database collection topic directory volume recycle mailbox inbox"
) | words("trash spam junk")
NOT_DROPPED = words("pin pins down zone shadow shadows off marker cap dropdown dragdrop location here")

EMPTYING = words("purge flush empty wipe truncate nuke zeroize prune")
"""Verbs that leave a store and take all that is in it."""

PRODUCTS = words(
    "postgres postgresql mysql redis mongodb dynamodb elasticsearch opensearch sqlite mariadb rds s3 spanner bigtable cosmosdb github"
    " mcp git gitlab vector ebs efs registry slack app apps"
)
"""Names of programs in a namespace: what is done there is done to something in them."""

WHAT_ONLY = {
    "reset": RESET_OF,
    "truncate": TRUNCATED,
    "terminate": TERMINATED,
    "flush": FLUSHED,
    "empty": EMPTIED,
}
"""Verbs that delete these and nothing else."""
