"""Telling people what they should know: made from the log, kept in a list, and sent.

``rules`` says who is told what (pure), ``maker`` writes it down in the follower's own step,
``outbox`` and ``lanes`` send it by the ways that the person chose. docs/ARCHITECTURE.md,
"Notices", says what a crash leaves.
"""
