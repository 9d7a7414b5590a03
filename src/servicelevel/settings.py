"""All settings: from `SERVICELEVEL_*`, a `.toml` or `.yaml` file, or the command line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _listed(value: Any) -> Any:
    """`a, b` as an environment variable or an option says it."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _mapped(value: Any) -> Any:
    """`topic=file, topic=file` as an environment variable says it."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in _listed(value)]
    if not all(name.strip() and path.strip() for name, _, path in pairs):
        raise ValueError("write `topic=file`, comma-separated")
    return {name.strip(): path.strip() for name, _, path in pairs}


def _matching(pattern: str, advice: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(advice)
        return value

    return check


_BROKER = r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"
_TOPIC = r"[A-Za-z0-9._-]{1,200}"
Brokers = Annotated[
    str,
    AfterValidator(
        _matching(rf"{_BROKER}(?:\s*,\s*{_BROKER})*", "write `host:port`, comma-separated")
    ),
]
TopicName = Annotated[
    str, AfterValidator(_matching(_TOPIC, "a topic's name has letters, digits, `.`, `_` and `-`"))
]
TopicPrefix = Annotated[
    str, AfterValidator(_matching(f"|{_TOPIC}", "a prefix has letters, digits, `.`, `_` and `-`"))
]
OnGap = Literal["stop", "continue"]
RedisUrl = Annotated[
    SecretStr,
    AfterValidator(
        lambda url: SecretStr(
            _matching(r"(?:rediss?|unix)://.*", "write `redis://host:port/0`")(
                url.get_secret_value()
            )
        )
    ),
]


class Settings(BaseSettings):
    """One field a setting; the reference page in the docs is generated from the descriptions."""

    model_config = SettingsConfigDict(
        env_prefix="SERVICELEVEL_",
        extra="forbid",
        frozen=True,
        secrets_dir=None,
        validate_default=False,
        hide_input_in_errors=True,  # a refused value may be a secret
    )

    brokers: Brokers = Field("127.0.0.1:9092", description="Bootstrap servers, comma-separated.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How clients speak to the brokers."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="SASL mechanism; `PLAIN` where none is set."
    )
    sasl_username: str | None = Field(None, description="SASL user name.")
    sasl_password: SecretStr | None = Field(None, description="SASL password; never logged.")
    ssl_cafile: Path | None = Field(None, description="CA bundle (PEM) to verify brokers with.")
    ssl_certfile: Path | None = Field(None, description="Client certificate (PEM).")
    ssl_keyfile: Path | None = Field(None, description="Client key (PEM).")
    ssl_password: SecretStr | None = Field(None, description="Password of the client key.")

    topic_prefix: TopicPrefix = Field("", description="Put before every topic name, e.g. `prod.`.")
    request_topics: Annotated[tuple[TopicName, ...], NoDecode, BeforeValidator(_listed)] = Field(
        ("requests",), min_length=1, description="Topics of request events, without prefix."
    )
    mappings: Annotated[dict[TopicName, Path], NoDecode, BeforeValidator(_mapped)] = Field(
        default_factory=dict,
        description="Source mapping file by topic, for topics whose events are of another shape.",
    )
    partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of the source topics that `topics create` makes."
    )
    counts_partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of `counts`, and so of the evaluator's state."
    )
    replication_factor: int = Field(
        -1, ge=-1, description="Of the topics made; -1 is the broker's default."
    )
    group: TopicName = Field(
        "servicelevel", description="Prefix of the consumer groups and of the changelog topic."
    )

    definitions: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="Files and folders of OpenSLO definitions."
    )
    lenient: bool = Field(False, description="Accept what OpenSLO's examples do beyond its SDK.")

    flush_interval_ms: int = Field(200, ge=10, le=60_000, description="Time between flushes.")
    allowed_lateness_ms: int = Field(
        10_000, ge=0, description="How far behind the newest event of its source one is on time."
    )
    late_horizon_ms: int = Field(
        30 * 86_400_000, ge=0, description="Events later than this are dropped, not counted."
    )
    max_future_ms: int = Field(
        300_000, ge=0, description="Events further ahead of the wall clock are dead letters."
    )
    idle_timeout_ms: int = Field(
        10_000, ge=100, description="A source without events for so long holds no watermark back."
    )
    dedup_records: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="An event whose `id` one of so many records before it in its partition has is "
        "not counted again; 0: events are not deduplicated.",
    )
    max_event_bytes: int = Field(
        1_048_576, ge=64, description="Larger records are dead letters, not parsed."
    )
    on_gap: OnGap = Field(
        "stop",
        description="Where a source's retention deleted records before they were counted: `stop`, "
        "or `continue` after them with a dead letter.",
    )
    early: bool = Field(True, description="Tell of threats before the pane is complete.")

    session_timeout_ms: int = Field(
        10_000, ge=1_000, description="A worker silent for so long loses its partitions."
    )
    stall_timeout_ms: int = Field(
        120_000,
        ge=1_000,
        description="A worker that does nothing for so long although there is input ends with 75.",
    )
    http_host: str = Field("127.0.0.1", description="Where a worker answers over HTTP.")
    http_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port of `/live`, `/ready` and `/metrics`; none: no HTTP, 0: any free one. "
        "Under `--workers` worker n has the port n above it.",
    )
    redis_url: RedisUrl | None = Field(
        None, description="Where status and open alerts are mirrored; none: no mirror."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line that is written."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto` is text on a terminal, JSON lines elsewhere."
    )

    def topic(self, name: str) -> str:
        """The full name of a topic of ours."""
        return f"{self.topic_prefix}{name}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class names it
        init_settings: Any,
        *_: Any,
        **__: Any,
    ) -> tuple[Any, ...]:
        """Only what is given: `load_settings` reads the environment that it is handed."""
        return (init_settings,)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        problem = _sasl_problem(self) or _tls_problem(self)
        if problem:
            raise ValueError(problem)
        for topic in self.mappings:
            if topic not in (*self.request_topics, "incidents", "changes"):
                raise ValueError(f"mappings: `{topic}` is not a source topic (see request_topics)")
        return self


def _sasl_problem(settings: Settings) -> str | None:
    wanted = settings.security_protocol.startswith("SASL_")
    for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
        given = getattr(settings, name) is not None
        if wanted and not given and name != "sasl_mechanism":
            return f"{name}: needed with security_protocol {settings.security_protocol}"
        if given and not wanted:
            return f"{name}: set, but security_protocol is {settings.security_protocol}"
    return None


def _tls_problem(settings: Settings) -> str | None:
    used = settings.security_protocol.endswith("SSL")
    for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        path: Path | None = getattr(settings, name)
        if path is None:
            continue
        if not used:
            return f"{name}: set, but security_protocol is {settings.security_protocol}"
        if not path.is_file():
            return f"{name}: there is no file {path}"
    if settings.ssl_keyfile is not None and settings.ssl_certfile is None:
        return "ssl_certfile: needed with ssl_keyfile"
    return None
