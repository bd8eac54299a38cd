"""Money and paper: awards, invoices, captures, the ledger, documents, payouts.

Imports ``auction``, ``accounts`` and ``foundation``; never ``bidder_gateway``, which stands
beside it. It learns what was sold from the log, and changes a sale only by a command to it.
"""
