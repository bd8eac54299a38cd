-- What a seller answers for each lot, where its sale's terms ask it before money is taken.

-- Nobody was asked before this: the table is empty.
alter table seller_confirmation
    add column until_us bigint not null,
    add column else_cancelled boolean not null;

create index seller_confirmation_open on seller_confirmation (until_us)
where confirmed_at_us is null;

create table seller_answer (
    award_id text collate "C" primary key references award,
    invoice_id text collate "C" not null references seller_confirmation,
    confirms boolean not null,
    answered_at_us bigint not null,
    -- A person; the house itself, where the time was over.
    answered_by text not null
);

create index seller_answer_of_invoice on seller_answer (invoice_id);
