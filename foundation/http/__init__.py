"""The HTTP kit: typed routes, problem details, pages, static files. It knows nothing of accounts.

A room hands the host a `Mount`. Handlers are bound methods, so that they hold what they need::

    class Watch(Input):                                    # a body; unknown fields are refused
        lot_id: Annotated[str, Meta(min_length=1, max_length=64)]

    class Enquiry(Input):                                  # a page's form, with a file
        subject: Annotated[str, Meta(min_length=1, max_length=200)]
        picture: Upload | None = None

    class Watchlist:
        def __init__(self, pool: Pool) -> None: ...

        async def add(self, request: web.Request) -> web.StreamResponse:
            watch = await body_of(request, Watch)          # 400, 413, 415 or 422 by itself
            if not await self._add(watch.lot_id):
                raise NOT_FOUND()                          # {"code": "NOT_FOUND", ...}
            return answer(request, Watched(...), status=201)   # a GET gets its ETag too

        async def show(self, request: web.Request) -> web.StreamResponse:
            return page(request, "my_room/watchlist.html", form=blank(), lots=await ...)

        async def ask(self, request: web.Request) -> web.StreamResponse:
            form = await form_of(request, Enquiry)
            if form.valid is None:                         # shown again with its messages
                return page(request, "my_room/watchlist.html", status=422, form=form, lots=...)
            return see_other("/watchlist", flash="We have your question.")

    def mount(pool: Pool) -> Mount:
        lists = Watchlist(pool)
        routes = [
            Route("POST", "/api/v1/watchlist", lists.add, "Watch a lot", access=WATCH, body=Watch,
                  answer=Watched, status=201, problems=(NOT_FOUND,)),
            Route("GET", "/watchlist", lists.show, "The watchlist", access=WATCH),
            Route("POST", "/watchlist", lists.ask, "Ask", access=WATCH, max_body=2**20),
        ]
        here = Path(__file__).parent
        return Mount("my_room", routes, templates=here / "templates", static=here / "static")

A template extends ``base.html``, imports ``forms.html``, and names a file of ``my_room/static``
as ``{{ static("my_room/static/board.js") }}``. What tests need: ``application([mount(...)])``.
"""
