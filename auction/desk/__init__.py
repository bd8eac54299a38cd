"""The liquidators' desk: drafts of lots and sales, and the one way from a draft to a sale.

What is published is the catalogue's (``auction.catalog``) and the engine's; nothing here is seen by
a buyer before that.
"""
