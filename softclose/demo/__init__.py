"""``softclose demo``: a sale made by the project, played by simulated resellers.

The engine, the log and PostgreSQL are the real ones. The resellers know what a bidder knows:
the public events, and the verdicts on their own bids. Only the clock is not life's: it moves
as fast as it is told to, so that a seed makes the same sale every time.
"""
