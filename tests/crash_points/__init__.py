"""Whole lives of invoices in which settlement's process dies, and what must hold in the end.

``world`` is a house over real tables and a simulator, with processes that die and are started
anew; ``life`` is what happens to an invoice, from its issue until its lots are closed; ``books``
says what is wrong then, from the tables and the simulator, by rules of its own.
"""
