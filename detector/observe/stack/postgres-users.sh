# Run once by PostgreSQL's image, on an empty volume: the users of the store, each with a role of least rights.
# `detector store --init` grants the roles what they may do (detector/observe/store/roles.sql).
# Passwords come by the environment: others on the machine can read a command line.
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv writer STORE_PASSWORD
\getenv reader READER_PASSWORD
create role detector_writer nologin;
create role detector_reader nologin;
create role store login password :'writer' in role detector_writer;
create role grafana login password :'reader' in role detector_reader;
alter role grafana set statement_timeout = '30s';
SQL
