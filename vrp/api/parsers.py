"""Reading a JSON body strictly: what is doubtful is refused before anything is done."""

import json
from typing import Any, NoReturn

from django.http import UnreadablePostError
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    ParseError,
    UnsupportedMediaType,
)
from rest_framework.parsers import BaseParser

# 200 order lines with an address and a long note are about 30 kB.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 12


class TooLarge(APIException):
    """413: the body is over ``MAX_BYTES``."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 of at most 256 kB and 12 levels, each name once in its object.

    Raises ``ParseError`` (400) with the reason, ``TooLarge`` (413), or
    ``UnsupportedMediaType`` (415) for a body that is compressed.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        coding = parser_context["request"].META.get("HTTP_CONTENT_ENCODING", "")
        if coding.strip().lower() not in ("", "identity"):
            # A kilobyte can unpack to a gigabyte; no order needs packing.
            raise UnsupportedMediaType(coding[:40])
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length[:18]) > MAX_BYTES:
            raise TooLarge
        try:
            raw = stream.read(MAX_BYTES + 1)
        except (UnreadablePostError, OSError) as error:
            raise ParseError("The body ended too early.") from error
        if len(raw) > MAX_BYTES:
            raise TooLarge
        return read_json(raw)


def read_json(raw: bytes) -> Any:
    """The value of a JSON text. Raises ``ParseError`` that says what is wrong."""
    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=_each_name_once
        )
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error
    except RecursionError as error:
        raise ParseError("The body is nested too deeply.") from error
    except ValueError as error:
        # Python refuses integers of thousands of digits with a ValueError as well.
        raise ParseError(f"The body is not JSON: {error}"[:200]) from error
    if not _shallow(value, MAX_DEPTH):
        raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _shallow(value: Any, left: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return left > 0 and all(_shallow(part, left - 1) for part in value)
