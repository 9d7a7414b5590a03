"""`servicelevel validate`: says file, line and rule of all that is wrong with definitions."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from servicelevel.adapters.files.findings import Finding
from servicelevel.entrypoints.cli.printing import Format, FormatOption, print_json
from servicelevel.entrypoints.cli.session import session_of


def validate(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders of OpenSLO.")],
    lenient: Annotated[
        bool, typer.Option(help="Accept what OpenSLO's examples do beyond its SDK.")
    ] = False,
    complete: Annotated[
        bool, typer.Option(help="Ask also that every SLO can be evaluated here.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Check definitions; exit 1 if one is not valid."""
    from servicelevel.adapters.files.definitions import load_definitions

    session = session_of(context)
    loaded = load_definitions(paths, lenient=lenient)
    findings = [*loaded.findings, *loaded.unsupported]
    if form is Format.TEXT:
        for finding in findings:
            session.print(str(finding))
        verdict = "valid" if loaded.is_valid else "not valid"
        if loaded.is_valid and not loaded.is_complete:
            verdict = "valid, but some of it cannot be evaluated"
        objectives = sum(len(slo.objectives) for slo in loaded.catalogue.slos.values())
        session.print(f"{verdict}: {len(loaded.catalogue.slos)} SLOs, {objectives} objectives")
    else:
        print_json(session, map(_plain, findings), form)
    if not (loaded.is_complete if complete else loaded.is_valid):
        raise typer.Exit(1)


def _plain(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "file": str(finding.file)}
