-- Who may see a sale is said once, by the log; the board has it for lists and searches. Sales that
-- were scheduled before are public.

alter table sale_listing drop column visibility;

alter table lot_board add column audience text not null default 'PUBLIC'
    check (audience in ('PUBLIC', 'GROUP', 'INVITE'));
alter table lot_board alter column audience drop default;
