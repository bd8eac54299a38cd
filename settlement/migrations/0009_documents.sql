-- Documents: whose paper they are on, their numbers, and what was printed, for ever.

-- The house as it stands on paper, from a time on. Never changed: what was printed stays explained.
create table house_paper (
    valid_from_us bigint primary key check (valid_from_us >= 0),
    name text not null check (length(name) between 1 and 100),
    -- Lines of its address.
    address text[] not null check (cardinality(address) <= 5),
    contact text not null,
    -- Below each page: who it is by law, and its tax number.
    foot text not null,
    -- By which its pallets have numbers for everybody; empty: they have none.
    gs1_prefix text not null check (gs1_prefix ~ '^([0-9]{4,12})?$'),
    -- Where buyers send money; null: they are told on the invoice's page alone.
    bank jsonb,
    set_at_us bigint not null,
    set_by text not null
);

insert into house_paper values (0, 'Softclose', '{}', '', '', '', null, 0, 'softclose');

-- Serial numbers behind a prefix: none is ever given twice.
create table pallet_serial (
    gs1_prefix text collate "C" primary key,
    last bigint not null check (last >= 0)
);

create table pallet_sscc (
    award_id text collate "C" not null references award,
    number integer not null check (number >= 1),
    sscc text collate "C" not null unique check (sscc ~ '^[0-9]{18}$'),
    given_at_us bigint not null,
    primary key (award_id, number)
);

-- Numbers of documents rise in each kind, without gaps.
create table paper_counter (
    kind text collate "C" primary key,
    last bigint not null check (last >= 0)
);

create table paper_subject (
    kind text collate "C" not null,
    subject text collate "C" not null check (length(subject) between 1 and 255),
    number bigint not null,
    primary key (kind, subject),
    unique (kind, number)
);

-- A document as its facts were then. Other facts are its next version.
create table paper (
    kind text collate "C" not null,
    subject text collate "C" not null,
    version integer not null check (version >= 1),
    facts_sha256 bytea not null check (length(facts_sha256) = 32),
    made_at_us bigint not null,
    primary key (kind, subject, version),
    foreign key (kind, subject) references paper_subject
);

-- What was handed out, as PDF, XLSX or CSV.
create table paper_file (
    kind text collate "C" not null,
    subject text collate "C" not null,
    version integer not null,
    form text not null check (form in ('pdf', 'xlsx', 'csv')),
    sha256 bytea not null,
    bytes bytea not null check (octet_length(bytes) between 1 and 67108864),
    made_at_us bigint not null,
    primary key (kind, subject, version, form),
    foreign key (kind, subject, version) references paper,
    check (sha256(bytes) = sha256)
);

-- They are packed already.
alter table paper_file alter column bytes set storage external;
create index paper_file_sha256 on paper_file (sha256);

create function paper_stays() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger paper_stays before update or delete or truncate on paper
for each statement execute function paper_stays();
create trigger paper_stays before update or delete or truncate on paper_file
for each statement execute function paper_stays();
create trigger paper_stays before update or delete or truncate on paper_subject
for each statement execute function paper_stays();
create trigger paper_stays before update or delete or truncate on house_paper
for each statement execute function paper_stays();
create trigger paper_stays before update or delete or truncate on pallet_sscc
for each statement execute function paper_stays();
