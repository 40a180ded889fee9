"""What a platform's subcommands say: a verb and the kind of thing that it is done to.

`aws rds delete-db-snapshot`, `gcloud compute snapshots delete`, `heroku pg:backups:delete` and
`kubectl delete volumesnapshot` are all the first row. The first row that fits holds.
"""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from dataclasses import dataclass

from detector.records import Does


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _nouns(text: str) -> frozenset[str]:
    """Nouns and their plurals."""
    return frozenset(form for word in text.split() for form in (word, f"{word}s"))


VERBS: dict[str, Does] = {
    verb: does
    for does, verbs in (
        (
            Does.READ,
            (
                "get list ls describe show view inspect cat head tail read info ps top diff plan preview validate lint whoami"
                " version query check explain exists lookup simulate estimate download print template receive pull filter can"
                " wait-list checks dump tree graph verify compare history trace"
            ),
        ),
        (Does.READ | Does.SEARCH, "search find grep"),
        (
            Does.WRITE,
            (
                "create add put update modify set edit patch apply deploy tag label annotate rename move mv cp copy sync upload"
                " enable register import restore attach associate scale resize rollback promote publish configure start stop"
                " restart reboot redeploy suspend resume pause cordon uncordon drain merge push commit init new submit schedule"
                " reset disable deactivate detach disassociate leave swap select use switch change replace recover undelete"
                " redo close reopen archive link unlink begin cancel invalidate rsync activate unarchive transfer undo autoscale expose"
                " execute-update overwrite unschedule off on save upgrade install revoke authorize"
            ),
        ),
        (
            Does.DELETE,
            (
                "delete destroy remove rm rb del drop purge terminate deregister uninstall prune clear wipe erase deprovision"
                " nuke flush rmi delete-batch expunge bulk-delete permanent-delete unset"
            ),
        ),
        (Does.WRITE | Does.GRANT, "grant assign invite share"),
        (Does.EXECUTE, "run exec execute invoke ssh debug rerun trigger start-build build up"),
        (Does.WRITE | Does.ROTATE, "rotate renew regenerate reissue roll"),
        (Does.WAIT, "wait"),
        (Does.SEND, "send"),
    )
    for verb in verbs.split()
}
WEAK: dict[str, Does] = {
    **dict.fromkeys(
        "logs log status config events stats image images export backups snapshots usage account variables env".split(),
        Does.READ,
    ),
    **dict.fromkeys("snapshot backup capture".split(), Does.WRITE | Does.BACKUP),
    **dict.fromkeys(("test", "bench"), Does.EXECUTE),
    "down": Does.DELETE,
}
"""Verbs that are names of things as well: they count where no other is there."""

DELETING = frozenset(verb for verb, does in VERBS.items() if does is Does.DELETE)
STOPPING = _set("stop disable deactivate suspend pause detach unset leave off unschedule disassociate deregister")
CHANGING = frozenset(verb for verb, does in VERBS.items() if does & (Does.WRITE | Does.DELETE)) | {
    "snapshot",
    "backup",
    "capture",
}
_GIVING = _set("add attach put set assign grant invite share associate bind")
_MAKING = _set("create add new generate issue mint rotate renew regenerate reissue roll reset print refresh")

BACKUPS = _nouns("backup snapshot volumesnapshot pitr recoverypoint") | _set("recovery dr")
"""What undoes a deletion."""

MINOR = _nouns(
    "subnet parameter option tag label proxy subscription alias comment permission attachment annotation message item route"
    " invalidation association listener rule context member binding contact param topic field draft view saved version"
) | _set("parametergroup")
"""Kinds of things that can be made again, whatever they belong to."""


@dataclass(frozen=True)
class Kind:
    """A verb and a kind of thing that mean something together. `nouns` are alternatives; none: any."""

    name: str
    verbs: frozenset[str]
    nouns: frozenset[str]
    does: Does
    words: str
    fires: tuple[str, ...]
    quiet: tuple[str, ...]
    unless: frozenset[str] = frozenset()
    """Nouns beside which this row does not hold."""

    @property
    def sign(self) -> str:
        """The name that an action carries."""
        return f"cli.{self.name}"


_GONE = Does.DELETE | Does.IRREVERSIBLE

KINDS = (
    Kind(
        "disable-protection", DELETING | STOPPING,
        _nouns("lock protection networkpolicy poddisruptionbudget pdb validatingwebhookconfiguration mutatingwebhookconfiguration"
               " webacl ruleset firewall guardrail resourcequota podsecuritypolicy constraint clusterpolicy ipset waf mfa detector"
               " quarantine") | _set("networkpolicies ciliumnetworkpolicies acls webhookconfiguration"),
        Does.SAFEGUARD, "turns a protection off by a command",
        ("az lock delete --name a", "kubectl delete networkpolicy deny", "aws guardduty delete-detector --detector-id 7",
         "gcloud compute firewall-rules delete deny-all -q"),
        ("az lock create --name a", "kubectl get networkpolicy", "aws ec2 delete-tags --resources i-1"),
        _nouns("state record"),
    ),
    Kind(
        "delete-audit-trail", DELETING | STOPPING,
        _nouns("log trail sink recorder drain audit diagnostic event alarm alert logpush stream") | _set("logging monitoring diagnostics flow"),
        _GONE | Does.AUDIT, "deletes or stops logs or an audit trail by a command",
        ("aws logs delete-log-group --log-group-name a", "aws cloudtrail stop-logging --name a", "gcloud logging sinks delete a",
         "heroku drains:remove https://l.example -a shop"),
        ("aws logs tail a", "gcloud logging read x", "heroku logs -a shop"),
        _nouns("database bus source kinesis shard"),
    ),
    Kind(
        "delete-backup", DELETING, BACKUPS, _GONE | Does.BACKUP, "deletes a backup by a command",
        ("gcloud sql backups delete 7", "heroku pg:backups:delete b1 -a shop", "aws ec2 delete-snapshot --snapshot-id s",
         "kubectl delete volumesnapshot nightly"),
        ("aws ec2 describe-snapshots", "gcloud sql backups create -i orders"),
    ),
    Kind(
        "delete-secret", DELETING, _nouns("secret credential token key keypair certificate"), _GONE,
        "deletes a stored credential by a command",
        ("gcloud secrets delete a --quiet", "docker secret rm db"), ("gcloud secrets list", "docker secret ls"),
        _nouns("object access") | _set("kms s3api dynamodb"),
    ),
    Kind(
        "delete-volume", DELETING,
        _nouns("volume disk pvc pv persistentvolumeclaim persistentvolume subvolume filesystem fileshare") | _set("ebs efs file"),
        _GONE, "deletes a volume by a command",
        ("fly volumes destroy vol_1", "kubectl delete pvc data-0", "aws efs delete-file-system --file-system-id f"),
        ("fly volumes list", "kubectl get pvc"), MINOR,
    ),
    Kind(
        "delete-table", DELETING, _nouns("table collection index keyspace schema stream"), _GONE, "deletes a table or collection by a command",
        ("aws dynamodb delete-table --table-name a", "atlas delete collection a"), ("aws dynamodb list-tables",), MINOR,
    ),
    Kind(
        "delete-database", DELETING,
        _nouns("database db rds postgres postgresql mysql redis mongo cosmosdb keyspace datastore warehouse d1 neo4j spanner bigtable"
               " dynamodb docdb redshift elasticache memcache pg addon dataset topic branch") | _set("sql kafka firestore opensearch es"),
        _GONE, "deletes a database by a command",
        ("aws rds delete-db-instance --db-instance-identifier a", "gcloud sql instances delete orders", "pscale database delete shop"),
        ("aws rds describe-db-instances", "aws rds delete-db-subnet-group --db-subnet-group-name a"),
        MINOR | _nouns("user role group") - _set("group"),
    ),
    Kind(
        "delete-bucket", DELETING, _nouns("bucket r2 storage-account container-registry fileshare"), _GONE,
        "deletes a storage bucket by a command",
        ("wrangler r2 bucket delete media", "aws s3api delete-bucket --bucket a"), ("aws s3api list-buckets",),
        MINOR | _nouns("lifecycle website cors policy encryption metric inventory"),
    ),
    Kind(
        "delete-repository", DELETING, _nouns("repo repository registry"), _GONE, "deletes a repository by a command",
        ("gh repo delete acme/app", "aws ecr delete-repository --repository-name a"), ("gh repo view acme/app",),
        MINOR | _nouns("deploy lifecycle policy"),
    ),
    Kind(
        "delete-environment", DELETING,
        _nouns("environment project namespace ns stack org organization tenant workspace subscription cluster crd customresourcedefinition"
               " site app application"),
        _GONE | Does.BROAD, "deletes an environment, project or cluster by a command",
        ("railway environment delete production", "kubectl delete namespace shop", "aws eks delete-cluster --name a"),
        ("railway environment list", "kubectl get namespaces"),
        MINOR | _nouns("deployment user role variable"),
    ),
    Kind(
        "delete-account", DELETING, _nouns("user account member group role identity principal"), Does.DELETE,
        "deletes an account or a person's membership by a command",
        ("aws iam delete-user --user-name a",), ("aws iam list-users",), _nouns("storage"),
    ),
    Kind(
        "delete-something", DELETING, frozenset(), Does.DELETE, "deletes something by a command",
        ("aws lambda delete-function --function-name a", "docker rm web"), ("aws lambda list-functions",),
    ),
    Kind(
        "grant-access", _GIVING | _set("update create"),
        _nouns("binding rolebinding clusterrolebinding collaborator acl") | _set("role-assignment assignment iam permission permissions"),
        Does.WRITE | Does.GRANT, "grants access by a command",
        ("gcloud projects add-iam-policy-binding shop --member=a --role=r", "az role assignment create --role Owner"),
        ("gcloud projects get-iam-policy shop", "aws iam create-access-key --user-name a"),
        _nouns("policyassignment lock key user token credential instance-profile") | _set("simulate"),
    ),
    Kind(
        "grant-role", _GIVING, _nouns("role policy access permission member admin owner grant privilege collaborator membership"), Does.WRITE | Does.GRANT,
        "grants access by a command", ("aws iam attach-user-policy --user-name a", "heroku access:add a@example.org -a shop"),
        ("aws iam list-policies", "heroku access -a shop"), _nouns("lifecycle scaling bucketlifecycle tag ttl retention block"),
    ),
    Kind(
        "rotate-credential", _MAKING, _nouns("token credential password authorization apikey secretkey"), Does.WRITE | Does.ROTATE,
        "changes or makes a credential by a command",
        ("fly tokens create org -o acme", "az ad app credential reset --id 1", "heroku authorizations:create -d a"),
        ("fly tokens list",),
    ),
    Kind(
        "rotate-key", _MAKING | _set("revoke"), _nouns("key secret certificate cert"), Does.WRITE | Does.ROTATE,
        "changes or makes a key by a command",
        ("aws iam create-access-key --user-name ci", "gcloud iam service-accounts keys create k.json --iam-account=a"),
        ("aws iam list-access-keys", "aws kms create-alias --alias-name a"),
        _nouns("version label tag deploy"),
    ),
)  # fmt: skip

BY_VERB: dict[str, tuple[Kind, ...]] = {
    verb: tuple(kind for kind in KINDS if verb in kind.verbs) for verb in {v for kind in KINDS for v in kind.verbs}
}
"""The rows for a verb, in order."""
