-- Who looked at what only its owner may see: a line is here before anything is shown.

create table reveal (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- The user and machine that the command ran as, and the role that it had in the database.
    person text not null,
    machine text not null,
    role text not null default current_user,
    reason text not null check (reason ~ '\S'),
    -- The command and what it was narrowed to.
    command text not null,
    narrowed_to jsonb not null
);

create function reveal_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'reveal is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger reveal_append_only
before update or delete or truncate on reveal
for each statement execute function reveal_is_append_only();
