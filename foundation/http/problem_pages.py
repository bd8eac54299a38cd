"""GET /problems/CODE: what a problem's ``type`` leads to, for the person who debugs a program."""

from collections.abc import Iterable

from aiohttp import web

from foundation.http import problems
from foundation.http.pages import page
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.routes import Mount


def route_to_problems(mounts: Iterable[Mount]) -> web.RouteDef:
    """The pages of all kinds that the kit or a row of these rooms names."""
    kinds = {kind.code: kind for kind in vars(problems).values() if isinstance(kind, ProblemKind)}
    for mount in mounts:
        for row in mount.routes:
            for kind in row.problems:
                known = kinds.setdefault(kind.code, kind)
                assert known == kind, f"{kind.code} is two kinds of problem"

    async def show(request: web.Request) -> web.StreamResponse:
        kind = kinds.get(request.match_info["code"])
        if kind is None:
            raise NOT_FOUND()
        return page(request, "problem_kind.html", kind=kind)

    return web.get("/problems/{code}", show)
