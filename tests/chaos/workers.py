"""Worker processes that are started again when they ask for it, as a service manager would."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from tests.services.process import ManagedProcess

AGAIN = (3, 75, -signal.SIGHUP)
"""No broker; to be started anew; told to reload before it listened. As in deploy/systemd."""
GAVE_UP = 75
AGAIN_AFTER_S = 1.0
STOP_S = 40.0


class Workers:
    """Slots by number, each with one process; `start(slot)` makes one."""

    def __init__(
        self, start: Callable[[int], ManagedProcess], again_after_s: float = AGAIN_AFTER_S
    ) -> None:
        self._start = start
        self._again_after_s = again_after_s
        self._slots: dict[int, ManagedProcess] = {}
        self._logged: dict[int, int] = {}  # bytes of its log before it was started
        self._handled: set[int] = set()  # slots that a step is at work on
        self._added = 0
        self.unexpected: list[str] = []
        self.slow_stops = 0
        """Parts that did not stop in the worker's own time, so that it asks to be started anew."""
        self.restarts: dict[int, int] = {}
        """By exit code, of those that ended by themselves."""

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def all_run(self) -> bool:
        """Whether each runs and has begun to work."""
        return all(
            process.poll() is None and self._has_begun(slot)
            for slot, process in self._slots.items()
        )

    def _has_begun(self, slot: int) -> bool:
        with self._slots[slot].log.open("rb") as log:
            log.seek(self._logged[slot])
            return b"worker starts" in log.read()

    def _launch(self, slot: int) -> None:
        before = self._slots.get(slot)
        self._logged[slot] = before.log.stat().st_size if before else 0
        self._slots[slot] = self._start(slot)

    def pick(self, share: float, without: int | None = None) -> int:
        """The slot at a share in [0, 1) of those there are."""
        slots = sorted(self._slots.keys() - {without})
        return slots[int(share * len(slots))]

    def add(self) -> int:
        """Start one more; its slot."""
        slot = self._added
        self._added += 1  # a log of its own
        self._launch(slot)
        return slot

    async def kill(self, slot: int, down_s: float) -> None:
        """SIGKILL, and start it again."""
        self._handled.add(slot)
        self._slots[slot].kill()
        await asyncio.sleep(down_s)
        self._launch(slot)
        self._handled.discard(slot)

    async def stop(self, slot: int, down_s: float) -> None:
        """SIGTERM, and start it again when it has ended."""
        self._handled.add(slot)
        await self._end(slot)
        await asyncio.sleep(down_s)
        self._launch(slot)
        self._handled.discard(slot)

    async def remove(self, slot: int) -> None:
        """SIGTERM, for good."""
        self._handled.add(slot)
        await self._end(slot)
        self._slots.pop(slot)
        self._handled.discard(slot)

    async def remove_all(self) -> None:
        """SIGTERM to one after the other."""
        for slot in sorted(self._slots):
            await self.remove(slot)

    def stall(self, slot: int) -> None:
        self._slots[slot].send_signal(signal.SIGSTOP)

    def resume(self, slot: int) -> None:
        self._slots[slot].send_signal(signal.SIGCONT)

    def hang_up(self) -> None:
        """SIGHUP to each: read the definitions anew."""
        for process in self._slots.values():
            if process.poll() is None:
                process.send_signal(signal.SIGHUP)

    def kill_all(self) -> None:
        """Leave none behind, whatever happened."""
        for process in self._slots.values():
            process.send_signal(signal.SIGKILL)
            with suppress(Exception):
                process.wait(10)

    async def keep(self) -> None:
        """Start again what ends by itself, until cancelled."""
        while True:
            for slot in list(self._slots):
                process = self._slots.get(slot)  # others may have removed or replaced it meanwhile
                if process is None or slot in self._handled:
                    continue
                if (code := process.poll()) is not None:
                    self._note(slot, code)
                    await asyncio.sleep(self._again_after_s)
                    if self._slots.get(slot) is process and slot not in self._handled:
                        self._launch(slot)
            await asyncio.sleep(0.1)

    async def _end(self, slot: int) -> None:
        process = self._slots[slot]
        ended = process.poll()
        process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(process.wait, STOP_S)
        except TimeoutError:
            process.kill()
            self.unexpected.append(f"worker {slot} did not stop within {STOP_S:g} s of SIGTERM")
        else:
            if code == GAVE_UP and ended is None:
                self.slow_stops += 1
            elif ended is None and code not in (0, -signal.SIGTERM):
                self.unexpected.append(f"worker {slot} ended with {code} when it was stopped")

    def _note(self, slot: int, code: int) -> None:
        self.restarts[code] = self.restarts.get(code, 0) + 1
        if code not in AGAIN:
            self.unexpected.append(f"worker {slot} ended by itself with {code}")
