"""The evaluator for Faust's own command: `faust -A servicelevel.entrypoints.worker worker`.

Settings come from the environment, and a settings file that it names. The definitions are read
once: start it anew after a change. Only asking for `app`
builds it; importing this module does nothing.
"""

import functools
import os

import faust

from servicelevel.bootstrap import build_evaluator_app, read_definitions
from servicelevel.settings_file import load_settings


@functools.cache
def _app() -> faust.App:
    settings = load_settings(os.environ)
    return build_evaluator_app(settings, read_definitions(settings))


def __getattr__(name: str) -> faust.App:
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
