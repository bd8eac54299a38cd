-- The liquidators' desk: drafts, which only their liquidator sees. Publishing copies a draft into the
-- catalogue's tables, which are frozen; from then on the draft says what became of it, and stays.

create table sale_draft (
    -- The sale's id too, once it is published.
    sale_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    -- As it was typed; what is missing is found by the checks before publishing.
    draft jsonb not null,
    state text not null check (state in ('DRAFT', 'PUBLISHING', 'PUBLISHED', 'DROPPED')),
    -- Rises with every change: who changes an older one is told.
    version integer not null check (version >= 1),
    -- The sale's secret and times are fixed when publishing begins, so that going on after a crash
    -- repeats the same commands.
    publishing jsonb check ((publishing is not null) or state in ('DRAFT', 'DROPPED')),
    created_at_us bigint not null,
    changed_at_us bigint not null,
    changed_by text not null
);

create index sale_draft_of_liquidator on sale_draft (liquidator_id, changed_at_us desc, sale_id);
create index sale_draft_unfinished on sale_draft (sale_id) where state = 'PUBLISHING';

create table lot_draft (
    draft_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    -- Null: in stock, not yet in a sale.
    sale_id text collate "C" references sale_draft,
    -- Its place in the catalogue, and its number there (12, 12A), which stays.
    place integer check (place >= 1),
    number text collate "C",
    draft jsonb not null,
    -- From its lines.
    lines integer not null default 0,
    units integer not null default 0,
    retail_minor bigint not null default 0,
    conditions jsonb not null default '{}',
    version integer not null check (version >= 1),
    -- Null: it is there. A removed one can be brought back.
    removed_at_us bigint,
    -- What it was made of: of a file, of the lots that it was split from or joined of, relisted from.
    origin jsonb not null,
    created_at_us bigint not null,
    changed_at_us bigint not null,
    changed_by text not null,
    check ((sale_id is null) = (place is null) and (sale_id is null) = (number is null)),
    unique (sale_id, number)
);

create index lot_draft_of_liquidator on lot_draft (liquidator_id, draft_id);
create index lot_draft_of_sale on lot_draft (sale_id, place);

create table lot_draft_line (
    draft_id text collate "C" not null references lot_draft,
    line integer not null check (line >= 1),
    description text not null,
    brand text not null,
    model text not null,
    category text not null,
    subcategory text not null,
    condition text not null,
    source text not null,
    item_number text not null,
    gtin text collate "C" not null,
    lpn text collate "C" not null,
    serial text collate "C" not null,
    quantity integer not null check (quantity >= 1),
    unit_msrp_minor bigint not null check (unit_msrp_minor >= 0),
    pallet text collate "C" not null,
    weight_g bigint check (weight_g > 0),
    primary key (draft_id, line)
);

-- A recall finds every lot that holds an article, published or not.
create index lot_draft_line_gtin on lot_draft_line (gtin) where gtin <> '';
create index lot_draft_line_lpn on lot_draft_line (lpn) where lpn <> '';
create index manifest_line_gtin on manifest_line (gtin) where gtin <> '';
create index manifest_line_lpn on manifest_line (lpn) where lpn <> '';

-- What a draft was before each change, for undoing it and for whoever asks who changed what.
create table lot_draft_change (
    draft_id text collate "C" not null references lot_draft,
    version integer not null,
    before jsonb not null,
    changed_at_us bigint not null,
    changed_by text not null,
    primary key (draft_id, version)
);

-- A person's corrections of how a file's columns were understood, by the file's headers.
create table column_memory (
    liquidator_id text collate "C" not null,
    signature text collate "C" not null,
    corrections jsonb not null,
    changed_at_us bigint not null,
    primary key (liquidator_id, signature)
);
