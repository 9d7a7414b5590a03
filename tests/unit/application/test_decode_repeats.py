"""A record that is read again, after a crash or in a replay, meets the same fate in the same words.

A dead letter's id is the record's place: a reader drops a repeat by it, and must lose nothing.
"""

import json

from servicelevel.application.decode import DecodeLimits, decode_batch
from servicelevel.application.lines import RecordedLine
from servicelevel.domain.outputs import DeadLetter

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def dead_letters(now_ms: int) -> list[DeadLetter]:
    value = json.dumps({"service": "shop", "time": NOW + 86_400_000}).encode()
    return decode_batch(
        [RecordedLine(0, value, NOW)],
        topic="requests",
        partition=0,
        kind="request",
        now_ms=now_ms,
        limits=DecodeLimits(),
    )[1]


def test_a_time_in_the_future_is_refused_in_the_same_words_when_read_again_later() -> None:
    assert dead_letters(NOW) == dead_letters(NOW + 1_234)
