"""All routes of notices."""

from bidder_gateway.notices.api import NoticesApi, NoticesRoom
from bidder_gateway.notices.reach_api import ReachApi
from bidder_gateway.notices.unsubscribe_pages import UnsubscribePages
from foundation.http.routes import Route


def notice_routes(room: NoticesRoom) -> list[Route]:
    """Their rows."""
    parts = (NoticesApi(room), ReachApi(room), UnsubscribePages(room))
    return [route for part in parts for route in part.routes()]
