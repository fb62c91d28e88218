"""What an artisan writes by SMS: a few words in two languages, read forgivingly.

Every message gets one reply in the language of the workshop: what was done, why it could
not be, or how to write it. So that two machines cannot talk to each other for ever, a
phone gets at most five replies an hour that confirm nothing, five times the same
confirmation and thirty replies in all; what it asks for is done all the same.
"""

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone

from artisans.models import Workshop
from artisans.services import set_language
from orders.enums import DeclineReason
from orders.models import Job
from orders.services.jobs import accept_job, decline_job, report_progress
from phone import queries, texts, words
from phone.gsm import fold
from phone.models import Message
from phone.services.inbound import finish_reading
from phone.services.messages import queue_message
from vrp.errors import DomainError, Invalid
from vrp.events.services import Actor

log = structlog.get_logger(__name__)
HOUR = timedelta(hours=1)
IDLE_REPLIES_PER_HOUR = 5
SAME_REPLIES_PER_HOUR = 5
REPLIES_PER_HOUR = 30
# Replies that confirm something she did. A workshop may well answer ten offers at once.
CONFIRMING = ("accepted", "declined", "progress", "language")


@dataclass(frozen=True)
class Reply:
    """A key of ``phone.texts.sms`` and its named values."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


Tokens = list[str]
Command = Callable[[Workshop, Tokens], Reply]

REASONS = {
    DeclineReason.BUSY: {"BUSY", "MUCH", "NYINGI", "SHUGHULI", "TIME", "MUDA"},
    DeclineReason.PRICE: {"PRICE", "LOW", "PAY", "BEI", "NDOGO", "PESA"},
    DeclineReason.MATERIAL: {"MATERIAL", "TOOLS", "MALIGHAFI", "VIFAA"},
    DeclineReason.FAMILY: {"FAMILY", "FARM", "FAMILIA", "SHAMBA", "SICK", "MGONJWA"},
}
LANGUAGES = {
    "en": {"EN", "ENG", "ENGLISH", "KIINGEREZA"},
    "sw": {"SW", "SWA", "SWAHILI", "KISWAHILI"},
}


def handle(message: Message) -> None:
    """Act on one incoming message and queue its reply, inside the caller's transaction."""
    workshop = message.workshop
    if workshop is not None:
        zone = zoneinfo.ZoneInfo(message.tenant.timezone)
        with timezone.override(zone):
            reply = answer(workshop, message.text)
        # She may have changed it just now.
        workshop.refresh_from_db(fields=["language"])
        _send(message, workshop, reply)
    finish_reading(message=message)


def answer(workshop: Workshop, text: str) -> Reply:
    """Do what the text asks for; how to write it if nobody can tell what that is."""
    tokens = tokens_of(text)
    if len(tokens) > 1 and tokens[0].isdigit():
        # "8841 yes" is as good as "yes 8841".
        tokens[:2] = tokens[1], tokens[0]
    command = COMMANDS.get(tokens[0]) if tokens else None
    if command is None:
        return Reply("help", {"ussd": queries.ussd_code()})
    return command(workshop, tokens[1:])


def tokens_of(text: str) -> Tokens:
    """Words and numbers in capitals: " yes8841, ok" is YES, 8841, OK."""
    return re.findall(r"[A-Z']+|[0-9]+", fold(text).upper())[:40]


def _send(message: Message, workshop: Workshop, reply: Reply) -> None:
    with connection.cursor() as cursor:
        # Two messages of one phone at the same moment must not both be "the fifth".
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('vrp.reply'), hashtext(%s))",
            [message.phone],
        )
    if _too_many(message.phone, workshop, reply):
        log.warning("sms.reply_limit", message=message.pk)
        return
    queue_message(
        tenant=message.tenant,
        workshop=workshop,
        template=reply.key,
        values=reply.values,
        purpose=f"reply:{message.pk}",
        actor=Actor.system("sms reply"),
    )


def _too_many(phone: str, workshop: Workshop, reply: Reply) -> bool:
    sent = queries.automatic_replies(phone, HOUR)
    if sent.count() >= REPLIES_PER_HOUR:
        return True
    if reply.key in CONFIRMING:
        text = texts.sms(reply.key, workshop.language, **reply.values)
        return sent.filter(text=text).count() >= SAME_REPLIES_PER_HOUR
    idle = sent.exclude(template__in=CONFIRMING)
    return idle.count() >= IDLE_REPLIES_PER_HOUR


# -- commands ------------------------------------------------------------------------


def _yes(workshop: Workshop, tokens: Tokens) -> Reply:
    number = _number(tokens)
    if number is None:
        return _form(workshop, "form_yes")
    job = _job(workshop, number)
    if job is None:
        return _no_such_job(number)
    try:
        job = accept_job(job=job, actor=Actor.artisan(workshop))
    except DomainError:
        return _not_open(number)
    return Reply("accepted", accepted_values(job, workshop))


def _no(workshop: Workshop, tokens: Tokens) -> Reply:
    number = _number(tokens)
    if number is None:
        return _form(workshop, "form_no")
    job = _job(workshop, number)
    if job is None:
        return _no_such_job(number)
    reason = _reason(tokens)
    try:
        decline_job(job=job, reason=reason, actor=Actor.artisan(workshop))
    except DomainError:
        return _not_open(number)
    return Reply("declined", {"job": job.number})


def _done(workshop: Workshop, tokens: Tokens) -> Reply:
    numbers = [int(token) for token in tokens if token.isdigit() and len(token) < 10]
    if len(numbers) < 2:
        return _form(workshop, "form_done", at_work=True)
    number, made = numbers[:2]
    job = _job(workshop, number)
    if job is None:
        return _no_such_job(number)
    try:
        job = report_progress(job=job, made=made, actor=Actor.artisan(workshop))
    except Invalid:
        values = {"job": number, "low": job.delivered, "high": job.quantity}
        return Reply("bad_count", values)
    except DomainError:
        return _not_open(number)
    values = {"job": job.number, "made": job.made, "quantity": job.quantity}
    return Reply("progress", values)


def _jobs(workshop: Workshop, tokens: Tokens) -> Reply:
    """As many jobs as fit one part; the rest is on the phone's menu."""
    lines = [
        f"{job.number} {words.code(job.work_order.component.code)} x{job.quantity}?"
        for job in queries.offers(workshop)[:5]
    ] + [
        f"{job.number} {words.code(job.work_order.component.code)} "
        f"{job.made}/{job.quantity}"
        for job in queries.jobs_at(workshop)[:5]
    ]
    if not lines:
        return Reply("jobs_none")
    values = {"ussd": queries.ussd_code()}
    language = workshop.language
    while True:
        listed = {**values, "jobs": words.joined(lines)}
        fits = len(texts.sms("jobs", language, **listed)) <= texts.SMS_LIMIT
        if fits or len(lines) == 1:
            return Reply("jobs", listed)
        lines.pop()


def _help(workshop: Workshop, tokens: Tokens) -> Reply:
    return Reply("help", {"ussd": queries.ussd_code()})


def _language(workshop: Workshop, tokens: Tokens) -> Reply:
    for language, names in LANGUAGES.items():
        if names & set(tokens):
            actor = Actor.artisan(workshop)
            set_language(workshop=workshop, language=language, actor=actor)
            return Reply("language")
    return Reply("form_language")


def accepted_values(job: Job, workshop: Workshop) -> dict[str, Any]:
    """Named values of the text ``accepted``, in SMS and on screen."""
    return {
        "job": job.number,
        "quantity": job.quantity,
        "component": words.code(job.work_order.component.code),
        "due": words.day(job.due_on, texts.language_of(workshop.language)),
        "reference": reference(job, workshop),
    }


def reference(job: Job, workshop: Workshop) -> str:
    """What she quotes: job 8841 in W-017 is 8841-17."""
    digits = "".join(char for char in workshop.code if char.isdigit()).lstrip("0")
    return f"{job.number}-{digits[-4:]}" if digits else str(job.number)


def _number(tokens: Tokens) -> int | None:
    """The first number that can be a job's."""
    for token in tokens:
        if token.isdigit() and len(token) <= 12:
            return int(token)
    return None


def _job(workshop: Workshop, number: int) -> Job | None:
    rows = Job.objects.select_related("work_order__component")
    return rows.filter(workshop=workshop, number=number).first()


def _reason(tokens: Tokens) -> DeclineReason:
    for reason, signs in REASONS.items():
        if signs & set(tokens):
            return reason
    return DeclineReason.OTHER


def _form(workshop: Workshop, key: str, *, at_work: bool = False) -> Reply:
    """How to write it, with one of her own jobs as the example."""
    rows = queries.jobs_at(workshop) if at_work else queries.offers(workshop)
    own = rows.values_list("number", flat=True).first()
    return Reply(key, {"job": own or 8841, "ussd": queries.ussd_code()})


def _no_such_job(number: int) -> Reply:
    shown = words.clip(str(number), 9)
    return Reply("no_such_job", {"job": shown, "ussd": queries.ussd_code()})


def _not_open(number: int) -> Reply:
    return Reply("not_open", {"job": number, "ussd": queries.ussd_code()})


COMMANDS: dict[str, Command] = {
    **dict.fromkeys(("YES", "Y", "ACCEPT", "NDIO", "NDIYO", "KUBALI"), _yes),
    **dict.fromkeys(("NO", "N", "DECLINE", "HAPANA", "KATAA"), _no),
    **dict.fromkeys(("DONE", "MADE", "FANYA", "NIMEFANYA"), _done),
    **dict.fromkeys(("JOBS", "JOB", "KAZI"), _jobs),
    **dict.fromkeys(("HELP", "MSAADA", "SAIDIA"), _help),
    **dict.fromkeys(("LANGUAGE", "LUGHA"), _language),
}
