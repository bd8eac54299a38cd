"""The resellers' side: WebSocket sessions, fan-out, the live pages.

Imports ``auction``, ``accounts`` and ``foundation``; never ``settlement``, which stands beside
it. Of the engine it knows only ``Engine.submit`` and the public events.
"""
