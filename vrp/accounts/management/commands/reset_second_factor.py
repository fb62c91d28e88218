"""Take a person's second factor away, where no admin of theirs can."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from vrp.accounts.models import User
from vrp.accounts.services.factors import drop_for, is_enrolled
from vrp.accounts.services.sessions import end_sessions
from vrp.events.services import Actor


class Command(BaseCommand):
    """For the last admin of a brand, who lost phone and recovery codes."""

    help = "Takes a person's second factor away and signs them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("Nobody signs in by this name.")
        if not is_enrolled(user):
            raise CommandError(f"{user} has no second factor.")
        actor = Actor.system("reset_second_factor")
        drop_for(user=user, actor=actor)
        end_sessions(user=user, actor=actor)
        self.stdout.write(f"{user} signs in by password alone until they enrol again.")
