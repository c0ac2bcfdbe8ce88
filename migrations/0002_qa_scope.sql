-- Keys of people who try an experiment before it starts: they see drafts, may force a variant, and are never counted.
alter table api_keys drop constraint api_keys_scope;
alter table api_keys add constraint api_keys_scope check (scope in ('client', 'qa', 'analyst', 'admin'));
