"""How fast it is, measured beside systems as they are usually written: ``python -m load_tests``.

Stands on top of the house: it may import every room, and no room imports it.
"""
