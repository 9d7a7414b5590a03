"""Predicates over events, written in CEL and compiled once.

The part of CEL that is read: literals, the event's fields, `attributes.NAME`, comparisons,
`in [ … ]`, `&& || !`, `? :`, arithmetic, `has()`, `size()`, and on texts `startsWith`,
`endsWith`, `contains`, `matches` (RE2, so no pattern is slow). As in CEL, an absent field is an
error, and `&&` and `||` pass over an error on either side if the other side decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from servicelevel.application.cel.code import Run
from servicelevel.application.cel.compiler import Compiler
from servicelevel.application.cel.parser import parse
from servicelevel.application.cel.reads import Threshold
from servicelevel.application.cel.values import UndecidableError
from servicelevel.domain.model import EventKind
from servicelevel.errors import CelError
from servicelevel.schemas.events import Event


@dataclass(frozen=True, slots=True)
class Predicate:
    """Answers True, False, or None where the expression cannot be decided for the event.

    The answer depends on nothing but `fields` (their values; an attribute is
    `attributes.NAME`), `thresholds` (numeric fields: on which side of each) and `choices` (text
    fields: which of these texts, if any). Where the last two are empty for a field, only its
    presence matters.
    """

    text: str
    fields: frozenset[str] = frozenset()
    thresholds: Mapping[str, tuple[Threshold, ...]] = field(default_factory=dict)
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _run: Run = field(default=lambda _: True, repr=False)

    def __call__(self, event: Event) -> bool | None:
        try:
            answer = self._run(event)
        except UndecidableError:
            return None
        return answer if isinstance(answer, bool) else None


def compile_predicate(text: str, *, event: EventKind) -> Predicate:
    """Compile an expression over events of a kind; empty text is always True.

    Raises CelError, with line and column, for what is no CEL, is not supported, or cannot be
    true or false for any event.
    """
    if not text.strip():
        return Predicate(text)
    compiler = Compiler(event)
    try:
        run = compiler.predicate(parse(text))
    except RecursionError:
        raise CelError("nested too deeply; write a flatter expression", line=1, column=1) from None
    reads = compiler.reads
    return Predicate(text, reads.fields, reads.thresholds, reads.choices, run)
