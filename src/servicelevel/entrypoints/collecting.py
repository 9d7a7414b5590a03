"""How often Python's garbage collector looks.

A batch makes thousands of objects that are no garbage yet. Looked at seldom, a worker counts a
sixth more events a second.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (100_000, 50, 50)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """For the time of some work."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
