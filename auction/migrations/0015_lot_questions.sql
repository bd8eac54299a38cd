-- What resellers ask about a published lot, and what its seller answers, in public. Who asked is
-- kept for the asker's own page and notices, and shown to nobody else, the seller included.

create table lot_question (
    question_id text collate "C" primary key,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    question text not null check (question <> ''),
    asked_at_us bigint not null,
    -- The reseller, and its person.
    asker_id text collate "C" not null,
    asked_by text collate "C" not null,
    -- Hidden: from everybody but the asker, the seller and the house.
    hidden_reason text check (
        hidden_reason in ('SPAM', 'CONTACT_DETAILS', 'OFF_TOPIC', 'OFFENSIVE', 'OTHER')
    ),
    hidden_at_us bigint,
    hidden_by text collate "C",
    answered_at_us bigint,
    -- When it was asked, answered or hidden last: what somebody is told of.
    told_at_us bigint not null,
    version integer not null default 1 check (version >= 1),
    foreign key (sale_id, lot_id) references lot_listing,
    check ((hidden_reason is null) = (hidden_at_us is null)),
    check ((hidden_reason is null) = (hidden_by is null))
);

create index lot_question_of_lot on lot_question (sale_id, lot_id, asked_at_us);
create index lot_question_of_asker on lot_question (asker_id, asked_at_us);
create index lot_question_of_liquidator on lot_question (liquidator_id, asked_at_us);
create index lot_question_told on lot_question (told_at_us);

-- What was answered, the first answer as 1. A correction is one more row, and the last one counts:
-- what was said before stays to be read.
create table lot_answer (
    question_id text collate "C" not null references lot_question,
    number integer not null check (number >= 1),
    answer text not null check (answer <> ''),
    answered_at_us bigint not null,
    answered_by text collate "C" not null,
    primary key (question_id, number)
);
