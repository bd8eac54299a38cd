-- What a seller says to everybody who watches a sale. Nothing is unsaid: a correction follows.

create table sale_message (
    sale_id text collate "C" not null,
    number integer not null check (number >= 1),
    message text not null,
    said_at_us bigint not null,
    said_by text not null,
    primary key (sale_id, number)
);
