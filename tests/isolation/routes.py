"""What addresses there are, read from the resolver; and templates filled with rows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from tests.isolation.table import API, CONSOLE, ELSEWHERE, OFFICE
from tests.isolation.world import Side, day

HOLE = re.compile(r"\{([a-z_0-9]+)(?:\.([a-z_]+))?\}")
PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
# The admin spells its list of apps into the pattern.
APPS = re.compile(r"\(\?P<app_label>[^)]*\)")
# The six addresses of each model of the back office.
OFFICE_ENDS = (
    "",
    "add/",
    "<path:object_id>/change/",
    "<path:object_id>/history/",
    "<path:object_id>/delete/",
    "<path:object_id>/",
)


@dataclass(frozen=True)
class Route:
    """An address as the resolver has it, and its methods if they are known."""

    pattern: str
    callback: Any

    @property
    def methods(self) -> list[str]:
        """The methods that a class of the API answers."""
        known = getattr(self.callback, "cls", None)
        wanted = ("get", "post", "put", "patch", "delete")
        return [one for one in wanted if known is not None and hasattr(known, one)]


def routes(patterns: Any = None, prefix: str = "") -> Iterator[Route]:
    """Every address of the project."""
    patterns = get_resolver().url_patterns if patterns is None else patterns
    for one in patterns:
        path = prefix + APPS.sub("(?P<app_label>*)", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield Route(path, one.callback)


def office_patterns() -> dict[str, type[Model]]:
    """The addresses of the back office's models, each with its model."""
    found = {}
    for model in admin.site._registry:
        base = f"ops/office/{model._meta.app_label}/{model._meta.model_name}/"
        found |= {base + end: model for end in OFFICE_ENDS}
    return found


def without_entry(found: list[Route]) -> set[str]:
    """Addresses (with the method, for the API) that no table knows."""
    office = office_patterns()
    left = set()
    for route in found:
        model = office.get(route.pattern)
        if route.pattern in CONSOLE or route.pattern in ELSEWHERE:
            continue
        if model is not None and model._meta.label in OFFICE:
            continue
        names = [(route.pattern, method) for method in route.methods]
        if names and all(name in API for name in names):
            continue
        left.add(route.pattern)
    return left


def fill(text: str, side: Side) -> str:
    """A template with the side's rows in it."""

    def value(match: re.Match[str]) -> str:
        name, column = match.groups()
        if name == "mark":
            return side.mark.lower()
        if name == "day60":
            return str(day(60))
        row = side[name]
        return str(getattr(row, column) if column else row.pk)

    return HOLE.sub(value, text)


def filled(values: Any, side: Side) -> Any:
    """The same for a form or a JSON body."""
    if isinstance(values, str) and values.startswith("@"):
        row = side[values.removeprefix("@")]
        return SimpleUploadedFile(row.name, bytes(row.content), "text/csv")
    if isinstance(values, str):
        return fill(values, side)
    if isinstance(values, Mapping):
        return {filled(k, side): filled(v, side) for k, v in values.items()}
    if isinstance(values, list | tuple):
        return [filled(one, side) for one in values]
    return values


def address(pattern: str, ids: Mapping[str, str], side: Side) -> str:
    """A console address with the ids of these rows."""
    pattern = pattern.replace("^(?P<app_label>*)/$", "artisans/")
    return "/" + PARAMETER.sub(lambda m: str(side.pk(ids[m[1]])), pattern)
