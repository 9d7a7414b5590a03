"""The table store, as far as it needs no broker: the contract tests have the rest."""

import logging
from typing import Any

import pytest

from servicelevel.adapters.faust.app import build_app
from servicelevel.adapters.faust.store import Store
from servicelevel.settings import Settings


def no_evaluator(*_: Any) -> Any:
    raise AssertionError("nothing is evaluated here")


async def test_its_start_and_end_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    app = build_app(Settings(), evaluators=no_evaluator, decode=no_evaluator, outputs=no_evaluator)
    store = Store("servicelevel:", app, app.tables["state"])

    with caplog.at_level(logging.INFO):
        await store.start()
        await store.stop()

    assert [r.getMessage() for r in caplog.records] == []
