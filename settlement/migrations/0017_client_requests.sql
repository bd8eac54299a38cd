-- What was made for requests of programs, by the ids that they gave them: a lost answer is asked
-- for again without being made twice. A row for each thing that was made; they stay with it.
create table client_request (
    organisation_id text collate "C" not null,
    request_id text collate "C" not null check (length(request_id) <= 64),
    -- SHA-256 of what was asked for: of the row of the API, its place, and the body.
    digest bytea not null check (length(digest) = 32),
    -- The id of what was made.
    made text collate "C" not null,
    made_at_us bigint not null,
    primary key (organisation_id, request_id)
);
