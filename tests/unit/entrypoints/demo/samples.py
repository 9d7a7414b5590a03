"""Output events for the tests of the demo."""

from typing import Any

from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent

AT = "2026-01-01T00:00:10.000Z"
AT_MS = 1_767_225_610_000


def alert(
    event_id: str,
    state: str,
    *,
    kind: str = "warning",
    severity: str = "page",
    rule: str = "1m/10s",
) -> AlertEvent:
    """A transition of the one alert of `checkout-now`."""
    data = {
        "alert_id": f"{kind}-a",
        "kind": kind,
        "state": state,
        "severity": severity,
        "slo": "checkout-now",
        "objective": "96 %",
        "service": "checkout",
        "group": "",
        "rule": rule,
        "raised_at": AT,
        "burn_rate_long": 3.5,
        "burn_rate_short": 20.0,
        "good": 1140,
        "total": 1200,
        "target": 0.96,
        "budget_remaining": -0.25,
        "early": True,
        "definition_digest": "d",
        "evidence": {"since": AT, "windows": {}, "offsets": {}, "dimensions": {}},
    }
    return AlertEvent.model_validate(
        {
            "id": event_id,
            "type": f"servicelevel.{kind}.{state}",
            "subject": "checkout-now",
            "time": AT,
            "data": data,
        }
    )


def status(slo: str = "checkout-availability", **changed: Any) -> StatusEvent:
    """A status of `checkout`, with some of its data changed."""
    data = {
        "slo": slo,
        "objective": "two nines",
        "service": "checkout",
        "group": "",
        "at": AT,
        "good": 990,
        "total": 1000,
        "sli": 0.99,
        "target": 0.99,
        "error_budget": {"allowed": 10.0, "consumed": 4, "remaining_ratio": 0.6},
        "burn_rates": {"5m": 0.5, "1h": 0.4, "6h": 0.3},
        "state": "ok",
        "severity": None,
        "window_ms": 2_592_000_000,
        "warning_alert_id": None,
        "breach_alert_id": None,
        "definition_digest": "d",
    }
    return StatusEvent.model_validate(
        {"id": "s", "subject": slo, "time": AT, "data": data | changed}
    )
