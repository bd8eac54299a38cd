-- What is for sale, in words, lines and pictures. What a lot is judged by is the engine's own state;
-- these tables say what the goods are. A lot is found by everybody once it is published here and the
-- log has scheduled it (lot_board).

create table sale_listing (
    sale_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    -- As buyers read it; a retailer may sell under an alias.
    liquidator_name text not null,
    title text not null,
    summary text not null,
    -- The sale's own, as in the IANA table: its times are told in it.
    time_zone text not null,
    city text not null,
    region text collate "C" not null,
    country text collate "C" not null,
    terms_in_words text not null,
    payment_terms text not null,
    pickup_terms text not null,
    visibility text not null check (visibility in ('PUBLIC', 'GROUP', 'INVITE')),
    -- As scheduled, for the order of the calendar; the ends in force are the board's.
    opens_at_us bigint not null,
    -- Null: a draft, which only its liquidator sees.
    published_at_us bigint
);

create index sale_listing_calendar on sale_listing (opens_at_us, sale_id);

create table lot_listing (
    sale_id text collate "C" not null references sale_listing,
    lot_id text collate "C" not null,
    -- Its place in the catalogue: lot numbers such as 12A have no order of their own.
    place integer not null,
    kind text not null check (kind in ('CASE', 'PALLET', 'PALLETS', 'TRUCKLOAD')),
    title text not null,
    description text not null,
    category text not null,
    condition text not null check (
        condition in (
            'NEW', 'LIKE_NEW', 'OPEN_BOX', 'REFURBISHED', 'USED_GOOD', 'USED_FAIR', 'SALVAGE',
            'UNINSPECTED'
        )
    ),
    source text not null,
    restrictions text[] not null,
    -- Where the goods are. The street is for who has paid for them.
    company text not null,
    street text not null,
    city text not null,
    region text collate "C" not null,
    postal_code text collate "C" not null,
    country text collate "C" not null,
    -- What stands on the dock: so many pallets, each of these measures; in all, this weight.
    pallets integer not null check (pallets >= 0),
    length_mm integer not null check (length_mm > 0),
    width_mm integer not null check (width_mm > 0),
    height_mm integer not null check (height_mm > 0),
    weight_g bigint not null check (weight_g > 0),
    freight_class text not null,
    freight_terms text not null check (
        freight_terms in ('BINDING', 'FIXED', 'FREE', 'BUYER_ARRANGED')
    ),
    -- What a FIXED freight costs.
    freight_fixed_minor bigint check (freight_fixed_minor >= 0),
    -- From the manifest: lines, pieces, and the sum of the extended MSRPs, which is advisory.
    lines integer not null check (lines >= 0),
    units integer not null check (units >= 0),
    msrp_minor bigint not null check (msrp_minor >= 0),
    currency text not null,
    brands text not null,
    manifest_sha256 bytea check (length(manifest_sha256) = 32),
    published_at_us bigint,
    search tsvector not null generated always as (
        setweight(to_tsvector('english', title || ' ' || category), 'A')
        || setweight(to_tsvector('english', brands), 'B')
        || setweight(to_tsvector('english', description || ' ' || city), 'C')
    ) stored,
    primary key (sale_id, lot_id),
    unique (sale_id, place),
    check ((freight_terms = 'FIXED') = (freight_fixed_minor is not null)),
    check (published_at_us is null or manifest_sha256 is not null)
);

create index lot_listing_search on lot_listing using gin (search);

create table manifest_line (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    line integer not null check (line >= 1),
    description text not null,
    brand text not null,
    model text not null,
    category text not null,
    subcategory text not null,
    condition text not null check (
        condition in (
            'NEW', 'LIKE_NEW', 'OPEN_BOX', 'REFURBISHED', 'USED_GOOD', 'USED_FAIR', 'SALVAGE',
            'UNINSPECTED'
        )
    ),
    source text not null,
    -- The seller's own number for the article.
    item_number text not null,
    -- With all leading zeros; empty: none is known.
    gtin text collate "C" not null,
    -- Of single pieces; for who has paid for them.
    lpn text collate "C" not null,
    serial text collate "C" not null,
    quantity integer not null check (quantity >= 1),
    unit_msrp_minor bigint not null check (unit_msrp_minor >= 0),
    extended_msrp_minor bigint not null generated always as (quantity * unit_msrp_minor) stored,
    pallet text collate "C" not null,
    -- Of one piece; null: not known.
    weight_g bigint check (weight_g > 0),
    primary key (sale_id, lot_id, line),
    foreign key (sale_id, lot_id) references lot_listing
);

create table lot_photo (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    number integer not null check (number >= 1),
    alt text not null check (alt <> ''),
    primary key (sale_id, lot_id, number),
    foreign key (sale_id, lot_id) references lot_listing
);

-- A photo in one size and one format, encoded by us. Its address is its digest, so that it is kept
-- for ever wherever it was fetched.
create table lot_photo_file (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    number integer not null,
    size text not null check (size in ('tile', 'page', 'full')),
    media_type text not null check (media_type in ('image/webp', 'image/jpeg')),
    width integer not null,
    height integer not null,
    sha256 bytea not null check (length(sha256) = 32),
    bytes bytea not null,
    primary key (sale_id, lot_id, number, size, media_type),
    foreign key (sale_id, lot_id, number) references lot_photo
);

-- Pictures are packed already.
alter table lot_photo_file alter column bytes set storage external;
create index lot_photo_file_sha256 on lot_photo_file (sha256);

-- What is published is what was bid on: it stays as it is.

create function a_published_lot_stays() returns trigger language plpgsql as $$
begin
    if old.published_at_us is not null then
        raise exception 'lot % of sale % is published and stays as it is', old.lot_id, old.sale_id
        using errcode = 'restrict_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end
$$;

create function rows_of_a_published_lot_stay() returns trigger language plpgsql as $$
declare
    lot record;
begin
    select sale_id, lot_id into lot from lot_listing join changed using (sale_id, lot_id)
    where published_at_us is not null limit 1;
    if found then
        raise exception 'lot % of sale % is published and stays as it is', lot.lot_id, lot.sale_id
        using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

create function the_catalogue_is_not_emptied() returns trigger language plpgsql as $$
begin
    raise exception '% holds what was published', tg_table_name
    using errcode = 'restrict_violation';
end
$$;

create trigger lot_listing_frozen before update or delete on lot_listing
for each row execute function a_published_lot_stays();
create trigger lot_listing_kept before truncate on lot_listing
for each statement execute function the_catalogue_is_not_emptied();

-- A trigger that sees the changed rows is for one kind of change.
do $$
declare
    kept text;
    change record;
begin
    foreach kept in array array['manifest_line', 'lot_photo', 'lot_photo_file'] loop
        for change in
            select * from (values
                ('insert', 'insert', 'new'),
                ('update_from', 'update', 'old'),
                ('update_to', 'update', 'new'),
                ('delete', 'delete', 'old')
            ) as changes (name, event, rows)
        loop
            execute format(
                'create trigger %I after %s on %I referencing %s table as changed '
                'for each statement execute function rows_of_a_published_lot_stay()',
                kept || '_frozen_' || change.name, change.event, kept, change.rows
            );
        end loop;
        execute format(
            'create trigger %I before truncate on %I '
            'for each statement execute function the_catalogue_is_not_emptied()',
            kept || '_kept', kept
        );
    end loop;
end
$$;
