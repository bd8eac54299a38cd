"""Reconciliation: our books beside those of Stripe and of the bank, and what does not agree."""
