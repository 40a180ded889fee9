"""Which flags of which programs take a value, and which programs have subcommands that say what they do."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.cmdline import PLAIN, Syntax


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SWITCHES = _set(
    "all force yes y quiet q recursive r verbose debug help h version wait async json dry-run dryrun delete"
    " skip-final-snapshot delete-automated-backups with-decryption bypass-governance-retention apply-immediately"
    " force-delete-without-recovery deletion-protection force-new-deployment enable-termination-protection exact-timestamps"
    " include-deleted auto-approve force-deletion interactive detach remote remote-only local linked kv raw clear-soft-delete"
    " clear-retention-period clear-lifecycle clear-labels delete-unmatched-destination-objects append admin what-if whatif"
    " shell prod production safe cleanup-tag follow show-token reset-values experimental include-all decrypt parent"
    " all-collections delete-excluded checksum size-only archive list cascade no-wait purge prune confirm-all stdin tail"
    " disable-default-sink latest auto-ack override overwrite insecure web open public private push enabled disabled"
    " allow-write keep-files staged worktree build pull watch log-failed log squash merge rebase failed fill"
    " no-progress progress privileged enable-http-endpoint multi-az publicly-accessible use-json dangerous"
)
_CLOUD_LETTERS = _set("g n a s o p t e c v b u k i m d f l C z")

CLOUD = Syntax(_CLOUD_LETTERS - _set("f v"), _SWITCHES)
"""Platform command lines: a long flag takes a value unless it is known as a switch."""
AWS = Syntax(frozenset(), _SWITCHES)
GCLOUD = Syntax(frozenset("z"), _SWITCHES)
AZURE = Syntax(
    _CLOUD_LETTERS | _set("r f"), _SWITCHES - _set("force delete enabled disabled all append cascade") | _set("append")
)
HEROKU = Syntax(_set("a r n p s t d e c"), _SWITCHES - _set("version log tail push shell") | _set("tail shell"))
FLY = Syntax(_set("a o r c e i x n v C s"), _SWITCHES | _set("select"))

KUBERNETES = Syntax(
    _set(
        "n namespace context cluster l selector o output f filename p patch type c container field-selector image"
        " overrides as as-group kubeconfig s server token user replicas timeout for grace-period since tail duration"
        " serviceaccount clusterrole role group profile template k kustomize values set set-string set-file version"
        " kube-context repo verb resource name from-literal from-file sort-by v request-timeout revision port"
        " target copy-to include-namespaces ttl from-backup d description kube-apiserver"
    )
)
DOCKER = Syntax(
    _set(
        "v volume e env p publish w workdir u user name network net mount env-file l label entrypoint platform m memory"
        " cpus cpuset-cpus h hostname pid ipc security-opt cap-add cap-drop device add-host restart log-driver log-opt"
        " shm-size tmpfs ulimit gpus f file project-name profile t tag target build-arg H host context c config filter"
        " format n tail since until runtime userns cgroupns expose dns link volumes-from stop-timeout stop-signal"
        " pull cidfile index a attach s scale output o cache-from cache-to secret ssh progress project-directory"
    )
)
GIT = Syntax(
    _set(
        "C c git-dir work-tree namespace m message F file author date S G L since until after before grep format pretty"
        " max-count skip B index-filter tree-filter msg-filter commit-filter env-filter exec onto strategy"
        " path origin depth branch o push-option reference name-rev invert separate-git-dir template config"
    )
)
GITHUB = Syntax(
    _set(
        "R repo X method f F raw-field field H header q jq t template json b body title B base c comment L limit S search s"
        " scopes h hostname input visibility desc d description p project l label a assignee r reviewer m milestone owner"
        " state role permission e env o org add-topic remove-topic body-file ref user key group notes tag target"
    )
    - _set("d r e")
)
TERRAFORM = Syntax(
    _set("var var-file target out replace state state-out backup chdir stack s target-dependents config-file cwd"),
    None,
    one_dash=True,
)
PULUMI = Syntax(_set("s stack C cwd t target config c config-file r replace message m"))
CDK = Syntax(_set("c context a app profile role-arn r o output require-approval"))
ANSIBLE = Syntax(
    _set("i inventory m module-name a args e extra-vars l limit t tags skip-tags u user become-user become-method f forks"
         " vault-password-file private-key key-file c connection T timeout start-at-task M module-path")
)  # fmt: skip
SSH = Syntax(_set("b c D E e F I i J L l m O o p Q R S W w"))
DATABASE = Syntax(
    _set("h host p port U u username user d dbname database c command f file e execute eval D P S socket n a pass db q query retention org"
         " authenticationDatabase collection bootstrap-server zookeeper topic group i input-file o output password-file")
)  # fmt: skip
FIND = Syntax(
    _set(
        "name iname path ipath wholename type mtime mmin ctime atime newer size maxdepth mindepth user perm regex iregex"
    ),
    None,
    one_dash=True,
)
FILES = Syntax(_set("s size n iterations o"))
TAR = Syntax(_set("f file C directory exclude T files-from X"))
SYNC = Syntax(
    _set("e rsh exclude include filter files-from password-file bwlimit max-delete backup-dir compare-dest config transfers"
         " checkers min-age max-age r repo repository p password-command keep-last keep-daily keep-hourly keep-weekly"
         " keep-monthly keep-yearly keep-within tag host path target o")
    - _set("p")
)  # fmt: skip
RSYNC = Syntax(SYNC.values - _set("r"))
SYSTEM = Syntax(
    _set(
        "u unit S since until n lines p property t table chain s size o output H host M machine vacuum-time vacuum-size d D"
    )
)
TABLES = Syntax(_set("t table"))
ACCOUNTS = Syntax(_set("a G g groups s shell d home u uid c comment e expiredate p password l login"))
POWERSHELL = Syntax(
    _set(
        "path name literalpath filter identity executionpolicy logname value enabled vmname mountpoint verb number volumeid vaultname bucketname"
    ),
    None,
    one_dash=True,
)
VAULT = Syntax(_set("address namespace format field path mount version versions"), None, one_dash=True)
OPENSSL = Syntax(
    _set("in out k pass key cert passin passout inkey CAfile cafile recip signer days newkey keyout"),
    None,
    one_dash=True,
)
INTERPRETER = Syntax(_set("m c e W X"))
AGENT = Syntax(_set("p s permission-mode sandbox model m c config"))
AUDIT = Syntax(_set("e b w k F a D") - {"D"})
DOCKER_PLAIN = Syntax(DOCKER.values - _set("v f t p a n e m h"))
DOCKER_COMPOSE = Syntax(DOCKER.values - _set("v t"))
KAFKA = Syntax(
    _set(
        "offset-json-file bootstrap-server zookeeper topic group config add-config delete-config entity-type entity-name alter-config from-file"
    )
)

SYNTAXES: dict[str, Syntax] = {
    program: syntax
    for syntax, programs in (
        (AWS, "aws awslocal"),
        (GCLOUD, "gcloud gsutil bq"),
        (AZURE, "az"),
        (HEROKU, "heroku"),
        (FLY, "fly"),
        (
            CLOUD,
            ("railway supabase vercel netlify doctl render linode-cli hcloud ibmcloud oci neonctl neon planetscale pscale turso"
            " wrangler firebase scw cf stripe eb exo civo upctl vultr-cli eksctl kops argocd flux rancher confluent atlas"
            " mongocli databricks snow dbt prisma manage.py rails rake artisan sequelize sequelize-cli knex typeorm"
            " drizzle-kit flask alembic mix diesel sqlx goose migrate flyway liquibase sentry-cli datadog-ci newrelic"
            " auth0 okta op doppler infisical chamber bw lpass sf sfdx shopify contentful hasura nhost appwrite"
            " convex cloudflared tailscale ngrok jf crane skopeo oras lxc incus multipass velero minikube kind k3d"
            " npm pnpm yarn cargo gem twine poetry pip pip3 apt apt-get brew"),
        ),
        (KUBERNETES, "kubectl helm helmfile kustomize istioctl linkerd k9s stern etcdctl crictl ctr kubectx kubens"),
        (DOCKER, "docker"),
        (GIT, "git"),
        (GITHUB, "gh glab hub"),
        (TERRAFORM, "terraform"),
        (PULUMI, "pulumi"),
        (CDK, "cdk sst serverless sls amplify copilot sam"),
        (ANSIBLE, "ansible ansible-playbook"),
        (SSH, "ssh scp sftp"),
        (
            DATABASE,
            ("psql mysql mariadb mongosh mongo redis-cli valkey-cli sqlite3 sqlcmd duckdb clickhouse-client cqlsh"
            " cockroach snowsql impala-shell hive beeline spark-sql trino presto usql pgcli mycli litecli isql osql sqlplus dropdb createdb dropuser pg_dump pg_dumpall mysqldump mongodump pg_restore mongorestore influx"
            " rabbitmqctl rabbitmqadmin nats"),
        ),
        (KAFKA, ("kafka-topics kafka-topics.sh kafka-configs kafka-configs.sh kafka-delete-records kafka-delete-records.sh"
                " kafka-consumer-groups kafka-consumer-groups.sh kafka-acls kafka-acls.sh")),
        (FIND, "find"),
        (FILES, "shred truncate"),
        (TAR, "tar bsdtar"),
        (RSYNC, "rsync rclone mc s3cmd s5cmd"),
        (Syntax(DATABASE.values - _set("f")), "mysqladmin"),
        (Syntax(frozenset(), None, one_dash=True), "hdfs hadoop"),
        (SYNC, "restic borg duplicity kopia"),
        (SYSTEM, "journalctl systemctl service"),
        (TABLES, "iptables ip6tables"),
        (ACCOUNTS, "usermod useradd userdel gpasswd adduser deluser"),
        (POWERSHELL, "powershell pwsh"),
        (VAULT, "vault bao nomad consul"),
        (Syntax(_set("x X exec exec-batch e t E")), "fd fdfind"),
        (AGENT, "claude codex gemini q amp aider opencode goose copilot cursor-agent"),
        (AUDIT, "auditctl"),
        (OPENSSL, "openssl"),
        (INTERPRETER, "python python3 python2"),
        (Syntax(_set("force prefer root"), None, one_dash=True), "unison flyway"),
        (Syntax(_set("o k t S T")), "sort"),
        (SYNC, "gpg"),
    )
    for program in programs.split()
}  # fmt: skip

SAME = {
    "k": "kubectl", "oc": "kubectl", "kubectl.sh": "kubectl", "microk8s.kubectl": "kubectl", "flyctl": "fly", "podman": "docker",
    "nerdctl": "docker", "tofu": "terraform", "opentofu": "terraform", "terragrunt": "terraform", "vc": "vercel", "ntl": "netlify",
    "valkey-cli": "redis-cli", "mariadb": "mysql", "bao": "vault", "awslocal": "aws",
}  # fmt: skip
"""Programs with another's command line."""

MANAGED = frozenset(
    program
    for program in SYNTAXES
    if SYNTAXES[program] in (AWS, GCLOUD, AZURE, HEROKU, FLY, CLOUD, KUBERNETES, DOCKER, GITHUB, PULUMI, VAULT)
) - _set(
    "npm pnpm yarn cargo gem twine poetry pip pip3 apt apt-get brew prisma manage.py rails rake artisan flask mix dbt op"
)
"""Programs whose subcommands name a thing and what is done to it."""

SUBCOMMANDS = _set("git terraform cdk sst npm yarn pnpm cargo prisma rails rake artisan rclone restic borg")
"""Other programs whose first word is no thing."""

VERB_FIRST = _set("kubectl kind eksctl kops rabbitmqadmin consul atlas")
"""Of these, those whose verb comes first and then the kind of thing."""


_CMDLET = (
    "set-",
    "remove-",
    "clear-",
    "get-",
    "new-",
    "add-",
    "stop-",
    "disable-",
    "enable-",
    "invoke-",
    "start-",
    "format-",
    "suspend-",
)
_DOCKER = {
    "compose": DOCKER_COMPOSE,
    **dict.fromkeys(("run", "create", "container", "service", "exec", "build"), DOCKER),
}


def syntax(program: str, second: str = "") -> Syntax:
    """How a program's command line is split. `second`: the word behind it."""
    found = SYNTAXES.get(SAME.get(program, program))
    if found is DOCKER and second[:1] != "-":
        return _DOCKER.get(second.lower(), DOCKER_PLAIN)
    if found is None:
        return POWERSHELL if program.startswith(_CMDLET) else PLAIN
    return found
