"""Google Cloud: gcloud, gsutil, bq."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses(
        "empty-bucket", _GONE | Does.BROAD, "deletes all of a bucket by a command",
        ("gcloud storage rm --recursive|-r", "gcloud storage rm --recursive gs://a", "gcloud storage rm gs://a/b"),
        ("gcloud storage rm gs://*/[*]*", "gcloud storage rm gs://a/**", "gcloud storage rm gs://a/b"),
        ("gsutil rm -r|-R|-a", "gsutil -m rm -r gs://a", "gsutil ls gs://a"),
        ("gsutil rb", "gsutil rb gs://a", "gsutil mb gs://a"),
        ("gcloud storage rsync --delete-unmatched-destination-objects", "gcloud storage rsync ./e gs://a --recursive --delete-unmatched-destination-objects",
         "gcloud storage rsync ./e gs://a --recursive"),
        ("gsutil rsync -d !-n", "gsutil rsync -d -r ./e gs://a", "gsutil rsync -n -d -r ./e gs://a"),
        ("bq rm -r|-f", "bq rm -r -f -d shop:analytics", "bq ls shop:analytics"),
        ("gcloud firestore bulk-delete", "gcloud firestore bulk-delete --collection-ids=users", "gcloud firestore indexes list"),
    ),
    *uses(
        "try-sync", Does.READ, "tries out a command", ("gsutil rsync -n", "gsutil rsync -n -d ./a gs://a", "gsutil rsync -d ./a gs://a"),
        without=Does.DELETE | Does.WRITE,
    ),
    *uses("read-bucket", Does.READ, "reads from a bucket by a command", ("gcloud|gsutil storage|cp cp|gs://* gs://*", "gcloud storage cp gs://a/x .", "gcloud storage cp x y")),
    *uses(
        "delete-backup", _GONE | Does.BACKUP, "deletes a backup by a command",
        ("gcloud compute snapshots|images|machine-images delete", "gcloud compute machine-images delete a", "gcloud compute snapshots list"),
    ),
    *uses(
        "delete-volumes", _GONE | Does.BROAD, "deletes volumes widely by a command",
        ("gcloud compute instances delete --delete-disks=all|boot|data", "gcloud compute instances delete a --delete-disks=all", "gcloud compute instances delete a"),
    ),
    *uses(
        "delete-database", _GONE, "deletes a database by a command",
        ("gcloud firestore|spanner|bigtable|redis|alloydb|sql databases|instances|clusters delete", "gcloud firestore databases delete --database=d", "gcloud firestore databases list"),
    ),
    *uses("expire-bucket", Does.WRITE | Does.DELETE | Does.BROAD, "lets all of a bucket expire by a command", ("gcloud|gsutil --lifecycle-file=*", "gcloud storage buckets update gs://a --lifecycle-file=f", "gcloud storage buckets update gs://a"),
          ("gsutil lifecycle set", "gsutil lifecycle set f gs://a", "gsutil lifecycle get gs://a")),
    *uses("expire-table", Does.WRITE | Does.DELETE, "lets a table expire by a command", ("bq update --expiration|--default_table_expiration|--time_partitioning_expiration=?|??|???|????", "bq update --expiration 1 a.b", "bq update --description x a.b")),
    *uses("scale-to-zero", Does.WRITE | Does.DELETE, "scales a service to nothing by a command", ("gcloud compute|container|sql resize --size|--num-nodes=0", "gcloud compute instance-groups managed resize a --size=0", "gcloud compute instance-groups managed resize a --size=3")),
    *uses(
        "skip-messages", Does.WRITE | Does.DELETE, "throws waiting messages away by a command",
        ("gcloud pubsub subscriptions seek", "gcloud pubsub subscriptions seek a --time=2099-01-01T00:00:00Z", "gcloud pubsub subscriptions pull a"),
    ),
    *uses(
        "delete-file", Does.DELETE, "deletes something by a command",
        ("gcloud kms destroy", "gcloud kms keys versions destroy 1 --key=k", "gcloud kms keys versions list --key=k"),
    ),
    *uses(
        "stop-audit", Does.WRITE | Does.AUDIT, "stops an audit trail by a command",
        ("gcloud logging --disable-default-sink|--disabled", "gcloud logging settings update --organization=1 --disable-default-sink", "gcloud logging settings describe --organization=1"),
        ("gcloud logging sinks|buckets|logs|views delete", "gcloud logging sinks delete a", "gcloud logging sinks list"),
    ),
    *uses(
        "drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
        ("gcloud resource-manager|org-policies disable-enforce|delete|reset", "gcloud resource-manager org-policies disable-enforce iam.x --project=a",
         "gcloud resource-manager org-policies list"),
        ("gcloud org-policies delete|reset", "gcloud org-policies delete iam.x --project=a", "gcloud org-policies list --project=a"),
        ("gcloud services disable", "gcloud services disable cloudkms.example", "gcloud services list"),
        ("gcloud compute --no-shielded-secure-boot|--no-confidential-compute", "gcloud compute instances update a --no-shielded-secure-boot", "gcloud compute instances list"),
    ),
    *uses(
        "grant-access", Does.WRITE | Does.GRANT, "grants access by a command",
        ("gcloud * set-iam-policy|add-iam-policy-binding", "gcloud projects set-iam-policy shop p.json", "gcloud projects get-iam-policy shop"),
        ("gcloud storage|run|functions * set-iam-policy|add-iam-policy-binding|add-invoker-policy-binding", "gcloud storage buckets add-iam-policy-binding gs://a --member=allUsers",
         "gcloud storage buckets describe gs://a"),
        ("gsutil acl|iam|defacl ch|set", "gsutil acl ch -u AllUsers:R gs://a", "gsutil acl get gs://a"),
        ("gcloud --allow-unauthenticated", "gcloud run deploy a --allow-unauthenticated", "gcloud run deploy a"),
    ),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("gcloud secrets versions access", "gcloud secrets versions access latest --secret=a", "gcloud secrets versions list a"),
        ("gcloud auth print-access-token|print-identity-token|application-default", "gcloud auth print-access-token", "gcloud auth list"),
        ("gcloud sql users set-password", "gcloud sql users set-password a", "gcloud sql users list"),
    ),
    *uses("overwrite-database", _GONE | Does.WRITE, "overwrites a database by a command", ("gcloud sql backups|instances restore|restore-backup", "gcloud sql backups restore 7 --restore-instance=a", "gcloud sql backups list -i a")),
    *uses(
        "drop-backups", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups or versions off by a command",
        ("gsutil versioning set off", "gsutil versioning set off gs://a", "gsutil versioning set on gs://a"),
        ("gcloud compute resource-policies|disks delete|remove-resource-policies", "gcloud compute disks remove-resource-policies a --resource-policies=b", "gcloud compute disks list"),
    ),
    *uses("weaken", Does.WRITE | Does.SAFEGUARD, "weakens a protection by a command", ("gsutil retention clear|event-default", "gsutil retention clear gs://a", "gsutil retention get gs://a"),
          ("gsutil|gcloud bucketpolicyonly|ubla|storage set|buckets off|update --no-uniform-bucket-level-access|--no-public-access-prevention", "gcloud storage buckets update gs://a --no-public-access-prevention", "gcloud storage buckets update gs://a --public-access-prevention"),
          ("gcloud binauthz|compute policy|security-policies import|delete", "gcloud compute security-policies delete a", "gcloud compute security-policies list")),
    *uses("delete-file", Does.DELETE, "deletes something by a command", ("bq rm", "bq rm -t a.b", "bq ls")),
    *uses("delete-store", _GONE, "deletes a store by a command", ("gcloud filestore|memcache|spanner|bigtable|dataproc|composer|notebooks instances|clusters|environments delete", "gcloud filestore instances delete a", "gcloud filestore instances list"),
          ("gcloud deployment-manager deployments delete", "gcloud deployment-manager deployments delete a", "gcloud deployment-manager deployments list")),
    *uses("unset-setting", Does.WRITE, "takes a setting back", ("gcloud config unset", "gcloud config unset project", "gcloud config list"), without=Does.DELETE | Does.IRREVERSIBLE),
    *uses("assume-role", Does.ESCALATE, "takes on more authority by a command", ("gcloud config set auth/impersonate_service_account", "gcloud config set auth/impersonate_service_account a@b", "gcloud config set project a"),
          ("gcloud auth activate-service-account", "gcloud auth activate-service-account --key-file=k", "gcloud auth list")),
    *uses("weaken-audit", Does.WRITE | Does.AUDIT, "weakens an audit trail by a command", ("gcloud logging sinks update --add-exclusion|--log-filter", "gcloud logging sinks update a --add-exclusion=name=b", "gcloud logging sinks describe a")),
    *uses("rotate-credential", Does.WRITE | Does.ROTATE, "changes or makes a credential by a command", ("gcloud secrets versions|create add|--data-file", "gcloud secrets versions add a --data-file=b", "gcloud secrets versions list a"),
          ("gcloud sql users set-password|create", "gcloud sql users set-password a --password=b", "gcloud sql users list")),
)  # fmt: skip
