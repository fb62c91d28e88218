"""The carrier's side of USSD: what happens between a phone and the product.

The carrier sends five form fields and accepts exactly one kind of answer: HTTP 200
and a body that starts with ``CON `` or ``END ``. Everything else ends the session.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulators import gsm
from simulators.callbacks import network_code
from simulators.faults import pick
from simulators.hub import HUB, Hub, plain_json, read_object

routes = web.RouteTableDef()

BROKEN = "Connection problem or invalid MMI code"
SCREEN = 182  # GSM 7-bit characters that fit one USSD string
LONGEST_ANSWER = 80  # what Safaricom lets a phone type


@dataclass
class Session:
    """One dial. ``text`` is every answer so far, joined with ``*``."""

    id: str
    phone: str
    code: str
    url: str
    started: float
    text: str = ""
    touched: float = 0.0
    ended: bool = False


class Sessions:
    """Open dials, in memory only: a carrier that restarts loses them too."""

    def __init__(self) -> None:
        self.by_id: dict[str, Session] = {}

    def find(self, session_id: str) -> Session | None:
        return self.by_id.get(session_id)

    def start(self, session_id: str, phone: str, code: str, url: str) -> Session:
        moment = time.monotonic()
        old = [key for key, s in self.by_id.items() if moment - s.started > 3600]
        for key in old:
            del self.by_id[key]
        session = Session(session_id, phone, code, url, moment, touched=moment)
        self.by_id[session_id] = session
        return session


SESSIONS = web.AppKey("sessions", Sessions)


def _broken(problem: str) -> dict[str, Any]:
    return {"reply": BROKEN, "screen": BROKEN, "open": False, "problem": problem}


def judge(status: int, body: str) -> dict[str, Any]:
    """Return what the phone shows for the product's answer, and whether it goes on."""
    if status == 0:
        return _broken(f"no answer: {body}")
    if status != 200:
        return _broken(f"HTTP {status}")
    prefix, text = body[:4], body[4:]
    if prefix not in ("CON ", "END "):
        return _broken("the answer does not start with CON or END")
    problem = f"cut at {SCREEN} characters" if len(text) > SCREEN else ""
    text = text[:SCREEN]
    return {
        "reply": prefix + text,
        "screen": gsm.drawable(text),
        "open": prefix == "CON ",
        "problem": problem,
    }


async def _turn(hub: Hub, session: Session, text: str) -> dict[str, Any]:
    """Send one request to the product and judge its answer."""
    form = {
        "sessionId": session.id,
        "phoneNumber": session.phone,
        "networkCode": network_code(session.phone),
        "serviceCode": session.code,
        "text": text,
    }
    rules = hub.faults.take("ussd", "turn", [session.phone])
    limit = hub.settings.ussd_timeout
    began = time.monotonic()
    status, body = await hub.call(session.url, form=form, timeout=limit)
    if pick(rules, "repeat"):
        status, body = await hub.call(session.url, form=form, timeout=limit)
    latency = round(time.monotonic() - began, 4)
    shown = (
        _broken("the answer was lost") if pick(rules, "lost") else judge(status, body)
    )
    session.text, session.touched = text, time.monotonic()
    session.ended = not shown["open"]
    return {"session": session.id, **shown, "latency": latency, "text": text}


def _dial(hub: Hub, sessions: Sessions, body: dict[str, Any]) -> tuple[Session, str]:
    """Open a session for a dialled code; raises LookupError for an unknown one."""
    dialled = str(body.get("code", ""))
    found = hub.directory.by_code(dialled)
    if found is None:
        raise LookupError(f"no one answers to {dialled!r}")
    slug, code, along = found
    url = hub.directory.tenant(slug).get("ussd_url")
    if not url:
        raise LookupError(f"{slug} has no USSD address")
    session_id = str(body.get("session") or "ATUid_" + secrets.token_hex(16))
    return sessions.start(session_id, str(body["phone"]), code, url), "*".join(along)


def _over(hub: Hub, session: Session) -> bool:
    moment = time.monotonic()
    return (
        session.ended
        or moment - session.started > hub.settings.ussd_session
        or moment - session.touched > hub.settings.ussd_silence
    )


@routes.post("/_ussd")
async def ussd(request: web.Request) -> web.Response:
    """Act as the carrier for one turn.

    ``text`` is sent exactly as given, so a test can repeat or diverge; ``answer`` is
    what was typed now, and the carrier joins it to the session. Neither: a dial.
    """
    hub, sessions = request.app[HUB], request.app[SESSIONS]
    body = await read_object(request)
    if not isinstance(body.get("phone"), str) or not body["phone"].startswith("+"):
        return plain_json({"error": "phone must be a text such as +254712000001"}, 400)
    session = sessions.find(str(body.get("session") or ""))
    text = body.get("text")
    try:
        along = ""
        if session is None:
            session, along = _dial(hub, sessions, body)
    except LookupError as error:
        shown = _broken(str(error))
        return plain_json({"session": "", **shown, "latency": 0.0, "text": ""})
    if isinstance(text, str):
        return plain_json(await _turn(hub, session, text))
    answer = body.get("answer")
    if answer is None:
        return plain_json(await _turn(hub, session, along))
    if _over(hub, session):
        session.ended = True
        shown = _broken("the session is over; dial again")
        return plain_json(
            {"session": session.id, **shown, "latency": 0.0, "text": session.text}
        )
    typed = str(answer)[:LONGEST_ANSWER]
    # The first answer stands alone; an empty one still takes its place after that.
    joined = f"{session.text}*{typed}" if session.text else typed
    return plain_json(await _turn(hub, session, joined))
