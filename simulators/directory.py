"""Who the product's tenants are: what tests register, else what ``demo.json`` says.

The rule is simple: the Africa's Talking username is the tenant's slug. ``demo.json``
is read when it is needed and read again when it changes; it may not exist yet.
"""

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from simulators.state import State, digits

log = logging.getLogger(__name__)

URLS = ("sms_inbound_url", "sms_delivery_url", "ussd_url")
TEXTS = (*URLS, "ussd_code", "api_key", "shortcode")
LISTS = ("senders", "workshops")


class BadRegistration(ValueError):
    """What was sent to ``/_register`` cannot be used; the message says why."""


class Directory:
    """Look up a tenant's facts. A registration wins over ``demo.json``."""

    def __init__(self, state: State, demo_file: Path, web: str) -> None:
        self.state = state
        self.demo_file = demo_file
        self.web = web
        self._seen: tuple[int, int] | None = None
        self._demo: dict[str, dict[str, Any]] = {}

    def _demo_tenants(self) -> dict[str, dict[str, Any]]:
        try:
            stat = self.demo_file.stat()
        except OSError:
            self._seen, self._demo = None, {}
            return self._demo
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark != self._seen:
            try:
                content = json.loads(self.demo_file.read_text("utf-8"))
                tenants = {t["slug"]: t for t in content["tenants"]}
            except (OSError, ValueError, KeyError, TypeError):
                # Being written right now: keep what we had, look again next time.
                log.info("%s cannot be read yet", self.demo_file.name)
                return self._demo
            self._seen, self._demo = mark, tenants
        return self._demo

    def tenants(self) -> dict[str, dict[str, Any]]:
        """Return every known tenant by slug, with absolute URLs."""
        merged = {**self._demo_tenants(), **self.state.registered}
        return {slug: self._absolute(facts) for slug, facts in merged.items()}

    def _absolute(self, facts: dict[str, Any]) -> dict[str, Any]:
        urls = {
            key: urljoin(self.web, str(facts[key])) for key in URLS if facts.get(key)
        }
        return {**facts, **urls}

    def tenant(self, username: str) -> dict[str, Any]:
        """Return one tenant's facts, or an empty dict for a stranger."""
        facts = self.state.registered.get(username)
        if facts is None:
            facts = self._demo_tenants().get(username, {})
        return self._absolute(facts)

    def wallet(self, shortcode: str) -> dict[str, Any]:
        """Return what was registered for a Daraja shortcode, or an empty dict."""
        for facts in self.state.registered.values():
            wallet: dict[str, Any] = facts.get("wallet", {})
            if str(wallet.get("shortcode", "")) == shortcode:
                return wallet
        return {}

    def consumer(self, key: str) -> dict[str, Any]:
        """Return the wallet registered with a consumer key, or an empty dict."""
        for facts in self.state.registered.values():
            wallet: dict[str, Any] = facts.get("wallet", {})
            if wallet.get("consumer_key") == key:
                return wallet
        return {}

    def by_code(self, dialled: str) -> tuple[str, str, list[str]] | None:
        """Find whose USSD code was dialled: (slug, service code, further digits).

        ``*384*55*1*2#`` on the code ``*384*55#`` carries the answers 1 and 2 along.
        """
        wanted = dialled.strip().rstrip("#")
        best: tuple[str, str, list[str]] | None = None
        for slug, facts in self.tenants().items():
            code = str(facts.get("ussd_code", ""))
            stem = code.rstrip("#")
            if not stem or not (wanted + "*").startswith(stem + "*"):
                continue
            if best is None or len(code) > len(best[1]):
                best = (slug, code, wanted[len(stem) :].split("*")[1:])
        return best

    def by_conversation(self, phone: str, number: str) -> str | None:
        """Find the tenant that an SMS from ``phone`` to ``number`` is meant for.

        Whoever last wrote to that phone under that number; else whose sender or
        shortcode it is; else whose workshop the phone belongs to; else the only one.
        """
        for sms in reversed(self.state.received(phone)):
            if sms.sender == number:
                return sms.username
        tenants = self.tenants()
        for slug, facts in tenants.items():
            senders = [*facts.get("senders", []), facts.get("shortcode"), slug]
            if number in [str(sender) for sender in senders if sender]:
                return slug
        for slug, facts in tenants.items():
            phones = {digits(w.get("phone")) for w in facts.get("workshops", [])}
            if digits(phone) in phones:
                return slug
        return next(iter(tenants)) if len(tenants) == 1 else None

    def register(self, body: dict[str, Any]) -> str:
        """Keep what a test says of a tenant; raises BadRegistration."""
        username = body.get("username")
        if not isinstance(username, str) or not username:
            raise BadRegistration("username must be a non-empty text")
        known = {"username", "wallet", "sms_balance", *TEXTS, *LISTS}
        strange = sorted(set(body) - known)
        if strange:
            raise BadRegistration(f"unknown: {', '.join(strange)}")
        for key in TEXTS:
            if key in body and not isinstance(body[key], str):
                raise BadRegistration(f"{key} must be a text")
        for key in LISTS:
            if key in body and not isinstance(body[key], list):
                raise BadRegistration(f"{key} must be a list")
        if not isinstance(body.get("wallet", {}), dict):
            raise BadRegistration("wallet must be an object")
        facts = {key: value for key, value in body.items() if key != "username"}
        self.state.record_registration(username, facts)
        return username
