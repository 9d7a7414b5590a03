"""Statuses as JSON, without a model in between.

Each objective and group has a status at the end of each pane, thousands at one time. What is
written is what `StatusEvent` would write, byte for byte.
"""

from hashlib import sha256
from typing import Any

import orjson

from servicelevel.domain.corrections import Correction
from servicelevel.domain.outputs import Forecast, Percentile, Status
from servicelevel.domain.time import duration_text
from servicelevel.schemas.cloudevents import SOURCE
from servicelevel.schemas.moments import rfc3339
from servicelevel.schemas.numbers import amount, ratio


def status_data(status: Status) -> bytes:
    """The data of a status event, as `StatusData` writes it."""
    return orjson.dumps(
        {
            "slo": status.slo,
            "objective": status.objective,
            "service": status.service,
            "group": status.group,
            "at": rfc3339(status.at_ms),
            "good": amount(status.good),
            "total": status.total,
            "sli": status.sli,
            "target": ratio(status.target),
            "error_budget": {
                "allowed": status.allowed,
                "consumed": amount(status.consumed),
                "remaining_ratio": status.remaining_ratio,
            },
            "burn_rates": dict(status.burn_rates),
            "state": status.state,
            "severity": status.severity,
            "window_ms": status.window_ms,
            "warning_alert_id": status.warning_alert_id,
            "breach_alert_id": status.breach_alert_id,
            "definition_digest": status.definition_digest,
            "forecast": status.forecast and _forecast(status.forecast),
            "corrections": [_correction(each) for each in status.corrections],
            "percentile": status.percentile and _percentile(status.percentile),
        }
    )


def status_event(status: Status, subject: str) -> bytes:
    """The whole event; a status of other content has another id."""
    data = status_data(status)
    envelope = orjson.dumps(
        {
            "specversion": "1.0",
            "id": sha256(data).hexdigest()[:32],
            "source": SOURCE,
            "type": "servicelevel.status",
            "subject": subject,
            "time": rfc3339(status.at_ms),
            "datacontenttype": "application/json",
            "dataschema": "urn:servicelevel:schema:status:1",
        }
    )
    return b'%b,"data":%b}' % (envelope[:-1], data)


def _forecast(forecast: Forecast) -> dict[str, Any]:
    ends = (forecast.earliest_ms, forecast.expected_ms, forecast.latest_ms)
    earliest, expected, latest = (None if end is None else rfc3339(end) for end in ends)
    return {
        "over": duration_text(forecast.over_ms),
        "earliest": earliest,
        "expected": expected,
        "latest": latest,
    }


def _correction(correction: Correction) -> dict[str, Any]:
    return {
        "name": correction.name,
        "since": rfc3339(correction.from_ms),
        "until": rfc3339(correction.to_ms),
        "effect": correction.effect,
        "by": correction.by,
        "reason": correction.reason,
        "recorded_at": correction.recorded_at,
    }


def _percentile(percentile: Percentile) -> dict[str, Any]:
    return {
        "percentile": ratio(percentile.ratio * 100),
        "value": percentile.value,
        "at": rfc3339(percentile.at_ms),
    }
