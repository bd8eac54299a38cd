-- Photos of drafts, and of lots that are published already.

-- A picture is kept once, under its digest, whoever shows it: copying a photo copies a row. What the
-- digest says cannot change, and what is shown cannot be deleted.
create table picture (
    sha256 bytea primary key,
    bytes bytea not null,
    check (sha256(bytes) = sha256)
);

-- Pictures are packed already.
alter table picture alter column bytes set storage external;

insert into picture (sha256, bytes) select distinct on (sha256) sha256, bytes from lot_photo_file;
alter table lot_photo_file drop column bytes;
alter table lot_photo_file add foreign key (sha256) references picture;

-- Null: it was there when the lot was published. A photo may be added later, marked with its time;
-- none is changed, replaced or taken away.
alter table lot_photo add column added_at_us bigint;

create function only_later_photos_join_a_published_lot() returns trigger language plpgsql as $$
declare
    lot record;
begin
    select sale_id, lot_id into lot from lot_listing join changed using (sale_id, lot_id)
    where published_at_us is not null and coalesce(added_at_us, 0) < published_at_us limit 1;
    if found then
        raise exception 'lot % of sale % is published and stays as it is', lot.lot_id, lot.sale_id
        using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

create function only_files_of_later_photos_join_a_published_lot() returns trigger
language plpgsql as $$
declare
    lot record;
begin
    select sale_id, lot_id into lot
    from lot_listing join changed using (sale_id, lot_id) join lot_photo using (sale_id, lot_id, number)
    where published_at_us is not null and added_at_us is null limit 1;
    if found then
        raise exception 'lot % of sale % is published and stays as it is', lot.lot_id, lot.sale_id
        using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

drop trigger lot_photo_frozen_insert on lot_photo;
create trigger lot_photo_frozen_insert after insert on lot_photo referencing new table as changed
for each statement execute function only_later_photos_join_a_published_lot();

drop trigger lot_photo_file_frozen_insert on lot_photo_file;
create trigger lot_photo_file_frozen_insert after insert on lot_photo_file
referencing new table as changed
for each statement execute function only_files_of_later_photos_join_a_published_lot();

-- Rises with every change of a draft's photos; a new photo is numbered by it, so that no number is
-- ever given again.
alter table lot_draft add column photos_version integer not null default 1;

create table lot_draft_photo (
    draft_id text collate "C" not null references lot_draft,
    number integer not null check (number >= 1),
    place integer not null check (place >= 1),
    -- Empty: called by the lot's title when it is published.
    alt text not null,
    -- To a lot that was published already.
    added_later boolean not null,
    added_at_us bigint not null,
    -- Null: it is there. The last ones that were removed can be brought back.
    removed_at_us bigint,
    primary key (draft_id, number)
);

create table lot_draft_photo_file (
    draft_id text collate "C" not null,
    number integer not null,
    size text not null check (size in ('tile', 'page', 'full')),
    media_type text not null check (media_type in ('image/webp', 'image/jpeg')),
    width integer not null,
    height integer not null,
    sha256 bytea not null references picture,
    primary key (draft_id, number, size, media_type),
    foreign key (draft_id, number) references lot_draft_photo on delete cascade
);

create index lot_draft_photo_file_sha256 on lot_draft_photo_file (sha256);

-- The manifest that a change replaced, as MessagePack; null: the change was of words.
alter table lot_draft_change add column lines bytea;
