"""Who may do what: organisations, people, roles, approvals, sessions, tokens, the audit log.

Imports ``foundation`` only. ``auction`` and everything above it may import this room; the
pure rules of ``auction`` do not, so that what a bid means never depends on who is logged in.
"""
