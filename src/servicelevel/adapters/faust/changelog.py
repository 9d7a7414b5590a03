"""Writes table changes to Faust's changelog topic in whole batches.

Faust's own path logs a failed write and goes on, which leaves a hole that recovery does not see;
it also costs a task switch and several objects an entry. Here a batch is sent when the one
before it is acknowledged, and the first failure ends the process.
"""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from servicelevel.adapters.faust.state import Record
from servicelevel.errors import RestartRequiredError, StateError

MAX_BATCH_BYTES = 512 * 1024
"""Below the 1 MiB that a broker takes by default."""


class KafkaChangelog:
    """A `Changelog` on one topic.

    `stored(partition, first offset, count)` is told of each batch, and says whether it follows on
    what was read or stored before. The producer is started and stopped by the caller; its
    `max_batch_size` bounds a batch.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        stored: Callable[[int, int, int], bool],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._stored = stored

    async def claim(self, partition: int, record: Record) -> None:
        """Write the first record of an owner; return when the broker has it.

        Raises:
            RestartRequiredError: the broker did not take it, or somebody else has written since
                the partition was read.
        """
        batch = self._producer.create_batch()
        key, value = record
        batch.append(key=key, value=value, timestamp=None)
        batch.close()
        if not await self._send(partition, batch, 1):
            raise RestartRequiredError(
                f"{self._topic}/{partition}: another process wrote to the table after this one had "
                "read it: start this process anew, and it reads the table again"
            )

    async def write(self, partition: int, records: Sequence[Record]) -> None:
        """Return when the broker has all of `records`.

        Raises:
            RestartRequiredError: the broker did not take them.
            StateError: an entry is larger than a batch may be.
        """
        done = 0
        while done < len(records):
            batch = self._producer.create_batch()
            count = 0
            for key, value in records[done:]:
                if batch.append(key=key, value=value, timestamp=None) is None:
                    break
                count += 1
            if not count:
                key, value = records[done]
                raise StateError(f"table entry {key!r} has {len(value or b'')} bytes, too many")
            batch.close()
            await self._send(partition, batch, count)
            done += count

    async def _send(self, partition: int, batch: object, count: int) -> bool:
        try:
            sent = await self._producer.send_batch(batch, self._topic, partition=partition)
            metadata = await sent
        except KafkaError as error:
            raise RestartRequiredError(
                f"{self._topic}/{partition} could not be written ({error!r}): start this process "
                "anew, and it goes on from what is there"
            ) from error
        return self._stored(partition, metadata.offset, count)
