"""What is done to the system and when: an endless list of steps that the seed decides alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SESSION_S = 6.0
"""A worker silent for so long loses its partitions."""


class Kind(StrEnum):
    """One way to disturb the system."""

    KILL = "kill"  # SIGKILL of a worker, started again
    STOP = "stop"  # SIGTERM of a worker, started again
    STALL = "stall"  # SIGSTOP of a worker beyond its session, then SIGCONT
    STALL_AND_KILL = "stall and kill"  # another worker is killed while one is stalled
    STORM = "storm"  # SIGKILL of one worker after another, each started again at once
    ADD = "add"  # one worker more
    REMOVE = "remove"  # SIGTERM of a worker for good
    BROKER_KILL = "broker kill"  # SIGKILL of the broker, started again over its data
    BROKER_STALL = "broker stall"  # SIGSTOP of the broker, then SIGCONT
    REDIS_KILL = "redis kill"  # SIGKILL of Redis, started again empty
    RELOAD = "reload"  # other definitions, and SIGHUP of all workers


PICKS = 6
WORKERS = 3
MOST_WORKERS = 4
FEWEST_WORKERS = 2


@dataclass(frozen=True)
class Step:
    """`picks` in [0, 1) choose workers among those that run, one after the other; in seconds."""

    number: int
    kind: Kind
    pause_s: float
    lasts_s: float
    picks: tuple[float, ...]


def steps(seed: int) -> Iterator[Step]:
    """Deck after deck, each with every kind once; workers are added and removed in turn."""
    rng = random.Random(f"steps {seed}")
    number, workers = 0, WORKERS
    while True:
        deck = list(Kind)
        rng.shuffle(deck)
        for drawn in deck:
            kind = drawn
            if kind is Kind.ADD and workers == MOST_WORKERS:
                kind = Kind.REMOVE
            elif kind is Kind.REMOVE and workers == FEWEST_WORKERS:
                kind = Kind.ADD
            workers += (kind is Kind.ADD) - (kind is Kind.REMOVE)
            pause_s, lasts_s = rng.uniform(0.2, 3), _lasts_s(rng, kind)
            yield Step(number, kind, pause_s, lasts_s, tuple(rng.random() for _ in range(PICKS)))
            number += 1


def _lasts_s(rng: random.Random, kind: Kind) -> float:
    if kind in (Kind.STALL, Kind.STALL_AND_KILL):
        return SESSION_S + rng.uniform(2, 9)
    if kind is Kind.BROKER_STALL:
        return 20.0
    if kind is Kind.STORM:
        return rng.uniform(4, 15)
    return rng.uniform(0, 4)
