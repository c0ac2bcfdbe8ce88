-- A run whose row is locked is publishing: it is not lost, however long that takes, and nobody waits for it to find that out.
create or replace function lose_runs(silent interval) returns setof uuid language sql as $$
    update runs set state = 'lost', epoch = epoch + 1, finished_at = now(), error = 'the coordinator ended without a word'
    where id in (select id from runs where state in ('running', 'publishing') and heartbeat_at < now() - silent for update skip locked)
    returning id
$$;
