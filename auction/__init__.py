"""The engine: what a bid means, when a lot closes, and who may write it down.

Flat modules whose names say their layer. The pure ones (``ids money terms commands
events rejections increments pricing closing outage costs sale decide views codec chain``)
import nothing that blocks. ``ports`` says what the engine needs of the world;
``writer`` and ``shards`` run it; ``*_postgres``, ``*_memory``, ``*_local`` are adapters.
"""
