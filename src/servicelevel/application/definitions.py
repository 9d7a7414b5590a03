"""The definitions in force in a process, and what it means to put others in their place."""

from dataclasses import dataclass

from servicelevel.application.classify import Plan
from servicelevel.domain.model import Catalogue, Indicator
from servicelevel.domain.partitioning import counts_partition


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of SLOs; and of objectives, as `slo/objective`.

    `new` objectives have indicators that were not counted before. Those of `moved` ones are counted
    in another partition of `counts` from now on, where nothing of them is known: they begin anew,
    too.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    moved: tuple[str, ...]


class Definitions:
    """A catalogue and its plan. Those who use them keep this object, and see a change.

    Raises CelError if an expression of the catalogue cannot be compiled.
    """

    def __init__(self, catalogue: Catalogue, counts_partitions: int) -> None:
        self.catalogue = catalogue
        self.plan = Plan(catalogue, counts_partitions)
        self._counts_partitions = counts_partitions

    def change_to(self, other: "Definitions") -> Difference | None:
        """Be as the other, which is not used any more; what differed, None if nothing did."""
        if other.catalogue == self.catalogue:
            return None
        difference = self._difference(other.catalogue)
        self.catalogue = other.catalogue
        self.plan.change_to(other.plan)
        return difference

    def _difference(self, other: Catalogue) -> Difference:
        ours, theirs = self.catalogue.slos, other.slos
        before, after = self.catalogue.indicators(), other.indicators()
        moved = {
            found
            for found in before.keys() & after.keys()
            if self._partition(before[found]) != self._partition(after[found])
        }
        return Difference(
            added=tuple(sorted(theirs.keys() - ours.keys())),
            removed=tuple(sorted(ours.keys() - theirs.keys())),
            changed=tuple(sorted(n for n in ours.keys() & theirs.keys() if ours[n] != theirs[n])),
            new=_objectives(other, after.keys() - before.keys()),
            moved=_objectives(other, moved),
        )

    def _partition(self, found: tuple[Indicator, str]) -> int:
        return counts_partition(found[1], self._counts_partitions)


def _objectives(catalogue: Catalogue, indicators: set[str]) -> tuple[str, ...]:
    """Those of these indicators, as `slo/objective`."""
    return tuple(
        sorted(
            f"{slo.name}/{objective.name}"
            for slo in catalogue.slos.values()
            for objective in slo.objectives
            if objective.indicator.id in indicators
        )
    )
