"""What a stopped evaluator leaves behind."""

from pathlib import Path

from servicelevel.adapters.faust.run import remove_empty


def test_empty_folders_go_and_others_stay(tmp_path: Path) -> None:
    empty, used = tmp_path / "empty", tmp_path / "used"
    (empty / "v1" / "tables").mkdir(parents=True)
    used.mkdir()
    (used / "file").touch()

    remove_empty((empty / "v1" / "tables", empty / "v1", empty, used, tmp_path / "absent"))

    assert list(tmp_path.iterdir()) == [used]
