-- Who is who: a user's id, known after a login, and the unit that experiments count.

alter table signals add column user_id text;

-- The unit that a user was first seen with. It never changes: what was counted for a unit stays counted for it.
create table identities (
    user_id text primary key,
    unit text not null,
    at timestamptz not null default now()
);
