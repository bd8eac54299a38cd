"""The ground floor: settings, logging, the database pool and the migrator.

Imports no other room. What stands here knows nothing of auctions.
"""
