-- By what staff look for an invoice or an award: an amount, a lot's number.

create index invoice_total on invoice (total_minor);
create index award_hammer on award (hammer_minor);
create index award_of_lot on award (lot_id, awarded_at_us desc);
