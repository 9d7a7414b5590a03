"""The SLO that most tests through the command need: requests without a server error."""


def availability(
    service: str,
    target: float | str,
    *,
    name: str | None = None,
    window: str = "30d",
    display_name: str = "",
) -> str:
    """The document as YAML; without a name it is `<service>-ok`."""
    name = name or f"{service}-ok"
    called = f"displayName: {display_name}, " if display_name else ""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: servicelevel, spec: {{where: "status_code < 500"}}}}}}
        total: {{metricSource: {{type: servicelevel, spec: {{event: request}}}}}}
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  objectives: [{{{called}target: {target}}}]
"""
