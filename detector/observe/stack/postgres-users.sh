# Run once by PostgreSQL's image, on an empty volume: the users of the store, each with a role of least rights.
# `detector store --init` grants the roles what they may do (detector/observe/store/roles.sql).
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --set=writer="$STORE_PASSWORD" --set=reader="$READER_PASSWORD" <<'SQL'
create role detector_writer nologin;
create role detector_reader nologin;
create role store login password :'writer' in role detector_writer;
create role grafana login password :'reader' in role detector_reader;
SQL
