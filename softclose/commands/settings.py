"""``softclose settings``: what is in force, or the page that explains it."""

import click

from softclose.command_line import with_settings
from softclose.settings import Settings
from softclose.settings_page import settings_lines, settings_page


@click.command()
@click.option("--page", is_flag=True, help="Print the page of all settings, docs/settings.md.")
@with_settings
def settings(settings: Settings, page: bool) -> None:
    """Show the settings in force; secrets are masked."""
    click.echo(settings_page() if page else "\n".join(settings_lines(settings)), nl=not page)
