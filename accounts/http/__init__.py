"""Accounts over HTTP: the guard of every route, the pages, the API.

Handlers read the request, ask a module of ``accounts`` and show what came of it. What may be done
by whom is decided by the guard and by `accounts.http.guard.require`, nowhere else.
"""
