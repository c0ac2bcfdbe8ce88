-- What the signals of a key must look like, when its owner says so. See experimentd/ingest/schema.h.
alter table api_keys add column schema json;
