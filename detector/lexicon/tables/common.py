"""Flags that mean the same for every platform."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

USAGES = (
    *uses(
        "drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
        ("* --no-deletion-protection|--no-deletion-protection-enabled|--no-disable-api-termination|--no-disable-api-stop",
         "gcloud sql instances patch orders --no-deletion-protection", "gcloud sql instances patch orders --deletion-protection"),
        ("* --no-enable-termination-protection|--disable-termination-protection|--bypass-governance-retention|--no-protect",
         "aws s3api delete-object --bucket a --key b --bypass-governance-retention", "aws s3api delete-object --bucket a --key b"),
        ("* --deletion-protection|--enable-deletion-protection|--termination-protection|--protected|--delete-protection=false|off|disabled",
         "doctl databases update 1 --deletion-protection=false", "doctl databases update 1 --deletion-protection=true"),
        ("* --allow-blob-public-access|--publicly-accessible|--public-network-access=true|enabled",
         "az storage account update -n a --allow-blob-public-access true", "az storage account update -n a --allow-blob-public-access false"),
        ("* --enable-purge-protection|--enable-rbac-authorization|--https-only=false", "az keyvault update --name a --enable-purge-protection false",
         "az keyvault update --name a --enable-purge-protection true"),
        ("* --db-allow-cidr|--cidr|--allowed-ips|--authorized-networks|--source-ranges|--cidr-ip=0.0.0.0/0|*0.0.0.0/0*",
         "supabase network-restrictions update --db-allow-cidr 0.0.0.0/0", "supabase network-restrictions update --db-allow-cidr 192.0.2.0/24"),
        ("* --clear-retention-period|--clear-retention-policy|--no-lock|--unlock", "gcloud storage buckets update gs://a --clear-retention-period",
         "gcloud storage buckets update gs://a --retention-period=30d"),
        ("* --disable-eviction|--skip-policy|--no-policy|--skip-checks|--skip-protection|--ignore-protection",
         "kubectl drain node-3 --disable-eviction", "kubectl drain node-3"),
    ),
    *uses(
        "drop-backups", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups or versions off by a command",
        ("* --no-backup|--no-backups|--no-versioning|--no-enable-point-in-time-recovery|--no-enable-bin-log|--clear-soft-delete|--no-snapshots",
         "gcloud storage buckets update gs://a --no-versioning", "gcloud storage buckets update gs://a --versioning"),
        (("* --enable-delete-retention|--enable-container-delete-retention|--enable-versioning|--enable-restore-policy|--scheduled-snapshots"
         "|--enable-change-feed|--enable-soft-delete|--versioning|--backups=false|off|disabled"),
         "fly volumes update vol_1 --scheduled-snapshots=false", "fly volumes update vol_1 --scheduled-snapshots=true"),
        (("* --backup-retention-period|--backup-retention|--snapshot-retention|--snapshot-retention-limit|--retained-backups-count"
         "|--soft-delete-duration|--automated-snapshot-retention-period=0|0s|0d"),
         "aws rds modify-db-instance --db-instance-identifier a --backup-retention-period 0",
         "aws rds modify-db-instance --db-instance-identifier a --backup-retention-period 14"),
        ("* --soft-delete-feature-state|--cross-region-restore-flag|--immutability-state=disable*",
         "az backup vault backup-properties set -n v --soft-delete-feature-state Disable",
         "az backup vault backup-properties set -n v --soft-delete-feature-state Enable"),
    ),
    *uses(
        "no-last-backup", Does.DELETE | Does.IRREVERSIBLE, "deletes without a last backup by a command",
        ("* --skip-final-snapshot|--skip-final-cluster-snapshot|--no-final-snapshot|--force-delete-without-recovery|--skip-backup",
         "aws rds delete-db-cluster --db-cluster-identifier a --skip-final-snapshot", "aws rds delete-db-cluster --db-cluster-identifier a"),
    ),
    *uses(
        "delete-backups-too", Does.DELETE | Does.IRREVERSIBLE | Does.BACKUP, "deletes the backups as well by a command",
        ("* --delete-automated-backups|--delete-backups|--include-backups|--delete-snapshots", "aws rds delete-db-instance --delete-automated-backups",
         "aws rds delete-db-instance --no-delete-automated-backups"),
        ("* --delete-backup-data=true", "az backup protection disable -v v --delete-backup-data true",
         "az backup protection disable -v v --delete-backup-data false"),
    ),
    *uses(
        "shorten-retention", Does.WRITE | Does.DELETE | Does.AUDIT, "lets logs or data expire at once by a command",
        ("* --retention-in-days|--retention-days|--log-retention|--retention=0|1|1d|0s|1s|1h|1m|1ms",
         "aws logs put-retention-policy --log-group-name a --retention-in-days 1", "aws logs put-retention-policy --log-group-name a --retention-in-days 90"),
    ),
    *uses(
        "impersonate", Does.ESCALATE, "takes on another identity by a command",
        ("* --impersonate-service-account|--as-group|--as|--assume-role|--sudo|--become", "gcloud projects list --impersonate-service-account=a@b.example",
         "gcloud projects list"),
    ),
)  # fmt: skip
"""For any program whose subcommands are read."""
