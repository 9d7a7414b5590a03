"""`wheel.py SOURCE`: the installed package imports and has every file that SOURCE has."""

import importlib
import pkgutil
import sys
from pathlib import Path

import servicelevel


def main(source: Path) -> None:
    """Run by a Python that has the wheel and not the source tree."""
    installed = Path(servicelevel.__file__).parent
    if installed == source:
        sys.exit(f"{source} was imported, not the wheel")
    missing = [
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not (installed / path.relative_to(source)).is_file()
    ]
    if missing:
        sys.exit(f"not in the wheel: {', '.join(missing)}")
    names = [module.name for module in pkgutil.walk_packages([str(installed)], "servicelevel.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    print(f"{len(names)} modules of the installed wheel were imported")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
