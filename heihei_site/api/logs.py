"""JSON log lines that carry request ids and never a token, a code, a phone number or an id card (I12)."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = frozenset(
    {"token", "code", "verifycode", "phone", "phoneno", "password", "authorization", "idcard"}
    | {"args", "kwargs"}  # what a failed job was called with
)
_HIDDEN = "[hidden]"
_SECRETS = (
    (
        re.compile(r"(?i)\b(token|verifyCode|accountToken|code|sign|key|password)(['\"]?\s*[=:]\s*['\"]?)[^\s&'\",}]+"),
        rf"\1\2{_HIDDEN}",
    ),
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"), _HIDDEN),  # a token (users.auth), whatever stands before it
    (re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)"), _HIDDEN),
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\w)"), _HIDDEN),
)
# Query strings hold tokens and what people say to each other. Looks back to the last slash only: to the first, it would
# take a second for ten thousand slashes.
_QUERY = re.compile(r"(/[^\s?'\"/]*)\?\S*")


def scrub(value: Any) -> Any:
    """The same value with everything that looks like a secret hidden."""
    if isinstance(value, str):
        value = _QUERY.sub(r"\1", value)
        for pattern, replacement in _SECRETS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {key: _HIDDEN if str(key).lower() in _SECRET_NAMES else scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(scrub(item) for item in value)
    # Anything else would be printed as its repr, and that of a request has its query string.
    return value if value is None or isinstance(value, int | float) else scrub(repr(value))


def _scrub_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if not key.startswith("_"):
            hidden = key.lower() in _SECRET_NAMES and not isinstance(value, int)  # `code` is also an HTTP status
            event[key] = _HIDDEN if hidden else scrub(value)
    return event


def _without_noise(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Monitors ask after our health all day."""
    asked = str(event.get("request"))
    if event.get("event") == "request_finished" and " /health" in asked:  # the path; a query has no space
        raise structlog.DropEvent
    return event


def _not_about_health(record: logging.LogRecord) -> bool:
    """Django calls a 503 an error; /health says it to monitors, which tell people."""
    return "/health" not in record.getMessage()


def _not_a_clients_fault(record: logging.LogRecord) -> bool:
    """uvicorn calls it an error, with a traceback, when a client's frame is not UTF-8; it closes with 1007."""
    return not record.getMessage().startswith("Invalid UTF-8 sequence received from client")


def logging_config(level: str) -> dict[str, Any]:
    """The LOGGING setting. Configures structlog as well: both end in the same JSON lines on stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _without_noise,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    quiet = {"handlers": ["console"], "level": "WARNING", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    # Without local variables: they hold what nobody may read.
                    structlog.processors.ExceptionRenderer(
                        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                    ),
                    _scrub_event,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
            }
        },
        "filters": {
            "not_about_health": {"()": "django.utils.log.CallbackFilter", "callback": _not_about_health},
            "not_a_clients_fault": {"()": "django.utils.log.CallbackFilter", "callback": _not_a_clients_fault},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **dict.fromkeys(("uvicorn", "uvicorn.access", "daphne", "celery"), quiet),
            **dict.fromkeys(("httpx", "darabonba-core"), quiet),  # they tell every address with its query
            "uvicorn.error": {**quiet, "filters": ["not_a_clients_fault"]},
            "django": quiet,
            "django.request": {**quiet, "filters": ["not_about_health"]},
        },
    }
