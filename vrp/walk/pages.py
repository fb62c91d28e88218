"""Reading the console's pages as a browser without scripts does: links, text, forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from vrp.walk.problem import NotRight

VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr".split()
)
SILENT = frozenset({"script", "style", "svg", "template"})
BUTTONS = frozenset({"submit", "image", "reset", "button"})
ROWS = frozenset({"tr", "li", "article", "section", "tile"})


@dataclass
class Node:
    """One element. ``parts`` are texts and elements in their order."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    parent: Node | None = None
    parts: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This element and all below it, in the order of the page."""
        yield self
        for part in self.parts:
            if isinstance(part, Node):
                yield from part.walk()

    def all(self, *tags: str) -> list[Node]:
        """The elements below with one of these tags."""
        return [node for node in self.walk() if node.tag in tags and node is not self]

    def having(self, name: str, value: str) -> list[Node]:
        """The elements below whose attribute holds this word."""
        return [n for n in self.walk() if value in n.attrs.get(name, "").split()]

    @property
    def text(self) -> str:
        """What one reads, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for part in self.parts:
            if isinstance(part, str):
                yield part
            elif part.tag not in SILENT:
                yield " "
                yield from part._texts()
                yield " "

    @property
    def row(self) -> Node:
        """The table row, list item or card that this stands in; else the page."""
        node = self
        while node.parent is not None and node.tag not in ROWS:
            node = node.parent
        return node


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Node("page")
        self.here = self.top

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.parts.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Within svg; HTML itself ignores the slash, and so do our own pages.
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.parts.append(node)

    def handle_endtag(self, tag: str) -> None:
        node: Node | None = self.here
        while node is not None and node.tag != tag:
            node = node.parent
        if node is not None and node.parent is not None:
            self.here = node.parent

    def handle_data(self, data: str) -> None:
        self.here.parts.append(data)


def read(html: str) -> Node:
    """The tree of a page."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.top


@dataclass
class Form:
    """One form: where it goes, and what it would send as it stands."""

    action: str
    method: str
    fields: list[tuple[str, str]]
    buttons: list[tuple[str, str, str]]  # name, value, text
    node: Node

    def names(self) -> list[str]:
        """Names of the fields, in order, repeated ones once."""
        return list(dict.fromkeys(name for name, _ in self.fields))

    def filled(
        self, changes: dict[str, str | list[str]], button: str = ""
    ) -> list[tuple[str, str]]:
        """What is sent with these values instead; a list fills a repeated field.

        ``button`` is the text of the button that is pressed, for a form of several.
        Raises ``NotRight`` for a field the form does not have.
        """
        known = set(self.names()) | {name for name, _, _ in self.buttons}
        strange = sorted(set(changes) - known)
        if strange:
            raise NotRight(
                f"The form {self.action} has no field {', '.join(strange)}; "
                f"it has {', '.join(self.names())}."
            )
        kept = [(name, value) for name, value in self.fields if name not in changes]
        for name, value in changes.items():
            values = value if isinstance(value, list) else [value]
            kept += [(name, one) for one in values]
        return kept + self._pressed(button, changes)

    def _pressed(
        self, text: str, changes: dict[str, str | list[str]]
    ) -> list[tuple[str, str]]:
        for name, value, label in self.buttons:
            if name and name not in changes and (text in label if text else True):
                return [(name, value)]
        return []


@dataclass
class Page:
    """One page as it was answered."""

    url: str
    status: int
    top: Node

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def main(self) -> Node:
        """The page without head and menus."""
        found = self.top.all("main")
        return found[0] if found else self.top

    @property
    def title(self) -> str:
        found = self.top.all("h1")
        return found[0].text if found else ""

    @property
    def said(self) -> list[str]:
        """What the page says happened: flashes, then notices."""
        boxes = self.top.having("class", "flash") + self.top.having("class", "notice")
        return [box.text for box in boxes]

    def links(self, pattern: str) -> list[tuple[re.Match[str], Node]]:
        """Links whose path fits, with the match; each address once."""
        found: dict[str, tuple[re.Match[str], Node]] = {}
        for node in self.main.all("a"):
            path = urlsplit(urljoin(self.url, node.attrs.get("href", ""))).path
            match = re.fullmatch(pattern, path)
            if match and path not in found:
                found[path] = (match, node)
        return list(found.values())

    def forms(self, pattern: str = ".*") -> list[Form]:
        """The page's forms whose action's path fits."""
        found = [self._form(node) for node in self.main.all("form")]
        return [
            form for form in found if re.fullmatch(pattern, urlsplit(form.action).path)
        ]

    def form(self, pattern: str) -> Form:
        """The one form whose action fits. Raises ``NotRight`` if there is none."""
        found = [form for form in self.forms(pattern) if form.method == "post"]
        if not found:
            have = ", ".join(urlsplit(form.action).path for form in self.forms())
            raise NotRight(
                f"The page {self.path} has no form to {pattern} "
                f"(it has: {have or 'none'}). It says: {self.main.text[:300]}"
            )
        return found[0]

    def _form(self, node: Node) -> Form:
        fields: list[tuple[str, str]] = []
        buttons: list[tuple[str, str, str]] = []
        inside = list(node.walk())
        if node.attrs.get("id"):
            inside += self.top.having("form", node.attrs["id"])
        for one in inside:
            if one.tag == "button" or one.attrs.get("type") in BUTTONS:
                label = one.text or one.attrs.get("value", "")
                buttons.append(
                    (one.attrs.get("name", ""), one.attrs.get("value", ""), label)
                )
            elif one.attrs.get("name") and "disabled" not in one.attrs:
                fields += _values(one)
        action = urljoin(self.url, node.attrs.get("action") or self.url)
        method = node.attrs.get("method", "get").lower()
        return Form(action, method, fields, buttons, node)


def _values(node: Node) -> list[tuple[str, str]]:
    """What a field would send as it stands."""
    name = node.attrs["name"]
    if node.tag == "input":
        if node.attrs.get("type") in ("checkbox", "radio"):
            if "checked" not in node.attrs:
                return []
            return [(name, node.attrs.get("value", "on"))]
        return [(name, node.attrs.get("value", ""))]
    if node.tag == "textarea":
        return [(name, "".join(p for p in node.parts if isinstance(p, str)).strip())]
    if node.tag == "select":
        options = node.all("option")
        chosen = [o for o in options if "selected" in o.attrs] or options[:1]
        if "multiple" not in node.attrs:
            chosen = chosen[:1]
        return [(name, o.attrs.get("value", o.text)) for o in chosen]
    return []
