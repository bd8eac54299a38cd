-- What a bank has taken of whose credit is asked whenever an invoice is decided about, and what it
-- has taken of a charge whenever something goes back.
create index payment_dispute_pending on payment_dispute (buyer_id)
where taken_minor <> given_minor + borne_minor;
create index payment_dispute_of_charge on payment_dispute (charge_id);
drop index payment_dispute_of_buyer;
