"""The catalogue: what is in the lots, in words, lines and pictures; what freight and tax come to.

``goods`` is the vocabulary. ``listings``, ``manifests`` and ``photos`` read and write the tables;
``freight`` is the port for quotes and its arithmetic, ``freight_table`` an adapter on tables,
``quotes`` keeps what was quoted; ``taxes`` says which rate a bidder bears; ``door_price`` adds up
what a bid comes to. What may be bid, and what a bid means, is the engine's; nothing here is
asked while a bid is judged.
"""
