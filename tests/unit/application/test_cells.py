from servicelevel.application.cells import GrowingEvidence, merge_cells, named_dimensions
from servicelevel.domain.counts import BadEvidence, Cell


def test_equal_keys_are_added_up() -> None:
    merged = merge_cells(
        [
            Cell("i", "", 20, 1, 2, BadEvidence({"r/0": (5, 5)}, {"status_code=500": 1})),
            Cell("i", "", 10, 3, 3),
            Cell("i", "", 20, 4, 4),
            Cell(
                "i",
                "",
                20,
                0,
                2,
                BadEvidence({"r/0": (3, 9), "r/1": (1, 1)}, {"status_code=500": 2}),
            ),
        ]
    )
    assert merged == [
        Cell("i", "", 10, 3, 3),
        Cell(
            "i",
            "",
            20,
            5,
            8,
            BadEvidence({"r/0": (3, 9), "r/1": (1, 1)}, {"status_code=500": 3}),
        ),
    ]


def test_the_most_frequent_dimensions_are_named() -> None:
    dimensions = {f"operation={n}": n for n in range(1, 41)} | {"__other__": 5}
    named = named_dimensions(dimensions)
    assert list(named)[:2] == ["operation=40", "operation=39"]
    assert len(named) == 33
    assert named["__other__"] == 5 + sum(range(1, 9))
    assert sum(named.values()) == sum(dimensions.values())


def test_few_dimensions_are_all_named() -> None:
    dimensions = {f"operation={n}": 1 for n in range(32)}
    assert named_dimensions(dimensions) == dimensions


def test_ties_are_settled_by_name() -> None:
    dimensions = {f"operation={n:02}": 1 for n in reversed(range(40))}
    assert list(named_dimensions(dimensions))[:2] == ["operation=00", "operation=01"]
    assert "operation=32" not in named_dimensions(dimensions)


def test_evidence_is_bounded_and_loses_no_event() -> None:
    evidence = GrowingEvidence()
    for n in range(5_000):
        evidence.add(GrowingEvidence({"r/0": (n, n)}, {f"operation={n}": 1, "status_code=500": 1}))
        assert len(evidence.dimensions) <= 1_026
    frozen = evidence.freeze()
    assert frozen.offsets == {"r/0": (0, 4_999)}
    assert frozen.dimensions["status_code=500"] == 5_000
    assert sum(frozen.dimensions.values()) == 10_000
