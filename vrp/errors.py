"""The typed errors that services raise; every edge turns them into its own form.

API: the one error shape (``vrp.api.errors``). Console: a message on the page.
Phone: a sentence in the artisan's language.
"""


class DomainError(Exception):
    """Base: a stable ``code``, a sentence for a person, and the field it is about."""

    status = 400
    code = "error"

    def __init__(self, message: str, *, code: str | None = None, field: str = ""):
        super().__init__(message)
        self.message = message
        self.field = field
        if code:
            self.code = code


class Invalid(DomainError):
    """The request is well formed but not acceptable. HTTP 422."""

    status = 422
    code = "invalid"


class Mistakes(Invalid):
    """Several things that are not acceptable, told at once; ``found`` is never empty.

    ``message`` and ``field`` are those of the first, for edges that show one only.
    """

    def __init__(self, found: list[Invalid]) -> None:
        super().__init__(found[0].message, code=found[0].code, field=found[0].field)
        self.found = found


class IllegalMove(DomainError):
    """The thing is not in a state from which this can be done. HTTP 409."""

    status = 409
    code = "illegal_move"


class Conflict(DomainError):
    """Something with this identity exists already. HTTP 409."""

    status = 409
    code = "conflict"


class NotAllowed(DomainError):
    """This actor may not do this. HTTP 403."""

    status = 403
    code = "not_allowed"


class NotFound(DomainError):
    """No such thing within this tenant. HTTP 404."""

    status = 404
    code = "not_found"
