-- What a liquidator's sales have in common: words, terms, and the shape of their times.

create table sale_template (
    template_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    name text not null,
    draft jsonb not null,
    version integer not null check (version >= 1),
    changed_at_us bigint not null,
    changed_by text not null,
    unique (liquidator_id, name)
);

-- What was made of a draft is found by it, and what did not sell is offered again once at a time.
create index lot_draft_made_of on lot_draft using gin ((origin -> 'drafts'));
create unique index lot_draft_relisted on lot_draft ((origin -> 'relisted'))
    where removed_at_us is null and origin ? 'relisted';
