-- The results of lots are followed together with the board (softclose.followers), so the following
-- begins anew, with the tables that it keeps. Here, since no other room knows all of them.
delete from log_cursor where name = 'board';
truncate lot_board, sale_board, lot_rules, lot_event, admission, admitted_bidder, bidder_lot,
    person_lot, won_lot, sale_result, lot_result;
