"""The one settings module. Every value that may differ is an environment variable,
read strictly by ``vrp.env`` and described in ``.env.example``."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from vrp import env
from vrp.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

# ``bin/up`` sets this: stand-ins instead of carriers, plain HTTP, loopback only.
EMBEDDED = env.boolean("VRP_EMBEDDED", False)
DEBUG = env.boolean("VRP_DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY")
# Older ones that still hold while SECRET_KEY is being changed.
SECRET_KEY_FALLBACKS = [
    key for key in env.secret("VRP_OLD_SECRET_KEYS", "").split(",") if key
]
PUBLIC_URL = env.text("VRP_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.listing("VRP_ALLOWED_HOSTS", "127.0.0.1,localhost,testserver")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
DATA_DIR = Path(env.text("VRP_DATA_DIR", str(BASE_DIR / "var")))
PROCESS_STATE_FILE = env.text("VRP_PROCESS_STATE", "")

# Divides the waits of recovery (vrp.haste), to try faults out within minutes.
HASTE = env.integer("VRP_HASTE", 1, low=1, high=60)
if HASTE > 1 and not EMBEDDED:
    raise ImproperlyConfigured("VRP_HASTE is for trying faults out on one machine.")

# Where carrier and wallet live. The default reaches only the local stand-ins, so a
# fresh installation cannot send a real message or move real money by accident.
STANDIN_URL = env.text("VRP_STANDIN_URL", "http://127.0.0.1:8001").rstrip("/")
AFRICASTALKING_URL = env.text("VRP_AFRICASTALKING_URL", f"{STANDIN_URL}/version1")
DARAJA_URL = env.text("VRP_DARAJA_URL", STANDIN_URL)
# PEM file of the wallet operator's certificate; empty: ask the stand-in for its own.
DARAJA_CERTIFICATE_FILE = env.text("VRP_DARAJA_CERTIFICATE_FILE", "")
# How long the outside may take, in seconds: connect, read.
CARRIER_TIMEOUT = (
    env.integer("VRP_CONNECT_TIMEOUT", 3, low=1, high=60),
    env.integer("VRP_READ_TIMEOUT", 9, low=1, high=120),
)
# Keys that encrypt carrier and wallet credentials at rest: newest first.
FIELD_KEYS = env.secret(
    "VRP_FIELD_KEYS", ",".join([SECRET_KEY, *SECRET_KEY_FALLBACKS])
).split(",")

INSTALLED_APPS = [
    "vrp.tenancy",
    "vrp.accounts",
    "vrp.events",
    "vrp.imports",
    "vrp.api",
    "vrp.console",
    "vrp.ops",
    "artisans",
    "orders",
    "qc",
    "matching",
    "payments",
    "phone",
    "rest_framework",
    "drf_spectacular",
    "django_q",
    "vrp.console.office.OfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "vrp.ops.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "vrp.ops.middleware.SecurityHeadersMiddleware",
    "vrp.api.middleware.MethodShapeMiddleware",
    "vrp.accounts.middleware.TenantMiddleware",
    "vrp.console.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "vrp.urls"
WSGI_APPLICATION = "vrp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vrp.console.context.console",
            ],
        },
    }
]


def database_from(url: str) -> dict[str, object]:
    """Django's database settings from a libpq URL; ``?host=`` names a socket folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or parts.hostname or ""
    return {
        # Our own thin backend tells PostgreSQL which tenant each query is for.
        "ENGINE": "vrp.tenancy.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **query},
    }


DATABASES = {"default": database_from(env.secret("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.secret("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "vrp",
        # One that hangs must not take us along.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    },
    # Where django-q writes what its processes do: nowhere. With Redis there, a Redis
    # that hangs would stop the clock, which is what has to go on then.
    "clock": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "vrp.accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator"
    },
]
CSRF_FAILURE_VIEW = "vrp.api.errors.csrf_failure"
LOGIN_URL = "/ops/sign-in/"
LOGIN_REDIRECT_URL = "/ops/"
# One-time links by which people choose a password are good for a day.
PASSWORD_RESET_TIMEOUT = 86_400
# Sessions are rows that name their owner (vrp.accounts.sessions). They end without a
# click for so long, so long after signing in, and when somebody ends them. Sensitive acts
# ask for password or code when the last proof is older than PROOF_SECONDS.
SESSION_ENGINE = "vrp.accounts.sessions"
SESSION_IDLE = 60 * env.integer("VRP_SESSION_IDLE_MINUTES", 60, low=5, high=720)
SESSION_COOKIE_AGE = 3600 * env.integer("VRP_SESSION_HOURS", 12, low=1, high=24)
PROOF_SECONDS = 60 * env.integer("VRP_PROOF_MINUTES", 30, low=1, high=720)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Two products on one host (ports are not part of a cookie's scope) must not clash. With
# https the browser itself refuses these names from another host or without Secure.
_HOST = "__Host-" if SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_HOST}vrp_session", f"{_HOST}vrp_csrf"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_SSL_REDIRECT = True
    # Asked from within, past the proxy that holds the certificate.
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
# The list that browsers carry in them takes whole domains, and years to leave: whether
# to go there is for the owner of the domain to say, not for a program.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("sw", "Kiswahili")]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
# 1,000 pieces graded one by one are 2,000 form fields; the body cap still holds.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
# The console takes one file at a time; the API none.
DATA_UPLOAD_MAX_NUMBER_FILES = 2
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "vrp.imports.uploads.CappedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = EMBEDDED or DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
if not (EMBEDDED or DEBUG):
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {
            "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        },
    }

# Celery does the work. A task is acknowledged only when done and carries a row's id;
# the row's own state decides whether there is anything left to do.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
# A child that grew beyond this (KiB) ends after its task and is replaced, as gunicorn
# does by --max-requests. The most that bin/bench memory saw in one was 160 MiB; the
# largest import that is let in takes 103 MiB on top.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "queue_order_strategy": "priority",
}
CELERY_TASK_DEFAULT_QUEUE = "work"

# django-q2 is the clock: its broker is PostgreSQL, so it needs no Redis.
Q_CLUSTER = {
    "name": "clock",
    "orm": "default",
    "cache": "clock",
    "workers": 1,
    "timeout": 240,
    "retry": 300,
    "max_attempts": 1,
    "poll": 1.0,
    "save_limit": 500,
    "catch_up": False,
    # The process that runs the beats is replaced after so many, or above so many KiB.
    "recycle": 5_000,
    "max_rss": 400_000,
    "label": "Clock",
}

# How often (``vrp.rates``): requests of one API key; turns at the phone of one channel
# and of one number; incoming SMS of one channel before the carrier is asked to come
# again; wrong keys and wrong callback addresses from one address of the internet.
RATES = {
    "api": env.rate("VRP_API_RATE", "600/min"),
    "ussd": env.rate("VRP_USSD_RATE", "6000/min"),
    "ussd_phone": env.rate("VRP_USSD_PHONE_RATE", "120/min"),
    "sms": env.rate("VRP_SMS_RATE", "6000/min"),
    "guess": env.rate("VRP_GUESS_RATE", "30/min"),
}
# Webhooks: ports that may be reached, and days for which settled deliveries are kept.
WEBHOOK_PORTS = {
    env.number(port, "VRP_WEBHOOK_PORTS", low=1, high=65_535)
    for port in env.listing("VRP_WEBHOOK_PORTS", "443,8443")
}
WEBHOOK_KEEP_DAYS = env.integer("VRP_WEBHOOK_KEEP_DAYS", 30, low=1, high=3650)
# What monitoring sends to read /metrics; without it only this machine may.
METRICS_TOKEN = env.secret("VRP_METRICS_TOKEN", "")
# Reverse proxies of ours in front of the web process: whose X-Forwarded-For is true.
TRUSTED_PROXIES = env.integer("VRP_TRUSTED_PROXIES", 0, low=0, high=5)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["orders.api.auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "vrp.api.errors.handle",
    "DEFAULT_THROTTLE_CLASSES": ["vrp.api.throttle.KeyThrottle"],
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Virtual resource planner: buyers' API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Place orders with a network of artisan workshops and follow them.",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        "OrderState": "orders.enums.OrderState.choices",
        "WebhookState": "orders.enums.WebhookState.choices",
        "LineStage": "orders.enums.LineStage.choices",
        "Channel": "orders.enums.Channel.choices",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

LOGGING_CONFIG = None
logging_config(
    level=env.text("VRP_LOG_LEVEL", "INFO"), human=env.boolean("VRP_LOG_HUMAN", False)
)
