"""The feature phone on screen: its page, its files and the lists that it reads."""

from pathlib import Path
from typing import Any

from aiohttp import web

from simulators.hub import HUB, plain_json
from simulators.looking import inbound_json, money_json, sms_json

routes = web.RouteTableDef()

FILES = Path(__file__).parent / "handset"
TYPES = {
    "index.html": "text/html",
    "handset.css": "text/css",
    "phone.css": "text/css",
    "handset.js": "text/javascript",
    "keys.js": "text/javascript",
    "screen.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def _file(name: str) -> web.Response:
    return web.Response(
        body=(FILES / name).read_bytes(),
        content_type=TYPES[name],
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@routes.get("/")
@routes.get("/handset")
async def home(request: web.Request) -> web.Response:
    """Lead to the phone."""
    raise web.HTTPFound("/handset/")


@routes.get("/handset/")
async def page(request: web.Request) -> web.Response:
    """Serve the phone's only page."""
    return _file("index.html")


@routes.get("/handset/tenants.json")
async def tenants(request: web.Request) -> web.Response:
    """List tenants with their USSD code and workshops; no secret leaves from here."""
    hub = request.app[HUB]
    listed: list[dict[str, Any]] = [
        {
            "slug": slug,
            "ussd_code": facts.get("ussd_code", ""),
            "workshops": [
                {key: str(shop.get(key, "")) for key in ("code", "phone", "language")}
                for shop in facts.get("workshops", [])
            ],
        }
        for slug, facts in hub.directory.tenants().items()
    ]
    return plain_json({"tenants": listed, "web": hub.settings.web})


@routes.get("/handset/phone.json")
async def phone(request: web.Request) -> web.Response:
    """List what one phone received, sent and was paid, oldest first."""
    number = request.query.get("phone", "")
    state = request.app[HUB].state
    return plain_json(
        {
            "sms": [sms_json(sms) for sms in state.received(number)],
            "sent": [inbound_json(message) for message in state.sent_by(number)],
            "money": [money_json(payment) for payment in state.money(number)],
        }
    )


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer that a browser may show."""
    if request.path.startswith("/handset"):
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"


@routes.get("/handset/{name}")
async def asset(request: web.Request) -> web.Response:
    """Serve one of the page's own files."""
    name = request.match_info["name"]
    if name not in TYPES:
        raise web.HTTPNotFound
    return _file(name)
