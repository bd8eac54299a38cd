-- How often a person has had an operation tried again: then somebody has looked at it. What an event
-- tells of may be nobody's; once that is seen it is left.
alter table settlement_op add column releases integer not null default 0;

alter table stripe_event drop constraint stripe_event_outcome_check;
alter table stripe_event add check (outcome in ('WAITING', 'TAKEN', 'UNREAD', 'LEFT'));
