"""Errors to Sentry, where the environment names one: the log's error lines, where they arose, and no more (I12)."""

import logging
from types import TracebackType
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import event_from_exception

from heihei_site.api.logs import scrub

# What Sentry adds that says nothing about people. No request and no local variables: they hold tokens and words.
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
OPTIONS: dict[str, Any] = {"include_local_variables": False, "include_source_context": True, "max_value_length": 2000}

Failure = tuple[type[BaseException], BaseException, TracebackType | None]


def report_to(dsn: str, *, release: str = "", **more: Any) -> None:
    """`more` goes to Sentry's own `init`: a transport, in tests."""
    sentry_sdk.init(
        dsn=dsn,
        release=release or None,
        default_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        send_default_pii=False,
        max_breadcrumbs=0,
        before_send=discreet,
        **OPTIONS,
        **more,
    )


def discreet(event: Any, hint: dict[str, Any]) -> Any:
    """What leaves the house: the event anew, of what may be read."""
    record: logging.LogRecord = hint["log_record"]
    said: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
    kept = {name: event[name] for name in KEPT if name in event}
    kept["message"] = scrub(said.get("event", ""))
    kept["tags"] = {name: scrub(said[name]) for name in ("request_id", "endpoint", "task") if name in said}
    if failure := failure_of(said.get("exc_info") or record.exc_info):
        found, _ = event_from_exception(failure, client_options=OPTIONS)
        kept["exception"] = scrub(found["exception"])
    return kept


def failure_of(told: Any) -> Failure | None:
    """structlog is told an exception, Python's own logging what `sys.exc_info()` gave."""
    error = told[1] if isinstance(told, tuple) else told
    return (type(error), error, error.__traceback__) if isinstance(error, BaseException) else None
