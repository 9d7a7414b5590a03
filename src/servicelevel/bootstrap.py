"""The one composition root: settings in, wired parts out.

Faust and the Kafka clients take half a second to import, so that is done by who starts them.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.adapters.files.mapping import load_mapping
from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.definitions import Definitions
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import StateStore, WallClock
from servicelevel.application.renewed import RenewedEvaluator
from servicelevel.application.vitals import CombinerVitals, EvaluatorVitals
from servicelevel.domain.model import Catalogue
from servicelevel.errors import DefinitionError
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.counts import decode_counts
from servicelevel.settings import Settings

if TYPE_CHECKING:
    import faust


def read_catalogue(paths: tuple[Path, ...], *, lenient: bool) -> Catalogue:
    """The SLOs of all definitions; a set that cannot be evaluated whole is refused.

    Raises DefinitionError, which lists every finding that is an error.
    """
    if not paths:
        raise DefinitionError(
            "no definitions are given: name files or folders with --definitions or "
            "SERVICELEVEL_DEFINITIONS"
        )
    loaded = load_definitions(paths, lenient=lenient)
    problems = _problems(loaded)
    if problems:
        raise DefinitionError(
            "the definitions cannot be used:\n  " + "\n  ".join(problems), problems=problems
        )
    if not loaded.catalogue.slos:
        files = ", ".join(str(path) for path in paths)
        raise DefinitionError(f"there is no SLO in {files}")
    return loaded.catalogue


def read_definitions(settings: Settings) -> Definitions:
    """The definitions that the settings name, compiled. Raises as `read_catalogue` does."""
    catalogue = read_catalogue(settings.definitions, lenient=settings.lenient)
    return Definitions(catalogue, settings.counts_partitions)


def _problems(loaded: Loaded) -> list[str]:
    found = [*loaded.findings, *loaded.unsupported]
    return [str(finding) for finding in found if finding.severity == "error"]


def read_mappings(settings: Settings) -> dict[str, SourceMapping]:
    """The source mappings by topic. Raises a UsageError that names file and field."""
    return {topic: load_mapping(path) for topic, path in settings.mappings.items()}


def evaluation_policy(settings: Settings) -> EvaluationPolicy:
    """What the settings say to the evaluator."""
    return EvaluationPolicy(
        shipped_ladder(), allowed_lateness_ms=settings.allowed_lateness_ms, early=settings.early
    )


def evaluator_factory(
    settings: Settings, definitions: Definitions
) -> Callable[[StateStore, int], RenewedEvaluator]:
    """Makes the evaluator of a counts partition from its state."""
    policy, partitions = evaluation_policy(settings), settings.counts_partitions

    def make(state: StateStore, partition: int) -> RenewedEvaluator:
        def evaluator(catalogue: Catalogue) -> Evaluator:
            return Evaluator(catalogue, policy, state, partition=partition, partitions=partitions)

        return RenewedEvaluator(definitions, evaluator)

    return make


def build_evaluator_app(
    settings: Settings,
    definitions: Definitions,
    *,
    vitals: EvaluatorVitals | None = None,
    web: bool = False,
    ready: Callable[[], object] = lambda: None,
) -> "faust.App":
    """The evaluator as a Faust app that is not started yet; `ready` is called when it is up."""
    from servicelevel.adapters.faust.app import build_app
    from servicelevel.adapters.kafka.output_writer import open_writer

    app = build_app(
        settings,
        evaluators=evaluator_factory(settings, definitions),
        decode=decode_counts,
        outputs=open_writer(settings, "evaluator"),
        vitals=vitals,
        web=web,
    )

    async def on_ready(_app: Any, /, *_: Any, **__: Any) -> None:
        ready()

    app.on_rebalance_complete.connect(on_ready, weak=False)
    return app


async def run_combiner(
    settings: Settings,
    definitions: Definitions,
    owner: str,
    clock: WallClock,
    stop: asyncio.Event,
    *,
    vitals: CombinerVitals | None = None,
) -> None:
    """Run a combiner until `stop` is set. Raises as `KafkaCombiner.run` does."""
    from servicelevel.adapters.kafka.combiner import KafkaCombiner
    from servicelevel.adapters.kafka.flushing import Asides
    from servicelevel.adapters.kafka.output_writer import open_writer

    async with open_writer(settings, "combiner") as writer:
        asides = Asides(writer, dead_letter_event, late_event)
        combiner = KafkaCombiner(
            settings,
            definitions.plan,
            clock,
            owner,
            asides,
            mappings=read_mappings(settings),
            vitals=vitals,
        )
        await combiner.run(stop)
