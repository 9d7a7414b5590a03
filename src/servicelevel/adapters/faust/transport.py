"""Faust's Kafka transport with short waits, and a consumer that stands still where it must.

Faust lets the broker hold a fetch back for 1.5 s while there is nothing new. A broker answers in
order, so each question on the same connection waits that long too: three of them, one after the
other, at each start and rebalance. Short waits bring the first message 3 to 4 s sooner.

Where a stream's buffer is almost full, Faust takes the partition out of what it asks for; with all
of them out it sleeps for a second, however soon there is room again. So its buffer has to hold
seconds of work, and messages on counts may be as large as 900 kB. Here the buffer is short, and a
full one holds up the hand that fills it: nothing is asked for until there is room.
"""

from typing import Any, ClassVar, cast

import faust
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import ConsumerT

FETCH_MAX_WAIT_MS = 100


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if hasattr(consumer, "_fetch_max_wait_ms"):  # not public; read once, when it starts
            cast(Any, consumer)._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer


class _Consumer(driver.Consumer):
    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: who fills the buffer waits for room."""

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """Set it as an app's `transport` before the app starts."""

    Consumer: ClassVar[type[ConsumerT]] = _Consumer


def use_own_transport(app: faust.App) -> None:
    """Let the app consume as described above."""
    app.transport = Transport(app.conf.broker_consumer, app)
