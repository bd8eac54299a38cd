-- Who may do what. Times are microseconds since the epoch, UTC; digests are SHA-256 of secrets,
-- which themselves are kept nowhere.

-- Its id is also the id by which the engine knows it as bidder or liquidator.
create table organisation (
    organisation_id text collate "C" primary key,
    kind text not null check (kind in ('RESELLER', 'LIQUIDATOR', 'CONSIGNOR', 'HOUSE')),
    name text not null,
    -- Of its limit and its people's ceilings.
    currency text not null default 'USD',
    created_at_us bigint not null
);

create index organisation_kind on organisation (kind, organisation_id);

-- A person is of one organisation. Who left stays, because bids and the audit log name them.
create table person (
    person_id text collate "C" primary key,
    organisation_id text collate "C" not null references organisation,
    -- In lower case.
    mail text collate "C" not null,
    name text not null,
    time_zone text not null,
    -- Argon2; null: no password was set, so none fits.
    password_hash text,
    created_at_us bigint not null,
    left_at_us bigint
);

create unique index person_mail on person (mail) where left_at_us is null;
create index person_organisation on person (organisation_id, person_id);

create table membership (
    person_id text collate "C" not null references person,
    role text not null check (role in ('bidder', 'liquidator', 'settlement', 'admin')),
    -- The most this bidder may bid for the team in a sale; null: no ceiling of their own.
    ceiling_minor bigint check (ceiling_minor >= 0),
    primary key (person_id, role),
    check (role = 'bidder' or ceiling_minor is null)
);

-- The second factor. Unconfirmed until a first code has shown that the device has the secret.
create table totp (
    person_id text collate "C" primary key references person,
    secret text not null,
    confirmed_at_us bigint,
    -- The step of the last code that was accepted: no code is accepted twice.
    last_step bigint not null default 0
);

create table recovery_code (
    digest bytea primary key check (length(digest) = 32),
    person_id text collate "C" not null references person
);

create index recovery_code_person on recovery_code (person_id);

-- A row is a session that is signed in; ending it removes the row.
create table session (
    session_id text collate "C" primary key,
    digest bytea not null unique check (length(digest) = 32),
    person_id text collate "C" not null references person,
    second_factor boolean not null,
    address text not null,
    agent text not null,
    created_at_us bigint not null,
    last_seen_at_us bigint not null
);

create index session_person on session (person_id);

-- Between the password and the code.
create table login_step (
    digest bytea primary key check (length(digest) = 32),
    person_id text collate "C" not null references person,
    tries integer not null default 0,
    expires_at_us bigint not null
);

-- Browsers that have signed this person in before: guesses made elsewhere do not slow them down.
create table known_device (
    person_id text collate "C" not null references person,
    digest bytea not null check (length(digest) = 32),
    last_used_at_us bigint not null,
    primary key (person_id, digest)
);

create index known_device_digest on known_device (digest);

-- Who tries often waits longer. The subject is a SHA-256 of what is counted: an account, a known
-- device, an address, a mailbox.
create table attempt (
    subject bytea primary key check (length(subject) = 32),
    count integer not null,
    last_at_us bigint not null,
    next_at_us bigint not null
);

create index attempt_last on attempt (last_at_us);

create table api_token (
    token_id text collate "C" primary key,
    digest bytea not null unique check (length(digest) = 32),
    person_id text collate "C" not null references person,
    name text not null,
    scopes text[] not null check (scopes <@ array['read', 'bid', 'sell', 'staff']),
    created_at_us bigint not null,
    expires_at_us bigint not null,
    last_used_at_us bigint
);

create index api_token_person on api_token (person_id);

-- For opening a live connection once, as whom the session or the token is.
create table ticket (
    digest bytea primary key check (length(digest) = 32),
    session_id text collate "C",
    token_id text collate "C",
    expires_at_us bigint not null,
    check (num_nonnulls(session_id, token_id) = 1)
);

create table invitation (
    invitation_id text collate "C" primary key,
    digest bytea not null unique check (length(digest) = 32),
    organisation_id text collate "C" not null references organisation,
    mail text collate "C" not null,
    roles text[] not null,
    ceiling_minor bigint check (ceiling_minor >= 0),
    invited_by text collate "C" references person,
    created_at_us bigint not null,
    expires_at_us bigint not null,
    unique (organisation_id, mail)
);

-- Until the link in the mail shows that the address is theirs. The password is chosen then: who
-- signs up somebody else's address must not know the password to what comes of it.
create table sign_up (
    digest bytea primary key check (length(digest) = 32),
    organisation_name text not null,
    person_name text not null,
    mail text collate "C" not null,
    expires_at_us bigint not null
);

create table password_reset (
    digest bytea primary key check (length(digest) = 32),
    person_id text collate "C" not null references person,
    expires_at_us bigint not null
);

create index password_reset_person on password_reset (person_id);

create table mail_change (
    digest bytea primary key check (length(digest) = 32),
    person_id text collate "C" not null references person,
    mail text collate "C" not null,
    expires_at_us bigint not null
);

create index mail_change_person on mail_change (person_id);

-- A reseller's approval, with what it says of itself.
create table approval (
    organisation_id text collate "C" primary key references organisation,
    -- DRAFT, NEEDS_MORE -> SUBMITTED -> NEEDS_MORE, APPROVED, DECLINED; APPROVED <-> SUSPENDED.
    state text not null check (
        state in ('DRAFT', 'SUBMITTED', 'NEEDS_MORE', 'APPROVED', 'DECLINED', 'SUSPENDED')
    ),
    legal_name text not null default '',
    street text not null default '',
    city text not null default '',
    region text not null default '',
    postal_code text not null default '',
    country text not null default 'US',
    phone text not null default '',
    website text not null default '',
    business text not null default '',
    submitted_at_us bigint,
    decided_at_us bigint,
    decided_by text collate "C" references person,
    -- What the applicant is told.
    reasons text not null default '',
    -- Null: none beyond what each sale asks.
    limit_minor bigint check (limit_minor >= 0),
    changed_at_us bigint not null
);

create index approval_queue on approval (submitted_at_us, organisation_id)
where state = 'SUBMITTED';
create index approval_changed on approval (changed_at_us);

create table document (
    document_id text collate "C" primary key,
    organisation_id text collate "C" not null references organisation,
    kind text not null check (
        kind in ('RESALE_CERTIFICATE', 'BUSINESS_LICENCE', 'IDENTITY', 'OTHER')
    ),
    file_name text not null,
    media_type text not null check (
        media_type in ('application/pdf', 'image/png', 'image/jpeg')
    ),
    -- Not compressed: these formats are.
    body bytea not null,
    sha256 bytea not null check (length(sha256) = 32),
    uploaded_by text collate "C" not null references person,
    uploaded_at_us bigint not null
);

alter table document alter column body set storage external;
create index document_organisation on document (organisation_id, uploaded_at_us);

-- Exempts a reseller from sales tax in one state until the day it expires, once staff accepted it.
create table resale_certificate (
    certificate_id text collate "C" primary key,
    organisation_id text collate "C" not null references organisation,
    region text not null,
    number text not null,
    expires_on date not null,
    document_id text collate "C" references document,
    state text not null check (state in ('PENDING', 'ACCEPTED', 'REFUSED')),
    reasons text not null default '',
    decided_by text collate "C" references person,
    decided_at_us bigint,
    created_at_us bigint not null,
    -- The fewest days before the expiry for which a reminder was sent.
    reminded_days integer
);

create index resale_certificate_organisation on resale_certificate (organisation_id, created_at_us);
create index resale_certificate_pending on resale_certificate (created_at_us)
where state = 'PENDING';
create index resale_certificate_expiry on resale_certificate (expires_on) where state = 'ACCEPTED';

-- Who did what to what. No references: a line outlives what it names.
create table audit_event (
    audit_id bigint generated always as identity primary key,
    at_us bigint not null,
    act text not null,
    -- Null: nobody who was signed in, or the command line.
    person_id text collate "C",
    -- Whom it concerns; null: nobody in particular.
    organisation_id text collate "C",
    object_id text collate "C",
    address text not null,
    details jsonb not null
);

create index audit_event_organisation on audit_event (organisation_id, audit_id);

create function audit_event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit_event is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger audit_event_append_only
before update or delete or truncate on audit_event
for each statement execute function audit_event_is_append_only();
