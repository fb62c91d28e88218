"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with RFC 9106's second recommended option: 64 MiB, 3 passes, 4 lanes.

    That is above OWASP's minimum (19 MiB, 2 passes, 1 lane) and, unlike Django's 100 MiB,
    leaves room for many sign-ins at once in one web process. A password that was hashed
    otherwise is hashed anew at its owner's next sign-in.
    """

    memory_cost = 64 * 1024
    time_cost = 3
    parallelism = 4
