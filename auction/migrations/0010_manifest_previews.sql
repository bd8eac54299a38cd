-- What was read of an uploaded file, for an hour: until its lines become lots. The file itself is
-- not kept.

create table manifest_preview (
    preview_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    content bytea not null,
    until_us bigint not null
);

create index manifest_preview_of_liquidator on manifest_preview (liquidator_id, until_us);
