"""Databases, message brokers, and the frameworks that migrate them; file synchronisers and backup programs."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

DATABASES = (
    *uses(
        "drop-database", _GONE, "drops a database",
        ("dropdb *", "dropdb orders", "dropdb"),
        ("mysqladmin drop", "mysqladmin drop shop", "mysqladmin status"),
        ("influx bucket|org|delete delete|--bucket", "influx bucket delete -n a", "influx bucket list"),
        ("rabbitmqadmin|rabbitmqctl delete|delete_queue|delete_vhost|reset|force_reset", "rabbitmqctl delete_vhost a", "rabbitmqctl list_queues"),
        ("nats stream|kv|object rm|del|purge", "nats stream purge a", "nats stream ls"),
        ("kafka-topics|kafka-topics.sh --delete", "kafka-topics.sh --delete --topic a", "kafka-topics.sh --list"),
        ("kafka-consumer-groups|kafka-consumer-groups.sh --delete", "kafka-consumer-groups.sh --delete --group a", "kafka-consumer-groups.sh --list"),
    ),
    *uses(
        "flush-database", _GONE | Does.BROAD, "empties a database",
        ("redis-cli flushall|flushdb|reset", "redis-cli FLUSHALL", "redis-cli DBSIZE"),
        ("redis-cli del|unlink --many", "redis-cli --scan | xargs redis-cli DEL", "redis-cli DEL a"),
        ("redis-cli *flushall*|*flushdb*", "redis-cli -n 0 EVAL 'redis.call(1,flushall)'", "redis-cli GET a"),
        ("redis-cli eval *keys*del*|*del*keys*", "redis-cli EVAL 'keys * del'", "redis-cli EVAL get"),
        ("rabbitmqctl|rabbitmqadmin purge|purge_queue|force_reset", "rabbitmqctl purge_queue a", "rabbitmqctl list_queues"),
        ("kafka-delete-records|kafka-delete-records.sh", "kafka-delete-records.sh --offset-json-file a", "kafka-topics.sh --list"),
        ("influx delete --bucket", "influx delete --bucket a", "influx query a"),
        ("pg_resetwal -f|--force", "pg_resetwal -f a", "pg_resetwal -n a"),
        ("hdfs|hadoop dfs|fs -rm|-rmr|-expunge", "hdfs dfs -rm -r -skipTrash /a", "hdfs dfs -ls /a"),
        ("gio trash --empty", "gio trash --empty", "gio trash a"),
        ("trash-empty", "trash-empty", "trash-list"),
    ),
    *uses("replica-of", Does.WRITE | Does.DELETE | Does.BROAD, "makes a database a copy of another", ("redis-cli slaveof|replicaof *", "redis-cli SLAVEOF 192.0.2.1 6379", "redis-cli INFO replication")),
    *uses("restore-over", Does.WRITE | Does.DELETE | Does.BROAD, "restores a database over what is there", ("mongorestore|pg_restore --drop|-c|--clean", "mongorestore --drop dump", "mongorestore dump")),
    *uses("restore", Does.WRITE, "restores a database", ("mongorestore|pg_restore !-l !--list", "pg_restore -d a b.dump", "pg_restore --list b.dump"), ("createdb|createuser *", "createdb a", "createdb")),
    *uses(
        "database-commands", Does.WRITE, "changes a database", ("redis-cli set|expire|hset|lpush|rpush|sadd|zadd|incr|persist|rename|setex", "redis-cli SET a b", "redis-cli GET a"), ("redis-cli config set", "redis-cli CONFIG SET a b", "redis-cli CONFIG GET a"),
    ),
    *uses("grant-access", Does.WRITE | Does.GRANT, "grants access by a command", ("redis-cli acl setuser", "redis-cli ACL SETUSER a on", "redis-cli ACL LIST")),
    *uses("read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command", ("redis-cli config get requirepass|masterauth", "redis-cli CONFIG GET requirepass", "redis-cli CONFIG GET maxmemory"),
          ("rclone config show|dump", "rclone config show", "rclone config file")),
    *uses(
        "expire-topic", _GONE | Does.WRITE | Does.BROAD, "lets all messages of a topic expire at once",
        ("kafka-configs|kafka-configs.sh --alter --add-config=*retention.ms=?|*retention.ms=??|*retention.ms=???|*retention.ms=????|*retention.bytes=?",
         "kafka-configs.sh --alter --add-config retention.ms=1", "kafka-configs.sh --alter --add-config retention.ms=604800000"),
        ("influx bucket update --retention|-r=?h|?m|?s|??m|??s", "influx bucket update --id a --retention 1h", "influx bucket update --id a --retention 90d"),
    ),
    *uses("evict-keys", Does.WRITE | Does.DELETE | Does.BROAD, "lets a database throw keys away", ("redis-cli config set maxmemory|maxmemory-policy *", "redis-cli config set maxmemory 1", "redis-cli config get maxmemory")),
    *uses("persistence-off", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "keeps a database from writing to disk", ("redis-cli config set save ''|\"\"", "redis-cli config set save \"''\"", "redis-cli config set save 900"),
          ("redis-cli config set appendonly no", "redis-cli config set appendonly no", "redis-cli config set appendonly yes")),
    *uses("delete-keys", Does.DELETE, "deletes keys of a database", ("redis-cli del|unlink|hdel|srem|zrem|xtrim|ltrim", "redis-cli DEL a", "redis-cli GET a"), ("dropuser *", "dropuser a", "dropuser")),
    *uses("drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command", ("redis-cli config set requirepass|protected-mode ''|no|*", "redis-cli config set protected-mode no", "redis-cli config get protected-mode")),
    *uses("dump", Does.READ | Does.BACKUP, "dumps a database by a command", ("pg_dump|pg_dumpall|mysqldump|mongodump|pg_basebackup|xtrabackup|mariadb-dump", "pg_dump shop", "pg_dum shop"), ("redis-cli bgsave|save|--rdb", "redis-cli BGSAVE", "redis-cli GET a")),
    *uses(
        "read-database", Does.READ, "reads from a database or a store", ("redis-cli get|keys|scan|info|dbsize|ttl|hgetall|lrange|smembers|exists|type|ping|monitor", "redis-cli GET a", "redis-cli SET a b"),
        ("kafka-topics|kafka-topics.sh|kafka-consumer-groups|kafka-consumer-groups.sh --list|--describe", "kafka-topics.sh --list", "kafka-topics.sh --create"),
        ("pg_restore -l|--list", "pg_restore --list a.dump", "pg_restore a.dump"), ("pg_isready|vacuumdb|reindexdb", "pg_isready -h a", "pg_isread"),
        ("influx bucket|org|task list", "influx bucket list", "influx bucket create"), ("kafka-configs|kafka-configs.sh --describe", "kafka-configs.sh --describe", "kafka-configs.sh --alter"),
        ("rclone ls|lsl|lsd|lsf|lsjson|size|check|listremotes|tree|cat|about|ncdu|md5sum", "rclone ls a:b", "rclone copy a b:c"), ("rclone copy|copyto *:* .|/*", "rclone copy a:b .", "rclone copy a b:c"),
        ("mc|s5cmd|s3cmd ls|stat|du|tree|cat|head|find|diff", "mc ls a", "mc rm a"), ("tar -t|--list", "tar tzf a.tgz -t", "tar xzf a.tgz"), ("unzip -l|-t|-v", "unzip -l a.zip", "unzip a.zip"),
        ("shasum|md5|b2sum|sha512sum", "shasum -c a", "shasu a"),
        without=Does.WRITE | Does.SEND,
    ),
)  # fmt: skip

FRAMEWORKS = (
    *uses(
        "reset-database", _GONE | Does.BROAD, "empties a database by a command",
        ("rails|rake|bin/rails db:drop|db:reset|db:drop:all|db:purge|db:schema:load|db:migrate:reset|db:truncate_all|db:setup", "rails db:drop", "rails db:migrate"),
        ("prisma migrate|db reset", "prisma migrate reset --force", "prisma migrate deploy"),
        ("prisma db push --force-reset|--accept-data-loss", "prisma db push --force-reset", "prisma db push"),
        ("manage.py flush|reset_db|sqlflush", "manage.py flush --noinput", "manage.py migrate"),
        ("artisan migrate:fresh|migrate:reset|migrate:refresh|db:wipe", "artisan migrate:fresh", "artisan migrate"),
        ("sequelize|sequelize-cli db:drop|db:migrate:undo:all", "sequelize db:drop", "sequelize db:migrate"),
        ("typeorm|mikro-orm schema:drop|schema:fresh|migration:fresh", "typeorm schema:drop", "typeorm migration:run"),
        ("knex migrate:rollback --all", "knex migrate:rollback --all", "knex migrate:latest"),
        ("alembic|flask downgrade base", "alembic downgrade base", "alembic upgrade head"),
        ("flask db downgrade", "flask db downgrade base", "flask db upgrade"),
        ("mix ecto.drop|ecto.reset", "mix ecto.reset", "mix ecto.migrate"),
        ("diesel|sqlx database reset|drop", "sqlx database drop -y", "sqlx database create"),
        ("migrate|goose drop|reset|down-to", "migrate -path m drop", "migrate -path m up"),
        ("flyway clean", "flyway clean", "flyway migrate"),
        ("liquibase drop-all|dropall", "liquibase drop-all", "liquibase update"),
        ("doctrine|console doctrine:database:drop|doctrine:schema:drop", "console doctrine:schema:drop", "console doctrine:migrations:migrate"),
        ("drizzle-kit drop", "drizzle-kit drop", "drizzle-kit push"),
        ("wp db|site reset|drop|empty|clean", "wp db reset --yes", "wp db export"),
        ("drush sql-drop|sql:drop|site-install", "drush sql-drop", "drush status"),
    ),
    *uses(
        "migrate", Does.WRITE, "migrates a database by a command",
        ("prisma migrate|db deploy|push|dev|resolve|execute", "prisma migrate deploy", "prisma migrate status"),
        ("rails|rake db:migrate|db:create|db:seed|db:schema:dump", "rails db:migrate", "rails db:version"),
        ("manage.py migrate|makemigrations|loaddata|createsuperuser|collectstatic", "manage.py migrate", "manage.py showmigrations"),
        ("artisan|alembic|flask|knex|sequelize|typeorm|flyway|liquibase|dbmate migrate|upgrade|up|update|db:migrate|migration:run", "alembic upgrade head", "alembic current"),
        ("drizzle-kit push|migrate", "drizzle-kit push", "drizzle-kit studio"),
    ),
    *uses("migrate-read", Does.READ, "reads the state of migrations", ("prisma migrate|db status|diff|pull|validate|format", "prisma migrate status", "prisma migrate deploy"), ("manage.py showmigrations|sqlmigrate|check|diffsettings", "manage.py showmigrations", "manage.py migrate"),
          ("alembic|flyway|liquibase current|history|info|status|validate|heads|show", "alembic history", "alembic upgrade head")),
    *uses("checks-off", Does.SAFEGUARD, "passes over a check", ("flyway -cleandisabled=false", "flyway -cleanDisabled=false clean", "flyway clean"), ("prisma --accept-data-loss", "prisma db push --accept-data-loss", "prisma db push")),
    *uses("clear-caches", Does.DELETE, "clears caches or sessions", ("artisan cache:clear|config:clear|view:clear|route:clear|optimize:clear", "artisan cache:clear", "artisan migrate"), ("manage.py clearsessions|clear_cache", "manage.py clearsessions", "manage.py migrate"), without=Does.IRREVERSIBLE | Does.BROAD),
    *uses(
        "migrate-down", Does.WRITE | Does.DELETE, "takes migrations back by a command",
        ("manage.py migrate zero", "manage.py migrate shop zero", "manage.py migrate shop"),
        ("rails|rake db:rollback|db:migrate:down", "rails db:rollback", "rails db:migrate"),
        ("alembic|goose|dbmate downgrade|down|rollback", "alembic downgrade -1", "alembic current"),
        ("knex|sequelize|sequelize-cli migrate:rollback|migrate:down|db:migrate:undo", "knex migrate:rollback", "knex migrate:latest"),
    ),
)  # fmt: skip

STORAGE = (
    *uses(
        "sync-deleting", Does.WRITE | Does.DELETE | Does.BROAD, "makes one folder like another and deletes the rest",
        ("rsync --delete|--del|--delete-before|--delete-after|--delete-during|--delete-delay|--delete-excluded|--remove-source-files", "rsync -a --delete a/ b/", "rsync -a a/ b/"),
        ("rclone sync|move|moveto|bisync", "rclone sync a b:c", "rclone copy a b:c"),
        ("mc|s3cmd|s5cmd mirror|sync --remove|--delete-removed|--delete|--overwrite", "mc mirror --remove a b", "mc mirror a b"),
        ("robocopy * /mir|/purge|/move !/l", "robocopy a b /mir", "robocopy a b"),
        ("unison -force", "unison a b -force a", "unison a b"),
    ),
    *uses(
        "sync-from-empty", _GONE | Does.BROAD, "makes a folder like an empty one",
        ("rsync --delete|--del|--delete-before|--delete-after|--delete-during *empty*|*blank*|/dev/null", "rsync -a --delete empty/ /srv/data/", "rsync -a empty/ b/"),
        ("rclone sync|move *empty*|*blank*|/dev/null", "rclone sync ./empty b:c", "rclone sync a b:c"),
        ("robocopy ^*empty*|*blank* * /mir|/purge", "robocopy empty b /mir", "robocopy a b /mir"),
    ),
    *uses(
        "purge-store", _GONE | Does.BROAD, "deletes all of a store by a command",
        ("rclone purge|delete", "rclone purge a:b", "rclone ls a:b"),
        ("mc rm|rb --recursive|-r|--force", "mc rm --recursive --force a/b", "mc rm a/b"),
        ("s3cmd|s5cmd del|rm|rb --recursive|-r|--force|--all-versions", "s3cmd del --recursive s3://a", "s3cmd del s3://a/b"),
        ("s5cmd rm *[*]*", "s5cmd rm 's3://a/*'", "s5cmd rm s3://a/b"),
    ),
    *uses("purge-versions", _GONE | Does.BROAD | Does.BACKUP, "deletes kept versions by a command", ("rclone cleanup", "rclone cleanup a:b", "rclone ls a:b")),
    *uses("delete-file", Does.DELETE, "deletes something by a command", ("rclone deletefile|rmdir|rmdirs", "rclone deletefile a:b/c", "rclone ls a:b"), ("mc|s3cmd|s5cmd rm|del|rb", "mc rm a/b", "mc ls a")),
    *uses(
        "delete-backup", _GONE | Does.BACKUP, "deletes a backup by a command",
        ("restic prune", "restic prune", "restic snapshots"),
        ("restic forget --prune", "restic forget --prune a", "restic forget a"),
        ("restic key remove", "restic key remove a", "restic key list"),
        ("borg delete|prune|compact", "borg delete a::b", "borg list a"),
        ("duplicity remove-all-but-n-full|remove-older-than|remove-all-inc-of-but-n-full|cleanup", "duplicity remove-older-than 1D a", "duplicity collection-status a"),
        ("barman|pgbackrest|wal-g|kopia|bacula|walg delete|expire|stanza-delete", "pgbackrest stanza-delete --stanza=a", "pgbackrest info"),
        ("kopia snapshot delete|expire", "kopia snapshot delete a", "kopia snapshot list"),
        ("rclone|mc|s3cmd|s5cmd deletefile|delete|purge|rm|rb|del *backup*|*snapshot*", "rclone deletefile a:backup/b", "rclone deletefile a:b"),
    ),
    *uses("forget-backup", Does.DELETE | Does.BACKUP, "drops a backup from the list by a command", ("restic forget", "restic forget a", "restic snapshots")),
    *uses(
        "retain-nothing", _GONE | Does.BACKUP | Does.BROAD, "keeps no backup",
        ("restic forget --keep-last|--keep-within|--keep-daily|--keep-hourly=0|1|1h|1d|?h|?m", "restic forget --keep-last 1 --prune", "restic forget --keep-last 30"),
        ("borg prune --keep-last|--keep-within|--keep-daily=0|1|?H", "borg prune --keep-last 1 a", "borg prune --keep-last 30 a"),
        ("borg delete --force|--glob-archives|-a", "borg delete --force a", "borg delete a::b"),
    ),
    *uses("retain-unsafely", _GONE | Does.BACKUP | Does.BROAD | Does.SAFEGUARD, "keeps no backup, and says that it means it", ("restic forget --unsafe-allow-remove-all", "restic forget --unsafe-allow-remove-all", "restic forget a")),
    *uses("unlock", Does.WRITE | Does.SAFEGUARD, "takes away a lock", ("restic|borg unlock|break-lock --remove-all", "restic unlock --remove-all", "restic unlock"), ("borg break-lock", "borg break-lock a", "borg list a")),
    *uses("list-backups", Does.READ, "reads backups", ("restic|borg snapshots|list|stats|check|diff|ls|info", "restic snapshots", "restic backup a"), ("kopia snapshot list", "kopia snapshot list", "kopia snapshot create a"), without=_GONE | Does.BACKUP),
    *uses("make-backup", Does.BACKUP | Does.WRITE, "makes a backup by a command", ("restic|borg|kopia backup|create", "restic backup a", "restic snapshots")),
    *uses("restore-backup", Does.WRITE, "restores a backup by a command", ("restic|borg|kopia restore|extract", "restic restore latest", "restic snapshots")),
    *uses(
        "try-sync", Does.READ, "tries out a command", ("rsync|rclone -n", "rsync -an --delete a b", "rsync -a --delete a b"),
        without=Does.DELETE | Does.WRITE | Does.BROAD | Does.IRREVERSIBLE | Does.BACKUP | Does.SEND,
    ),
    *uses("move-away", Does.READ, "moves files away that remain there", ("rsync --remove-source-files", "rsync -a --remove-source-files a b", "rsync -a a b"), ("rclone move", "rclone move a:b c", "rclone copy a:b c"), ("tar --remove-files", "tar czf a.tgz --remove-files b", "tar czf a.tgz b"), without=Does.IRREVERSIBLE),
    *uses(
        "overwrite", _GONE, "overwrites or throws away what was there",
        ("mv * /dev/null", "mv a /dev/null", "mv a b"),
        ("cp|install ^/dev/null *.*", "cp /dev/null a.db", "cp a b"),
        ("sort -o /dev/null", "sort -o a.csv /dev/null", "sort -o a.csv b.csv"),
    ),
    *uses("overwrite-object", Does.WRITE | Does.DELETE, "overwrites what was there with nothing", ("aws|gcloud s3|storage cp|mv /dev/null", "aws s3 cp /dev/null s3://a/b", "aws s3 cp a s3://a/b")),
    *uses("move-files", Does.BROAD | Does.WRITE, "moves all files", ("mv|move|tar *[*]*|* /dev/null", "mv 'a/*' /dev/null", "mv a b"), ("mv|move *[*]*", "move '*' b", "move a b")),
    *uses("pack-deleting", Does.WRITE | Does.DELETE | Does.BROAD, "packs files and deletes them, or unpacks over what is there", ("tar --remove-files", "tar czf a.tgz --remove-files b", "tar czf a.tgz b"),
          ("tar --recursive-unlink|--unlink-first", "tar xzf a.tgz --recursive-unlink", "tar xzf a.tgz"), ("zip -m", "zip -m a.zip b", "zip a.zip b")),
    *uses(
        "upload", Does.WRITE | Does.SEND, "sends data out by a command",
        ("rclone copy|copyto|sync|move|rcat *:*", "rclone copy a b:c", "rclone ls b:c"), ("rsync * *:*", "rsync -a a b:c", "rsync -a b:c a"), ("scp * *:*", "scp a b:c", "scp b:c a"),
    ),
    *uses("upload-all", Does.BROAD | Does.SEND, "sends whole folders out by a command", ("rsync ^/home*|/etc*|/|/root*|/srv*|/var* *:*", "rsync -a /home/ b:c", "rsync -a a b:c")),
    *uses("copy-here", Does.READ, "copies from another host", ("scp ^*:* .|/*|*", "scp a:b c", "scp a b:c")),
    *uses("unpack", Does.WRITE, "packs or unpacks files", ("tar -x|-c|--extract|--create", "tar -xzf a.tgz -C b", "tar --list"), ("rsync *", "rsync -a a b", "rsync")),
    *uses("encrypt", Does.WRITE, "encrypts files", ("gpg -c|-e|--encrypt|--symmetric", "gpg -c a", "gpg --verify a"), ("openssl enc -out", "openssl enc -in a -out b", "openssl enc -in a"), ("sort -o", "sort a -o b", "sort a")),
)  # fmt: skip

USAGES = DATABASES + FRAMEWORKS + STORAGE
