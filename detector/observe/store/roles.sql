-- Two roles without a login, to be granted to the users that connect: the writer stores and deletes rows and changes
-- no table, the reader (Grafana's) reads. Run after schema and views by `detector store --init`.

grant usage on schema detector to detector_writer, detector_reader;
grant select, insert, update, delete on all tables in schema detector to detector_writer;
revoke insert, update, delete on detector.schema_version from detector_writer;
grant select on all tables in schema detector to detector_reader;
revoke select on detector.offsets, detector.schema_version from detector_reader;
