"""``softclose openapi``: the API's description as a file."""

import click

from softclose.command_line import with_settings
from softclose.settings import Settings


@click.command()
@with_settings
def openapi(settings: Settings) -> None:
    """Print the description of the API (OpenAPI 3.1), docs/openapi.json.

    It is the one that `softclose serve` answers at /api/v1/openapi.json.
    """
    from softclose.site import description

    click.echo(description(settings), nl=False)
