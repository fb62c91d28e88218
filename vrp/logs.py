"""Structured logs: one JSON line an event, with request id, tenant and actor.

Phone numbers are masked and secrets dropped here, in the last processor, so that no
caller can forget it. The tenant is read from the active scope at the moment of logging.
"""

import logging
import logging.config
import re
from typing import Any

import structlog
from django_scopes import get_scope

# With a country code in any spelling, or a Kenyan or Ethiopian national number.
PHONE = re.compile(
    r"(?:(?:\+|%2B)\d[\d \-]{5,12}|(?<!\d)(?:25[0-9])?0?[179]\d{5})(\d{3})(?!\d)"
)
SECRET_WORDS = ("password", "secret", "api_key", "apikey", "token", "pin", "credential")
# Callback routes and one-time links carry their secret in the path.
SECRET_PATH = re.compile(
    r"(/+(?:phone|pay)/+|/set-password/+[^/\s]+/+)[^/\s]+", re.IGNORECASE
)
# And by their shape, wherever somebody puts one: callback secrets, API keys.
SECRET_SHAPE = re.compile(r"\b(\d+-)[0-9a-f]{40}\b|\b(vrp_\d+_\w{8}_)\w{20,}")


def mask(text: str) -> str:
    """The text with phone numbers cut to their last three digits, path secrets cut."""
    text = SECRET_SHAPE.sub(r"\1\2***", SECRET_PATH.sub(r"\1***", text))
    return PHONE.sub(r"***\1", text)


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return _mask_mapping(value)
    if isinstance(value, list | tuple):
        return [_mask_value(part) for part in value]
    return value


def _mask_mapping(event: dict[str, Any]) -> dict[str, Any]:
    return {
        key: "***"
        if any(
            word in key.lower().split("_") or word == key.lower()
            for word in SECRET_WORDS
        )
        else _mask_value(value)
        for key, value in event.items()
    }


def redact(logger: Any, method: str, event: Any) -> Any:
    """The structlog processor that masks every value of a log line."""
    return _mask_mapping(event)


def add_tenant(logger: Any, method: str, event: Any) -> Any:
    """Name the tenant whose scope is active, if one is."""
    tenant = get_scope().get("tenant")
    if tenant is not None:
        event.setdefault("tenant", getattr(tenant, "slug", str(tenant)))
    return event


def logging_config(*, level: str, human: bool) -> None:
    """Configure structlog and the standard library to write the same lines to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_tenant,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if human
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [
                        structlog.stdlib.PositionalArgumentsFormatter(),
                        *shared,
                    ],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                    ],
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "lines"}
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.request": {"level": "ERROR"},
                "django.db.backends": {"level": "WARNING"},
                "gunicorn.access": {"level": "WARNING"},
            },
        }
    )
