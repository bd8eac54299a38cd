-- What becomes of goods that nobody fetched, as a person has said; a buyer that asked for time is
-- looked at again later.
alter table abandonment add column fate text check (fate in ('WAITS', 'RESOLD', 'DISPOSED'));
alter table abandonment add column why text not null default '';
alter table abandonment add column decided_at_us bigint;
alter table abandonment add column decided_by text;
alter table abandonment add column look_at_us bigint;
alter table abandonment add check ((fate is null) = (decided_by is null));
alter table abandonment add check ((fate = 'WAITS') = (look_at_us is not null) or fate is null);
create index abandonment_open on abandonment (noticed_at_us) where fate is null or fate = 'WAITS';
