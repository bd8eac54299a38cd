"""Paper, whoever makes it: text on a canvas, sizes of paper, and the child that sets documents.

A document is words before it is pages: a room makes structs of its facts, ``press`` hands them to
a child process (``child``), which sets them with ``typesetting`` and answers with the bytes.
"""
