"""All settings: from `SERVICELEVEL_*`, a `.toml` or `.yaml` file, or the command line."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field a setting; the reference page in the docs is generated from the descriptions."""

    model_config = SettingsConfigDict(
        env_prefix="SERVICELEVEL_", extra="forbid", frozen=True, secrets_dir=None
    )

    brokers: str = Field("127.0.0.1:9092", description="Bootstrap servers, comma-separated.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How clients speak to the brokers."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="SASL mechanism; needs a SASL_* security protocol."
    )
    sasl_username: str | None = Field(None, description="SASL user name.")
    sasl_password: SecretStr | None = Field(None, description="SASL password; never logged.")
    ssl_cafile: Path | None = Field(None, description="CA bundle (PEM) to verify brokers with.")
    ssl_certfile: Path | None = Field(None, description="Client certificate (PEM).")
    ssl_keyfile: Path | None = Field(None, description="Client key (PEM).")
    ssl_password: SecretStr | None = Field(None, description="Password of the client key.")

    topic_prefix: str = Field("", description="Put before every topic name, e.g. `prod.`.")
    request_topics: tuple[str, ...] = Field(
        ("requests",), description="Topics of request events, without prefix."
    )
    mappings: dict[str, Path] = Field(
        default_factory=dict,
        description="Source mapping file by topic, for topics whose events are of another shape.",
    )
    partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of the topics made by `topics create`."
    )
    counts_partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of `counts`, and so of the evaluator's state."
    )
    replication_factor: int = Field(
        -1, ge=-1, description="Of the topics made; -1 is the broker's default."
    )
    group: str = Field(
        "servicelevel", description="Prefix of the consumer groups and of the changelog topic."
    )

    definitions: tuple[Path, ...] = Field(
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
    max_event_bytes: int = Field(
        1_048_576, ge=64, description="Larger records are dead letters, not parsed."
    )
    early: bool = Field(True, description="Tell of threats before the pane is complete.")

    session_timeout_ms: int = Field(
        10_000, ge=1_000, description="A worker silent for so long loses its partitions."
    )
    redis_url: SecretStr | None = Field(
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
