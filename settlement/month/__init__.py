"""The month: who owes what since when, tax by place, yearly gross, and closing the books."""
