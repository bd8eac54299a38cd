-- How goods leave, and what buyers claim of them. Times are microseconds since 1970, amounts minor
-- units; states are those of settlement/pickups/words.py and settlement/claiming/words.py.

-- A place that goods are fetched from: a liquidator's, by its address.
create table dock (
    dock_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    company text not null,
    street text not null,
    city text not null,
    region text not null,
    postal_code text not null,
    country text not null,
    -- Its clocks.
    zone text not null,
    slot_minutes integer not null check (slot_minutes between 15 and 480),
    -- Until so long before its slot a buyer books, changes or cancels; staff do at any time.
    change_minutes integer not null check (change_minutes between 0 and 20160),
    ahead_days integer not null check (ahead_days between 1 and 365),
    version bigint not null default 1,
    changed_at_us bigint not null,
    changed_by text not null
);

create index dock_of_liquidator on dock (liquidator_id);

-- Without a row it is closed on that day of the week; 1 is Monday. Minutes since midnight.
create table dock_hours (
    dock_id text collate "C" not null references dock,
    weekday integer not null check (weekday between 1 and 7),
    opens_minute integer not null check (opens_minute >= 0),
    closes_minute integer not null check (closes_minute <= 1440),
    primary key (dock_id, weekday),
    check (opens_minute < closes_minute)
);

create table dock_door (
    dock_id text collate "C" not null references dock,
    door text collate "C" not null,
    -- Trucks that stand there in one slot.
    capacity integer not null check (capacity between 0 and 50),
    primary key (dock_id, door)
);

create table dock_closed_day (
    dock_id text collate "C" not null references dock,
    day date not null,
    why text not null,
    primary key (dock_id, day)
);

-- One truck in one slot for some awards of one buyer.
create table pickup (
    pickup_id text collate "C" primary key,
    dock_id text collate "C" not null references dock,
    buyer_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    state text not null check (state in ('BOOKED', 'CHECKED_IN', 'GONE', 'CANCELLED', 'MISSED')),
    door text collate "C" not null,
    slot_at_us bigint not null,
    slot_ends_at_us bigint not null check (slot_ends_at_us > slot_at_us),
    -- Which of the door's trucks in that slot it is.
    place integer not null check (place >= 1),
    -- How often it was booked: the first time, and each change.
    bookings integer not null default 1,
    carrier text not null default '',
    driver text not null default '',
    trailer text not null default '',
    seal text not null default '',
    note text not null default '',
    booked_at_us bigint not null,
    booked_by text not null,
    checked_in_at_us bigint,
    signed_by text,
    -- An SVG path in a box of 600 x 200; null: the name was typed.
    signature text,
    -- When the goods were released, with whose name.
    gone_at_us bigint,
    gone_by text,
    changed_at_us bigint not null,
    version bigint not null default 1,
    check ((state = 'GONE') = (gone_at_us is not null)),
    check ((gone_at_us is null) = (signed_by is null))
);

-- The backstop of the booking's own lock: no two trucks at one place.
create unique index pickup_stands_alone on pickup (dock_id, door, slot_at_us, place)
where state not in ('CANCELLED', 'MISSED');
create index pickup_of_buyer on pickup (buyer_id, slot_at_us desc);
create index pickup_of_dock on pickup (dock_id, slot_at_us);

create table pickup_award (
    pickup_id text collate "C" not null references pickup,
    award_id text collate "C" not null references award,
    -- Until the truck is gone, or does not come.
    open boolean not null default true,
    primary key (pickup_id, award_id)
);

create unique index award_is_booked_once on pickup_award (award_id) where open;
create index pickup_of_award on pickup_award (award_id);

-- What stands on the dock for an award; loose cases count as one. Its id is what the label says.
create table award_pallet (
    pallet_id text collate "C" primary key,
    award_id text collate "C" not null references award,
    number integer not null check (number >= 1),
    -- The truck that it was loaded on, and when.
    pickup_id text collate "C" references pickup,
    loaded_at_us bigint,
    loaded_by text,
    -- It has left; without a truck, with what the house ships.
    gone_at_us bigint,
    unique (award_id, number),
    check ((pickup_id is null) = (loaded_at_us is null))
);

create index award_pallet_of_pickup on award_pallet (pickup_id) where pickup_id is not null;

-- What the house ships, and the proof that it arrived.
create table delivery (
    award_id text collate "C" primary key references award,
    carrier text not null,
    tracking text not null,
    shipped_at_us bigint not null,
    shipped_by text not null,
    delivered_at_us bigint,
    delivered_by text,
    signed_by text,
    note text not null default '',
    changed_at_us bigint not null,
    version bigint not null default 1,
    check ((delivered_at_us is null) = (signed_by is null)),
    check (delivered_at_us >= shipped_at_us)
);

create table abandonment (
    award_id text collate "C" primary key references award,
    noticed_at_us bigint not null,
    pallets integer not null,
    storage_minor bigint not null
);

-- Storage and missed appointments: taken from the buyer's credit as far as that goes; what is open
-- keeps its goods on the dock.
create table buyer_charge (
    charge_id text collate "C" primary key,
    kind text not null check (kind in ('STORAGE', 'MISSED_APPOINTMENT')),
    buyer_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    award_id text collate "C" not null references award,
    pickup_id text collate "C" references pickup,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    paid_minor bigint not null default 0 check (paid_minor between 0 and amount_minor),
    state text not null check (state in ('OPEN', 'PAID', 'WAIVED')),
    -- How it was counted.
    facts jsonb not null,
    -- Parts that were paid, each an entry of its own.
    payments integer not null default 0,
    made_at_us bigint not null,
    ended_at_us bigint,
    ended_by text,
    why text not null default '',
    version bigint not null default 1,
    check (state <> 'PAID' or paid_minor = amount_minor),
    check (state <> 'WAIVED' or why <> '')
);

create index buyer_charge_of_award on buyer_charge (award_id);

-- A card that is asked for what is open of a charge: one payment at the provider.
create table charge_try (
    charge_id text collate "C" not null references buyer_charge,
    number integer not null check (number >= 1),
    state text not null
    check (state in ('CREATING', 'ASKING', 'PROMISED', 'PAID', 'FAILED')),
    customer_id text collate "C" not null,
    method_id text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    payment_id text collate "C" unique,
    failure text not null default '',
    made_at_us bigint not null,
    changed_at_us bigint not null,
    primary key (charge_id, number)
);

-- While a card is asked, nobody pays the charge in another way.
create unique index charge_try_under_way on charge_try (charge_id)
where state in ('CREATING', 'ASKING', 'PROMISED');
create index buyer_charge_open on buyer_charge (buyer_id, made_at_us) where state = 'OPEN';

-- Photos of a pickup, a delivery (by its award) or a claim. The bytes are the pictures' table's.
create table evidence_photo (
    kind text not null check (kind in ('PICKUP', 'DELIVERY', 'CLAIM')),
    subject text collate "C" not null,
    number integer not null check (number >= 1),
    alt text not null,
    added_at_us bigint not null,
    added_by text not null,
    primary key (kind, subject, number)
);

create table evidence_photo_file (
    kind text not null,
    subject text collate "C" not null,
    number integer not null,
    size text not null check (size in ('tile', 'page', 'full')),
    media_type text not null check (media_type in ('image/webp', 'image/jpeg')),
    width integer not null,
    height integer not null,
    sha256 bytea not null references picture,
    primary key (kind, subject, number, size, media_type),
    foreign key (kind, subject, number) references evidence_photo
);

create index evidence_photo_file_sha256 on evidence_photo_file (sha256);

-- From which credit on a second person has to agree.
create table claims_policy (
    currency text not null,
    valid_from_us bigint not null check (valid_from_us >= 0),
    second_person_minor bigint not null check (second_person_minor >= 0),
    primary key (currency, valid_from_us)
);

insert into claims_policy values ('USD', 0, 100000);

-- A lot that states a threshold of its own; the others have the policy's.
create table lot_claim_threshold (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    share_bps integer not null check (share_bps between 0 and 10000),
    pays text not null check (pays in ('FULL', 'EXCESS')),
    stated_at_us bigint not null,
    stated_by text not null,
    primary key (sale_id, lot_id)
);

create table claim (
    claim_id text collate "C" primary key,
    award_id text collate "C" not null references award,
    -- The how-manieth of its award.
    number integer not null check (number >= 1),
    invoice_id text collate "C" not null references invoice,
    buyer_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    currency text not null,
    state text not null
    check (state in ('FILED', 'PROPOSED', 'CREDITING', 'GRANTED', 'REFUSED', 'WITHDRAWN')),
    -- Taken by staff: after the window, or after the release of the money.
    late boolean not null,
    after_release boolean not null default false,
    words text not null,
    filed_at_us bigint not null,
    filed_by text not null,
    -- What staff decided: the lines that count, what the formula says of them beyond earlier
    -- credits, and what is credited.
    granted jsonb,
    formula jsonb,
    credit jsonb,
    -- What the house gives up of its commission, after the release.
    commission_minor bigint not null default 0 check (commission_minor >= 0),
    why text not null default '',
    decided_at_us bigint,
    decided_by text,
    -- The second person.
    agreed_by text,
    -- How the credit was paid: a refund at the payment provider, or the buyer's credit.
    refund_id text,
    credited_at_us bigint,
    changed_at_us bigint not null,
    version bigint not null default 1,
    unique (award_id, number),
    check (agreed_by <> decided_by),
    check ((state in ('PROPOSED', 'CREDITING', 'GRANTED')) = (credit is not null))
);

-- One at a time for a lot.
create unique index claim_under_way on claim (award_id)
where state in ('FILED', 'PROPOSED', 'CREDITING');
create index claim_of_buyer on claim (buyer_id, filed_at_us desc);
create index claim_of_liquidator on claim (liquidator_id, filed_at_us desc);
create index claim_to_decide on claim (filed_at_us) where state in ('FILED', 'PROPOSED', 'CREDITING');

create table claim_line (
    claim_id text collate "C" not null references claim,
    place integer not null check (place >= 1),
    line integer not null check (line >= 1),
    reason text not null
    check (reason in ('MISSING', 'WRONG_ITEM', 'WORSE_CONDITION', 'DAMAGED')),
    quantity integer not null check (quantity >= 1),
    loss_bps integer not null check (loss_bps between 1 and 10000),
    words text not null,
    primary key (claim_id, place)
);

create table claim_message (
    claim_id text collate "C" not null references claim,
    number integer not null check (number >= 1),
    at_us bigint not null,
    actor text not null,
    from_staff boolean not null,
    words text not null,
    primary key (claim_id, number)
);
