"""Settlement on paper: invoices, manifests, bills of lading, statements, evidence.

Each document is a frozen struct of facts (``contents``), made of the log, the catalogue and the
ledger by its reader (``reading_*``), and bytes that follow from those facts alone (``rendering``).
``archive`` makes a document when it is first asked for and keeps it under its digest.
"""
