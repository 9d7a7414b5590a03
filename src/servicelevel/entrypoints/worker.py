"""The evaluator for Faust's own command: `faust -A servicelevel.entrypoints.worker worker`.

Settings come from the environment, and a settings file that it names. Only asking for `app`
builds it; importing this module does nothing.
"""

import functools
import os

import faust

from servicelevel.bootstrap import build_evaluator_app, read_catalogue
from servicelevel.settings_file import load_settings


@functools.cache
def _app() -> faust.App:
    settings = load_settings(os.environ)
    catalogue = read_catalogue(settings.definitions, lenient=settings.lenient)
    return build_evaluator_app(settings, catalogue)


def __getattr__(name: str) -> faust.App:
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
