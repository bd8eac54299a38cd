-- Sales that come again, who changes a group at the same time, and what was recalled.
-- Times are microseconds since the epoch, UTC.

-- The drafts that were made together of one sale; stopping gives up those that are drafts still.
create table sale_series (
    series_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    -- How often, until when, and which days are left out, as it was asked.
    recurrence jsonb not null,
    made_at_us bigint not null,
    made_by text not null
);

alter table sale_draft add column series_id text collate "C" references sale_series;
create index sale_draft_of_series on sale_draft (series_id) where series_id is not null;

-- A group's version rises with every change: who changes an older one is told. Its name may change;
-- a removed one can be brought back until another has its name.
alter table buyer_group
    add column version integer not null default 1 check (version >= 1),
    add column group_id text collate "C",
    add column removed_at_us bigint;
update buyer_group set group_id = 'group-' || md5(liquidator_id || ' ' || name);
alter table buyer_group alter column group_id set not null, add unique (group_id);
alter table buyer_group_member
    drop constraint buyer_group_member_liquidator_id_name_fkey,
    add foreign key (liquidator_id, name) references buyer_group
        on update cascade on delete cascade;

create table recall (
    recall_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    -- What was recalled, as it was named, and what became of each open lot.
    named jsonb not null,
    withdrawn jsonb not null,
    reason text not null,
    made_at_us bigint not null,
    made_by text not null
);

create index recall_of_liquidator on recall (liquidator_id, made_at_us desc, recall_id);
