"""``softclose serve``: the engine with its database, until it is told to stop."""

import click

from softclose.command_line import run_async, with_settings
from softclose.settings import Settings


@click.command()
@with_settings
def serve(settings: Settings) -> None:
    """Run the engine until SIGTERM or Ctrl-C.

    Brings its own PostgreSQL unless SOFTCLOSE_DATABASE_URL names one. Health is on
    SOFTCLOSE_HTTP_HOST and SOFTCLOSE_HTTP_PORT: /healthz (alive) and /readyz (bids are taken).
    """
    from softclose.serving import serve as serve_until_signal

    run_async(serve_until_signal(settings))
