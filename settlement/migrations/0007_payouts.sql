-- Tables come with their part.
select 1;
