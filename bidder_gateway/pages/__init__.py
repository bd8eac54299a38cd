"""The resellers' pages: the calendar, boards, lots, registering, and what is a reseller's own.

Each page is whole when it leaves the server: prices, ends, where the viewer stands, and forms that
do without scripts. Where scripts run they take the live parts over from the very frames that the
page brought along (`page_data`). What the browser says in words and sums it says by the same rules
as here: tests/pages holds cases that both are held to.
"""
