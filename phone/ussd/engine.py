"""One turn of a dial: whatever comes in, ``CON `` or ``END `` goes out.

The carrier sends all answers so far, joined with ``*``, and no number for the turn. So a
session keeps the text it has answered: the same text again gets the same bytes and does
nothing; a text that continues it holds one new answer (which may itself contain a
``*``); any other text never acts. A session that is over says its last words to whatever
comes and never begins again. The session's row is locked for the whole turn, and
turn and effects are one transaction: all of it happened, or none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from artisans.models import Workshop
from phone import texts
from phone.models import UssdSession
from phone.services.inbound import known_phone
from phone.ussd.draw import BACK, MORE, draw, picked, turn_page
from phone.ussd.model import Again, Dial, End, Next, Screen
from phone.ussd.screens import SCREENS
from vrp.errors import DomainError, IllegalMove
from vrp.tenancy.models import Tenant

log = structlog.get_logger(__name__)
START = "main"
# The networks end a session after 180 s; a new dial has a new session id. So a text that
# comes later is late or repeated, and nobody sees a screen that it could answer.
SESSION_LIFE = timedelta(seconds=180)
# The carrier hangs up after 10 s. Waiting longer than this for a row that somebody else
# holds would do things that she is never told of.
LOCK_WAIT = "4s"


@dataclass
class Call:
    """What the carrier sent, and the language in which to say that all went wrong."""

    tenant: Tenant
    session_id: str
    phone: str
    text: str
    language: str = ""

    def end(self, key: str, **values: object) -> str:
        language = self.language or self.tenant.default_language
        return "END " + texts.screen(key, texts.language_of(language), **values)


def turn(*, tenant: Tenant, session_id: str, phone: str, text: str) -> str:
    """Answer one request of the carrier. Never raises.

    The tenant's scope and time zone must be active.
    """
    call = Call(tenant, session_id[:100], known_phone(phone, tenant), text)
    try:
        if not session_id.strip():
            return call.end("trouble")
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT]
                )
            return _locked_turn(call)
    except Exception:
        log.exception("ussd.failed", session=call.session_id)
        return call.end("trouble")


def _locked_turn(call: Call) -> str:
    rows = UssdSession.objects.select_for_update(of=("self",))
    session = rows.select_related("workshop").filter(session_id=call.session_id).first()
    if session is None:
        return _first_turn(call)
    if session.phone != call.phone:
        # Another phone within somebody's session: not a thing a carrier does.
        return call.end("trouble")
    if session.workshop is None:
        return session.reply
    call.language = session.workshop.language
    if session.is_over or session.text == call.text:
        return session.reply
    if timezone.now() - session.updated_at > SESSION_LIFE:
        return _store(session, call, _over(_dial(call, session), End("expired")))
    answer = new_answer(session.text, call.text)
    if answer is None:
        return session.reply
    return _store(session, call, _answered(_dial(call, session), session, answer))


def new_answer(before: str, now: str) -> str | None:
    """What was typed since ``before``; None if ``now`` does not continue it."""
    if not before:
        return now
    return now[len(before) + 1 :] if now.startswith(before + "*") else None


def _first_turn(call: Call) -> str:
    """Show the start whatever the text is: nothing was chosen on a screen of ours."""
    workshop = Workshop.objects.filter(phone=call.phone).first()
    session = UssdSession(
        tenant=call.tenant,
        session_id=call.session_id,
        phone=call.phone,
        workshop=workshop,
        text=call.text,
        turns=1,
    )
    if workshop is None:
        session.reply, session.is_over = _stranger(call), True
    else:
        call.language = workshop.language
        _fill(session, _start(_dial(call, session)))
    # Two first requests at once show the same start; the second row is not needed.
    UssdSession.objects.bulk_create([session], ignore_conflicts=True)
    return session.reply


def _stranger(call: Call) -> str:
    return call.end("stranger", tenant=texts.fold(call.tenant.name)[:40])


def _dial(call: Call, session: UssdSession) -> Dial:
    workshop = session.workshop
    if workshop is None:
        raise ValueError("a session without a workshop has no screens")
    workshop.tenant = call.tenant
    return Dial(call.tenant, workshop, dict(session.data), timezone.localdate())


@dataclass
class Drawn:
    """A turn's outcome: the answer's bytes and where the session stands now."""

    reply: str
    screen: str
    dial: Dial
    is_over: bool


def _start(dial: Dial) -> Drawn:
    dial.data.clear()
    return _show(dial, START)


def _answered(dial: Dial, session: UssdSession, answer: str) -> Drawn:
    screen = SCREENS.get(session.screen)
    if screen is None:
        # The screen is gone since a new version was installed.
        return _start(dial)
    try:
        following = _next(screen, dial, answer.strip())
    except IllegalMove:
        following = End("not_open")
    except DomainError as refused:
        log.info("ussd.refused", code=refused.code, screen=screen.id)
        following = End("refused")
    if isinstance(following, End):
        return _over(dial, following)
    if isinstance(following, Again):
        return _show(dial, screen.id, following)
    if following != screen.id:
        dial.data.pop("page", None)
    return _show(dial, following)


def _next(screen: Screen, dial: Dial, answer: str) -> Next:
    if answer in screen.choices:
        choice = screen.choices[answer]
        return choice if isinstance(choice, str) else choice(dial, answer)
    if answer == BACK:
        return screen.back
    if screen.rows and answer == MORE:
        return screen.id if turn_page(dial) else Again()
    if screen.rows and screen.pick:
        row = picked(dial, answer)
        return Again() if row is None else screen.pick(dial, row)
    take: Callable[[Dial, str], Next] | None = screen.typed
    return take(dial, answer) if take else Again()


def _show(dial: Dial, screen_id: str, note: Again | None = None) -> Drawn:
    text = draw(SCREENS[screen_id], dial, note)
    if isinstance(text, End):
        return _over(dial, text)
    return Drawn("CON " + text, screen_id, dial, False)


def _over(dial: Dial, end: End) -> Drawn:
    return Drawn("END " + dial.say(end.key, **end.values), "", dial, True)


def _fill(session: UssdSession, drawn: Drawn) -> None:
    session.reply, session.screen = drawn.reply, drawn.screen
    session.data, session.is_over = drawn.dial.data, drawn.is_over


def _store(session: UssdSession, call: Call, drawn: Drawn) -> str:
    _fill(session, drawn)
    session.text, session.updated_at = call.text, timezone.now()
    session.turns += 1
    session.save(
        update_fields=[
            "reply",
            "screen",
            "data",
            "is_over",
            "text",
            "updated_at",
            "turns",
        ]
    )
    return session.reply
