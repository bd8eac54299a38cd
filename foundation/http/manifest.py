"""GET /site.webmanifest: what the site is called and looks like as an app on a phone.

An installed site may show notices on every system; some systems show none without it.
"""

from typing import Final

from aiohttp import web

from foundation.http.answers import answer
from foundation.http.static import STATIC

PATH: Final = "/site.webmanifest"

_ICONS = (192, 512)


async def manifest(request: web.Request) -> web.Response:
    """The manifest, with the present addresses of its icons."""
    static = request.config_dict[STATIC]
    icons = [
        {
            "src": static.url(f"foundation/static/mark-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
        }
        for size in _ICONS
    ]
    value = {
        "name": "Softclose",
        "short_name": "Softclose",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#f4f5f8",
        "theme_color": "#3244c0",
        "icons": icons,
    }
    headers = {"Cache-Control": "public, no-cache", "Content-Type": "application/manifest+json"}
    return answer(request, value, headers=headers)
