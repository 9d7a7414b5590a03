"""One Apache Kafka node (KRaft), on loopback and free ports, in a folder of its own."""

import asyncio
import base64
import os
import signal
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from servicelevel.adapters.embedded.process import free_port
from tests.services.process import ManagedProcess, accepts_connections, wait_until

START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30
PORT_ATTEMPTS = 3
QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
REPOSITORY = Path(__file__).resolve().parents[2]
LOG4J = Path(__file__).with_name("kafka-log4j2.properties")

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms={rebalance_delay_ms}
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=2
"""


def libs_folder() -> Path:
    """Where `scripts/fetch-kafka` puts the jars."""
    default = REPOSITORY / ".cache" / "kafka" / "libs"
    return Path(os.environ.get("SERVICELEVEL_KAFKA_LIBS") or default)


def missing() -> str | None:
    """What to do before a broker can be started here; None if nothing is missing."""
    if not any(libs_folder().glob("kafka_2.13-*.jar")):
        return f"no Kafka jars in {libs_folder()}: run scripts/fetch-kafka"
    return None


class KafkaBroker:
    """A broker that keeps its port and data over `stop`, `kill` and `start`."""

    kind = "kafka"

    def __init__(
        self,
        folder: Path,
        *,
        heap_mb: int = 384,
        options: Sequence[str] = QUICK_START,
        rebalance_delay_ms: int = 0,
    ) -> None:
        """`options` are the Java machine's; the default suits a short life.

        A new group waits `rebalance_delay_ms` for more members; Kafka's default is 3,000.
        """
        self.folder = folder
        self._options = options
        self._rebalance_delay_ms = rebalance_delay_ms
        self.heap_mb = heap_mb
        self.log = folder / "kafka.log"
        self._port = 0
        self._process: ManagedProcess | None = None

    @property
    def address(self) -> str:
        """`host:port` for bootstrap_servers."""
        return f"127.0.0.1:{self._port}"

    @property
    def process(self) -> ManagedProcess:
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process

    def start(self) -> Self:
        """Start and wait until it answers; the first start formats the storage."""
        if self._port:
            self._launch()
            return self
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self._format()
            try:
                self._launch()
            except ChildProcessError as error:
                if attempt == PORT_ATTEMPTS or "Address already in use" not in str(error):
                    raise
            else:
                break
        return self

    def stop(self) -> None:
        """A clean shutdown."""
        self.process.stop(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """As a crash of the machine's power supply."""
        self.process.kill()

    def pause(self) -> None:
        """Stall it; `resume` lets it go on."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def delete_group(self, group: str) -> None:
        """Delete a consumer group that has no members: its offsets and its generation."""
        tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
        options = ("--bootstrap-server", self.address, "--delete", "--group", group)
        done = subprocess.run(
            [*self._java(128), tool, *options],
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if "successful" not in done.stdout:  # it ends with 0 whatever became of it
            raise ChildProcessError(f"group {group} is not deleted: {done.stdout}{done.stderr}")

    def _format(self) -> None:
        """New ports and empty storage."""
        self._port = free_port()
        config = self.folder / "server.properties"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(
            PROPERTIES.format(
                port=self._port,
                controller_port=free_port(),
                folder=self.folder.absolute(),
                rebalance_delay_ms=self._rebalance_delay_ms,
            )
        )
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster_id = f"s{cluster_id[1:]}"  # a leading dash would be read as an option
        subprocess.run(
            [
                *self._java(128),
                "kafka.tools.StorageTool",
                *("format", "--ignore-formatted", "-t", cluster_id, "-c", str(config)),
            ],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    def _java(self, heap_mb: int) -> list[str]:
        return [
            "java",
            f"-Xmx{heap_mb}m",
            *self._options,
            f"-Dlog4j2.configurationFile={LOG4J}",
            *("-cp", f"{libs_folder()}/*"),
        ]

    def _launch(self) -> None:
        argv = [*self._java(self.heap_mb), "kafka.Kafka", str(self.folder / "server.properties")]
        process = self._process = ManagedProcess(argv, log=self.log)
        try:
            process.until(
                lambda: accepts_connections(self._port), START_TIMEOUT_S, what="a listening port"
            )
            wait_until(lambda: answers(self.address), START_TIMEOUT_S, what="metadata")
        except BaseException:
            process.stop()
            raise

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.resume()
        self.stop()


def answers(address: str) -> bool:
    """Whether the broker at `address` gives its metadata."""

    async def ask() -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5_000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except KafkaError:
            return False
        finally:
            await admin.close()

    return asyncio.run(ask())
