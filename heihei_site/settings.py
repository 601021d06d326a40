"""The one settings file, read from top to bottom. Production by default; development says HEIHEI_ENV=development.

Everything a machine decides comes from the environment (`.env.example` lists it); everything the product decides
(limits, prices, time-outs) stands here with its unit and the decision it follows.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab

from heihei_site import embedded

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DEVELOPMENT = env.str("HEIHEI_ENV", "production") == "development"
PORT = env.int("PORT", 8000)
VAR_DIR = Path(env.str("HEIHEI_VAR", str(BASE_DIR / "var"))).resolve()


def secret(name: str) -> str:
    """A secret from the environment; only development may do without and gets one generated under VAR_DIR."""
    if DEVELOPMENT and name not in os.environ:
        return embedded.development_secret(VAR_DIR, name)
    return str(env.str(name))


# --- Who may call, and under which address ---------------------------------------------------------------------

SECRET_KEY = secret("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "10.0.2.2"] if DEVELOPMENT else []
)
# The base of every address that is stored or made by a job (D41). Empty only in development: then the local port.
PUBLIC_URL = env.str("PUBLIC_URL", "" if DEVELOPMENT else environ.Env.NOTSET).rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# W003: ours is a subclass. W008: who ends TLS, in front, leads to https. W005, W021: other names are not ours to bind.
SILENCED_SYSTEM_CHECKS = ["security.W003", "security.W005", "security.W008", "security.W021"]

# --- What is installed -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "heihei_site.api",
    "heihei_site.providers",
    "heihei_site.realtime",
    "heihei_site.uploads",
    "heihei_site.console",
    "payment",
    "users",
    "messages",
    "live",
    "chat",
    "topics",
    "records",
    "heihei_site.system",
]
MIDDLEWARE = [
    "heihei_site.api.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "heihei_site.api.middleware.Addresses",
    "heihei_site.api.middleware.StaticFiles",
    "heihei_site.api.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "heihei_site.api.middleware.Authentication",
    "heihei_site.api.middleware.Messages",
    "heihei_site.api.middleware.Csrf",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "heihei_site.urls"
ASGI_APPLICATION = "heihei_site.asgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Where state lives: PostgreSQL is the truth, Redis carries and rings -----------------------------------------

running = embedded.addresses(VAR_DIR) if DEVELOPMENT else None
DATABASE_URL = env.str(
    "DATABASE_URL", running.database_url if running else environ.Env.NOTSET if not DEVELOPMENT else ""
)
REDIS_URL = env.str("REDIS_URL", running.redis_url if running else environ.Env.NOTSET if not DEVELOPMENT else "")
database = environ.Env.db_url_config(DATABASE_URL or "postgres://heihei@/heihei?host=/nowhere")
DATABASES = {
    "default": database
    | {
        "ENGINE": "heihei_site.postgres",
        # Threads that ask the database are few and stay: API_THREADS for calls, four for sockets.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        # A process that vanishes in the middle of a transaction does not hold its rows for longer.
        "OPTIONS": {"options": "-c idle_in_transaction_session_timeout=15s", **database.get("OPTIONS", {})},
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py's own read time-out would cut idle sockets.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "heihei"},
    }
}

# --- Celery: makes deadlines prompt, never owns them -------------------------------------------------------------

CELERY_BROKER_URL = embedded.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "socket_keepalive": True}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
MINUTE, HOUR, DAY = 60, 3600, 86400
# How often in seconds, or at what time of day in Shanghai.
JOBS: dict[str, tuple[str, int | crontab]] = {
    "canary": ("heihei_site.system.tasks.canary", 2),
    "tell-audiences": ("heihei_site.realtime.tasks.tell_audiences", 5),
    "forget-messages": ("heihei_site.realtime.tasks.forget", HOUR),
    "forget-client-logs": ("heihei_site.system.tasks.forget_client_logs", HOUR),
    "count-figures": ("heihei_site.console.tasks.count_figures", MINUTE),
    "count-days": ("heihei_site.console.tasks.count_days", 10 * MINUTE),
    "forget-figures": ("heihei_site.console.tasks.forget_figures", DAY),
    "examine-uploads": ("heihei_site.uploads.tasks.examine", 10),
    "sweep-uploads": ("heihei_site.uploads.tasks.sweep", 5 * MINUTE),
    "settle-orders": ("payment.tasks.settle_orders", 5),
    "pay-withdrawals": ("payment.tasks.pay_withdrawals", 10),
    "expire-credits": ("payment.tasks.expire_credits", HOUR),
    "fetch-bills": ("payment.tasks.fetch_bills", crontab(hour=10, minute=30)),  # gateways have yesterday's by then
    "forget-forgeries": ("payment.tasks.forget_forgeries", HOUR),
    "fold-kinds": ("users.tasks.fold_kinds", 10 * MINUTE),
    "end-bans": ("users.tasks.end_bans", 5),
    "recount-relations": ("users.tasks.recount_relations", DAY),
    "export-data": ("users.tasks.export_data", MINUTE),
    "erase-accounts": ("users.tasks.erase_accounts", HOUR),
    "forget-repeats": ("users.tasks.forget_repeats", 10 * MINUTE),
    "forget-sessions": ("users.tasks.forget_sessions", HOUR),
    "forget-codes": ("users.tasks.forget_codes", HOUR),
    "push": ("messages.tasks.push", 1),
    "push-to-many": ("messages.tasks.push_to_many", 1),
    "announce": ("messages.tasks.announce", 5),
    "forget-pushes": ("messages.tasks.forget_pushes", HOUR),
    "forget-server-calls": ("messages.tasks.forget_server_calls", HOUR),
    "sweep-lives": ("live.tasks.sweep", 5),
    "rank-lives": ("live.tasks.rank", 10),
    "revoke-mic-links": ("live.tasks.revoke_mic_links", 10),
    "settle-media": ("live.tasks.settle_media", 2),
    "write-archives": ("live.tasks.write_archives", 2),
    "forget-recordings": ("live.tasks.forget_recordings", DAY),
    "sweep-chats": ("chat.tasks.sweep", 1),
    "match": ("chat.tasks.match", 2),
    "revoke-chats": ("chat.tasks.revoke_chats", 10),
    "fold-tallies": ("topics.tasks.fold", 1),
    "tell-authors": ("topics.tasks.tell_authors", 1),
    "recount-topics": ("topics.tasks.recount", DAY),
    "measure-records": ("records.tasks.measure", 10),
    "forget-records": ("records.tasks.forget", MINUTE),
}
# What waited until the next one is due, or for an hour, is not done any more.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": when, "options": {"expires": min(when, HOUR) if isinstance(when, int) else HOUR}}
    for name, (task, when) in JOBS.items()
}
CELERY_BEAT_SCHEDULE["canary"]["options"] = {"expires": 10}  # a slow worker is not a dead one

# --- The API -----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["users.auth.TokenParameterAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": [
        "heihei_site.api.parsers.FormParser",
        "heihei_site.api.parsers.JsonParser",
        "heihei_site.api.parsers.MultipartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["drf_orjson_renderer.renderers.ORJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["heihei_site.api.throttles.DeclaredLimits"],
    "DEFAULT_SCHEMA_CLASS": "heihei_site.api.schema.EndpointSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "heihei_site.api.envelope.AlwaysJson",
    "EXCEPTION_HANDLER": "heihei_site.api.envelope.refuse",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "heihei",
    "VERSION": "2.0.0",
    "DESCRIPTION": "Voice-live social API. Every endpoint answers GET and POST alike, always with HTTP 200 and an "
    "object carrying `errorcode` and `errormsg`. What differs from the documents, by generation of the client, "
    "stands in docs/reference/changes.md.",
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"defaultModelsExpandDepth": -1, "docExpansion": "none", "filter": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": True,
    "PREPROCESSING_HOOKS": ["heihei_site.api.schema.only_api"],
    "ENUM_NAME_OVERRIDES": {"PlatformEnum": ["android", "ios"]},  # a parameter of several spellings
}
API_BODY_BYTES = 1024 * 1024  # a longer body is a wrong parameter, where none is declared (`body_bytes`)
API_FIELDS = 200  # parameters of one request
API_THREADS = env.int("API_THREADS", 32)  # calls a web process runs at once, each with a database connection
DATA_UPLOAD_MAX_MEMORY_SIZE = API_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = API_FIELDS
RATE_LIMITS_URL = embedded.limits_url(REDIS_URL)

# --- What operators put before everybody, and what phones report ---------------------------------------------------

KEPT_SECONDS = 2  # for which a process keeps what operators change now and then; their own process sees changes at once
BANNER_SECONDS = 86400  # after which a phone asks anew, if none starts or ends before
CLIENT_LOG_LENGTH = 64 * 1024  # characters; of a longer log its end
CLIENT_LOGS_A_PERSON = "30/hour"
CLIENT_LOGS_AN_ADDRESS = "300/hour"  # a carrier's many people included
CLIENT_LOGS_AGE = timedelta(days=14)
CLIENT_LOGS_KEPT = 20_000

# --- The socket (D10–D12, D42) -----------------------------------------------------------------------------------

SOCKET_QUEUE_BYTES = 256 * 1024
SOCKET_FRAME_BYTES = 64 * 1024
SOCKET_SEND_TIMEOUT = 10  # seconds
SOCKET_MAX_AGE = 12 * 3600  # seconds after which, less up to a quarter, a socket is asked to connect anew
SOCKET_DRAIN = env.float(
    "SOCKET_DRAIN", 1.0 if DEVELOPMENT else 10.0
)  # seconds over which a process lets its sockets go
GUEST_SOCKETS = 5000  # of a web process, for people who follow a link to a live
GUEST_SOCKETS_AN_ADDRESS = 500  # a carrier's many people included
ROOM_RESUME = timedelta(seconds=60)  # of what was missed of a room, this much is replayed
PERSONAL_MESSAGES_KEPT = 2000  # a person
PERSONAL_MESSAGES_AGE = timedelta(days=30)
ROOM_MESSAGES_AGE = timedelta(days=30)

# --- People (D5, D15–D19) ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
SINGLE_DEVICE_SIGN_IN = env.bool("SINGLE_DEVICE_SIGN_IN", True)
TOKEN_LIFETIME = timedelta(days=30)  # sliding
TOKEN_REFRESH = timedelta(hours=1)  # the slide is written at most this often
SMS_CODE_LIFETIME = timedelta(minutes=10)
SMS_CODE_TRIES = 5
SMS_RESEND_SECONDS = 60
SMS_PER_PHONE_A_DAY = 10
SMS_PER_ADDRESS = "50/hour"
SMS_TRIES_PER_ADDRESS = "250/hour"  # five for each that could be sent
ACCOUNT_SIGN_INS = "600/minute"  # per address: each asks a vendor
DATA_EXPORTS_ASKED = "10/hour"  # per person
ACCOUNT_DELETION_GRACE = timedelta(days=15)  # to change one's mind
FRESH_SIGN_IN = timedelta(minutes=10)  # proves who it is where there is no phone for a code
DATA_EXPORT_LIFETIME = timedelta(days=7)  # of the file and of the address it is fetched from
MINOR_PROTECTION = env.bool("MINOR_PROTECTION", True)
ADULT_AGE = 18  # years
NAME_BYTES = 16  # a Chinese character counts two
RENAME_GOLD = 10
FIRST_BLOCKED_WORDS = ["官方", "客服", "管理员"]  # what `manage.py seed` puts where there are none
REPORTS_FOR_QUEUE = 3  # open reports by distinct people (D17)
REPORTS = "30/minute"  # per person
SEARCHES = "30/10 seconds"  # per person
PEOPLE_DEPTH = 1000  # after which lists of everybody end: nobody pages on, and each row passed over is read
SEARCH_CANDIDATES = 500  # people looked at for each way a name can match; the best are shown
REPEAT_WINDOW = timedelta(seconds=3)  # since the last identical request (D26)
REPEAT_LIMIT = timedelta(seconds=10)  # since the first of them

# --- Lives (D21–D30) ---------------------------------------------------------------------------------------------

VIEWER_LEASE = timedelta(seconds=45)
OWNER_LEASE = timedelta(seconds=90)
HEART_BEAT_SECONDS = 15
AUDIENCE_SEATS = 100_000  # lives created by clients below 1.5
TEAM_SEATS = 8  # lives created by 1.5 and later, owner included
KNOCK_SECONDS = 60  # between one person's knocks at one live, and until a knock is no news to its owner any more
INVITATIONS = "60/minute"  # per person
INVITATION_QUIET = timedelta(seconds=10)  # who was invited a moment ago and has not come yet is not rung again
INVITE_LIST = 50  # people in it at most
INVITE_LIST_FOLLOWERS = 1000  # the newest of whom those who are connected are in the list
MIC_WAIT = timedelta(seconds=30)  # for an answer to a request for the microphone, or to an invitation to it
MIC_CALLS = "60/minute"  # per person: each may ring a phone
MIC_JOIN_SECONDS = 5  # what phones are told they have to join once both have agreed
MIC_JOIN = timedelta(seconds=10)  # what they have: a call that got lost is sent again after 2 s
MIC_CONNECT = timedelta(seconds=6)  # from the first phone's joining until both hear each other
MIC_TOKEN_LIFETIME = timedelta(seconds=60)  # of what lets a phone into the RTC room; it asks for another any time
MIC_REVOKE_FOR = timedelta(hours=1)  # for which the RTC vendor is asked again to throw somebody out
FEED_DEPTH = 1000  # lives on air, and as many replays, that one can page through in a list
NEW_LIVE_FOR = timedelta(minutes=10)  # a live this young is listed as if
NEW_LIVE_WORTH = 7  # so many more were listening
TICKETS_A_LISTENER = 10  # given lately weigh as much in the lists as somebody who listens
TICKETS_HALF_LIFE = timedelta(minutes=5)  # after which a gift counts half
ROOM_LIST_PAGE = 20
LIVE_NEWS_SECONDS = 600  # that somebody went on air is told to followers who come within this time
ROOM_TEXTS = "100/10 seconds"  # per person
ROOM_TEXTS_OF_ALL = "500/10 seconds"  # per room: nobody reads more; past it owner, managers and operators are heard
MOST_MANAGERS = 5  # of a live (D44)
ROOM_LIKES_SHOWN = "5/second"  # per room
TITLE_LENGTH = 64
ROOM_TEXT_LENGTH = 500
INSTANT_MESSAGES = "600/minute"  # per person
INSTANT_MESSAGE_LENGTH = 500  # characters
VOICE_SECONDS = 300  # of one message
MESSAGE_LIST_TEXT = 60  # characters of a message in the list of them
MESSAGE_LIST = 50  # rows of it at once,
MESSAGE_LIST_DEPTH = 5000  # and after how many it ends: each row passed over is read
HISTORY_PAGE = 100  # messages, where nobody asks for so many of them,
HISTORY_LIMIT = 50  # and how many one may ask for
NOTICE_PAUSE = timedelta(minutes=10)  # for which likes of the same, while they are unread, are told as one
RECALL_WITHIN = timedelta(minutes=2)  # a message can be taken back

MESSAGE_SERVER_KEY = secret("MESSAGE_SERVER_KEY")  # of other servers of ours that call messageserver/
MESSAGE_SERVER_CLOCK = timedelta(minutes=5)  # by which theirs may be wrong
RELAYED_BYTES = 16 * 1024  # of one message they send

# --- Calls (D32–D34) ---------------------------------------------------------------------------------------------

CHAT_RING = timedelta(seconds=15)  # for an answer, and as long for the phones to come in after it
CHAT_RING_BACK = timedelta(hours=1)  # after which a missed call is not called back with accept-chat any more
CHAT_HEART_BEAT_SECONDS = 5
CHAT_LEASE = timedelta(seconds=15)  # without a heart-beat, after which the other one is told that the line is lost
MATCH_WAIT = timedelta(seconds=15)  # for somebody to talk to; then the phone gives up
MATCH_AGAIN = timedelta(minutes=10)  # from the end of a call on, after which the same two may be given each other
MATCH_CALLS = "60/minute"  # per person
MATCH_LOOKED_AT = 50  # of those who have waited longest; the others have somebody before
MATCH_TIPS = 6  # to read meanwhile
CHAT_CALLS = "300/minute"  # per person: each may ring a phone
CHAT_TOKEN_LIFETIME = timedelta(seconds=60)  # of what lets a phone into the RTC room
CHAT_RECONNECT = timedelta(seconds=15)  # after that, for the phone to come back before the call ends

# --- Topics and records (docs/adr/0017-counting-and-heat.md) -------------------------------------------------------

TOPICS_PAGE = 20
DUE_CHAT_PEOPLE = 10  # who were just active, in the due-chat area of the list of topics
POSTS_PAGE = 11  # of a topic
REPLIES_PAGE = 20  # to a post
REPLIES_SHOWN = 3  # with each post of a topic
POSTS_DEPTH = 1000  # posts of a topic, and replies to one, that one can page through
SUBJECT_TITLE_LENGTH = 64
SUBJECT_SAMPLES_LENGTH = 4000  # characters
SUBJECT_LENGTH = 3600  # seconds, as phones say
SUBJECTS = "60/minute"  # posts and replies a person
SUBJECT_DEEDS = "600/minute"  # likes and listens a person
LISTEN_COUNTS_AGAIN = timedelta(minutes=1)  # after a person has heard a subject
HEAT_HALF_LIFE = timedelta(hours=12)  # after which what warmed a subject or a topic counts half
HEAT_OF = {"post": 5.0, "listen": 1.0, "like": 3.0, "reply": 5.0, "gold": 1.0}  # a post: its own
AUTHOR_QUIET = timedelta(minutes=1)  # between two notices of one kind about a subject: what comes meanwhile is one
RECORDS_PAGE = 20
RECORD_BYTES = 10 * 1024 * 1024
RECORD_SECONDS = (3, 300)
RECORDS = "20/hour"  # uploads a person
REJECTED_RECORDS_KEPT = timedelta(days=7)  # for operators to think again

# --- Pushes (D42) --------------------------------------------------------------------------------------------------

PUSH_DELAY = timedelta(seconds=5)  # after the message, for a socket to bring it
# Of the day in Shanghai: nothing but calls is pushed from the first until the second; the same twice: whenever.
QUIET_HOURS = tuple(env.list("QUIET_HOURS", cast=int, default=[23, 8]))
PUSH_PAUSE = timedelta(seconds=30)  # between pushes about the same conversation or live
PUSHES_AN_HOUR = 30  # per person; calls are let through
PUSH_LIFETIME = timedelta(days=1)  # at most; most messages say less
PUSHES_AGE = timedelta(days=3)  # so long they stay, for whoever wonders why a phone did or did not ring
ANNOUNCED_ALONE = 1_000  # people whom one operator may tell something; of more a second one has to agree

# --- Money (D26, D27, D35) ---------------------------------------------------------------------------------------

BULLET_GOLD = 1
POINTS_PER_GOLD = 1
POINT_WORTH = 5  # units of `pointWorth` a point (D37)
EXPERIENCE_PER_GOLD = 10
GIFT_AMOUNT_IS_QUANTITY = False
POINTS_PER_FEN = 2  # of cash (D37)
WITHDRAWAL_LEAST = 1_000  # fen
WITHDRAWAL_DAY = 50_000  # fen a person, from midnight to midnight
WITHDRAWAL_FOUR_EYES = 10_000  # fen; above, two operators approve
WITHDRAWAL_ACCOUNT_AGE = timedelta(days=7)
ALIPAY_VERIFICATIONS = "10/day"  # per person: each asks a vendor
PAYOUT_TIMEOUT = 10  # seconds for one answer of the gateway; only jobs ask
PAYOUT_RETRY = timedelta(seconds=30)  # after the gateway did not say, doubling up to PAYOUT_RETRY_LONGEST
PAYOUT_RETRY_LONGEST = timedelta(minutes=30)
PAYOUT_DOUBT = timedelta(minutes=15)  # after an unanswered transfer, before the gateway's no is believed
CREDIT_GOLD_DAY = 50_000  # that one operator may propose, and approve, from midnight to midnight; taken back counts too
CREDIT_POINT_DAY = 50_000
CREDIT_LIFETIME = timedelta(days=7)  # for a second operator to decide
STATEMENT_PAGE = 50  # lines at most
RECHARGE_CAP = 500_000  # fen a day in Shanghai, what is begun and not paid yet included (D42)
RECHARGE_CAP_MINOR = 10_000  # of who is under age, where they may recharge at all (MINOR_PROTECTION=False)
RECHARGE_CAP_NEW = env.int("RECHARGE_CAP_NEW", 500_000)  # of an account younger than RECHARGE_NEW_FOR
RECHARGE_NEW_FOR = timedelta(days=1)
ORDER_LIFETIME = timedelta(minutes=30)  # to pay it; who pays later still gets their gold (D36)
ORDERS_BEGUN = "60/minute"  # per person
ORDER_HINTS = "60/minute"  # per person: each may ask a gateway
ORDER_FIRST_QUERY = timedelta(minutes=1)  # after an order began; then after twice as long each time
ORDER_GRACE = timedelta(minutes=2)  # past an order's time, in which a payment on its way may still arrive
NOTIFICATION_BYTES = 64 * 1024
FORGERIES_AN_ADDRESS = "120/minute"  # that are kept to be looked at; the gateway's own are not counted
FORGERIES_KEPT = timedelta(days=30)
# Where tests arm the places at which a process is to die (payment/crash_points.py).
CRASH_POINTS = VAR_DIR / "crash" if DEVELOPMENT and env.bool("HEIHEI_CRASH_POINTS", False) else None

# --- The outside world -------------------------------------------------------------------------------------------

GATEWAY_TWINS = "heihei_site.providers.gateways.development"
PROVIDERS = {
    "sms": env.str("SMS_PROVIDER", "heihei_site.providers.sms.outbox.OutboxSms"),
    "wechat": env.str("WECHAT_PROVIDER", "heihei_site.providers.identity.development.DevelopmentWechat"),
    "weibo": env.str("WEIBO_PROVIDER", "heihei_site.providers.identity.development.DevelopmentWeibo"),
    "streaming": env.str("STREAMING_PROVIDER", "heihei_site.providers.streaming.rtmp.RtmpStreaming"),
    "rtc": env.str("RTC_PROVIDER", "heihei_site.providers.rtc.outbox.OutboxRtc"),
    "credentials": {
        "local": "heihei_site.providers.credentials.local.LocalCredentials",
        "s3": "heihei_site.providers.credentials.s3.S3Credentials",
        "aliyun": "heihei_site.providers.credentials.aliyun.AliyunCredentials",
    }[UPLOADS := env.str("UPLOADS", "local")],  # where they are: on our disk, in a bucket, in one of Aliyun's
    "alipay": env.str("ALIPAY_PROVIDER", f"{GATEWAY_TWINS}.DevelopmentAlipay"),
    "wechat-pay": env.str("WECHAT_PAY_PROVIDER", f"{GATEWAY_TWINS}.DevelopmentWechatPay"),
    "app-store": env.str("APP_STORE_PROVIDER", f"{GATEWAY_TWINS}.DevelopmentStore"),
    "realname": env.str("REALNAME_PROVIDER", "heihei_site.providers.realname.development.DevelopmentRealName"),
    "payouts": env.str("PAYOUTS_PROVIDER", "heihei_site.providers.payouts.outbox.OutboxPayouts"),
}
for kind in ("apns", "getui", "gcm"):  # without a vendor of their kind, devices get no pushes
    if vendor := env.str(f"{kind.upper()}_PROVIDER", "heihei_site.providers.push.outbox.OutboxPush"):
        PROVIDERS[kind] = vendor
REALNAME_ENDPOINT = env.str("REALNAME_ENDPOINT", "cloudauth.aliyuncs.com")
REALNAME_PROTOCOL = env.str("REALNAME_PROTOCOL", "HTTPS")
# Transfers want Alipay's certificates, of which each is a file.
ALIPAY_PAYOUT_APP = env.str("ALIPAY_PAYOUT_APP", "")
ALIPAY_PAYOUT_KEY = env.str("ALIPAY_PAYOUT_KEY", "")  # our private key
ALIPAY_PAYOUT_APP_CERT = env.str("ALIPAY_PAYOUT_APP_CERT", "")
ALIPAY_PAYOUT_PUBLIC_CERT = env.str("ALIPAY_PAYOUT_PUBLIC_CERT", "")
ALIPAY_PAYOUT_ROOT_CERT = env.str("ALIPAY_PAYOUT_ROOT_CERT", "")
ALIPAY_PAYOUT_GATEWAY = env.str("ALIPAY_PAYOUT_GATEWAY", "https://openapi.alipay.com/gateway.do")
GETUI_API = env.str("GETUI_API", "https://restapi.getui.com/v2")
GETUI_APP_ID = env.str("GETUI_APP_ID", "")
GETUI_APP_KEY = env.str("GETUI_APP_KEY", "")
GETUI_MASTER_SECRET = env.str("GETUI_MASTER_SECRET", "")
APNS_API = env.str("APNS_API", "https://api.push.apple.com")
APNS_KEY = env.str("APNS_KEY", "", multiline=True)  # what the .p8 file has in it
APNS_KEY_ID = env.str("APNS_KEY_ID", "")
APNS_TEAM_ID = env.str("APNS_TEAM_ID", "")
APNS_TOPIC = env.str("APNS_TOPIC", "")  # the bundle id of the app
ALIYUN_ACCESS_KEY_ID = env.str("ALIYUN_ACCESS_KEY_ID", "")
ALIYUN_ACCESS_KEY_SECRET = env.str("ALIYUN_ACCESS_KEY_SECRET", "")
SMS_SIGN_NAME = env.str("SMS_SIGN_NAME", "")
SMS_TEMPLATE_CODE = env.str("SMS_TEMPLATE_CODE", "")  # of a template with the variable `code`
SMS_ENDPOINT = env.str("SMS_ENDPOINT", "dysmsapi.aliyuncs.com")
SMS_PROTOCOL = env.str("SMS_PROTOCOL", "HTTPS")
IDENTITY_TIMEOUT = 1.5  # seconds for all that a vendor is asked about one sign-in; the phone waits two (D9)
WECHAT_API = env.str("WECHAT_API", "https://api.weixin.qq.com")
WEIBO_API = env.str("WEIBO_API", "https://api.weibo.com")
WEIBO_APP_KEY = env.str("WEIBO_APP_KEY", "")
FACEBOOK_API = env.str("FACEBOOK_API", "https://graph.facebook.com")
FACEBOOK_APP_ID = env.str("FACEBOOK_APP_ID", "")
FACEBOOK_APP_SECRET = env.str("FACEBOOK_APP_SECRET", "")
STREAM_KEY = secret("STREAM_KEY")  # signs what lets a phone send its sound, and our talk with the media server
MEDIA_TIMEOUT = 1.2  # seconds for asking a media server while a phone waits
MEDIA_JOB_TIMEOUT = 10.0  # seconds, while none does
MEDIA_SWEEP_LEASE = timedelta(minutes=45)  # longer than what is made of a recording takes
MEDIA_RETRY = timedelta(minutes=1)  # after a media server did not answer, or a replay could not be made
MEDIA_RETRY_FOR = timedelta(days=1)  # since the end of the live
REPLAYS_AT_ONCE = 2  # made by one worker process
REPLAY_TIMEOUT = 1800  # seconds for making a recording into what phones play
ARCHIVE_LEASE = timedelta(minutes=15)  # longer than writing down what was said in the longest live takes
RECORDINGS_KEPT = timedelta(days=7)  # as they were sent; replays stay
media = running.media if running else None
# Our own media server (docs/operations.md); what it writes, workers read and write too.
MEDIA_FILES = Path(env.str("MEDIA_FILES", media.files if media else str(VAR_DIR / "media")))
RTMP_PORT = env.int("RTMP_PORT", media.rtmp_port if media else 1935)
MEDIA_PORT = env.int("MEDIA_PORT", media.http_port if media else 8080)
RTMP_HUB = env.str("RTMP_HUB", "heihei")
RTMP_PUBLISH_HOST = env.str("RTMP_PUBLISH_HOST", f"127.0.0.1:{RTMP_PORT}" if DEVELOPMENT else "")
RTMP_PLAY_HOST = env.str("RTMP_PLAY_HOST", RTMP_PUBLISH_HOST)
HLS_BASE_URL = env.str("HLS_BASE_URL", f"http://127.0.0.1:{MEDIA_PORT}/hls" if DEVELOPMENT else "")
REPLAY_BASE_URL = env.str("REPLAY_BASE_URL", f"http://127.0.0.1:{MEDIA_PORT}/replays" if DEVELOPMENT else "")
RTMP_HOOKS_URL = env.str("RTMP_HOOKS_URL", f"http://127.0.0.1:{PORT}/hooks/rtmp")  # of ours, as it reaches us
RTMP_CONTROL_URL = env.str("RTMP_CONTROL_URL", f"http://127.0.0.1:{MEDIA_PORT}")  # of its, as we reach it
# Qiniu: Pili in the place of our own media server, and RTC.
QINIU_ACCESS_KEY = env.str("QINIU_ACCESS_KEY", "")
QINIU_SECRET_KEY = env.str("QINIU_SECRET_KEY", "")
PILI_HUB = env.str("PILI_HUB", "")
PILI_DOMAIN = env.str("PILI_DOMAIN", "")  # pili-publish, pili-live-rtmp, pili-live-hls, pili-media ... are below it
PILI_PUBLISH_SECURITY = env.str("PILI_PUBLISH_SECURITY", "dynamic")  # or static
PILI_API = env.str("PILI_API", "http://pili.qiniuapi.com")
PILI_BUCKET = env.str("PILI_BUCKET", "")  # where the hub keeps recordings
QINIU_RTC_APP = env.str("QINIU_RTC_APP", "")
QINIU_RTC_API = env.str("QINIU_RTC_API", "https://rtc.qiniuapi.com")
TENCENT_RTC_APP = env.int("TENCENT_RTC_APP", 0)  # sdkAppId; 0: Tencent carries no calls
TENCENT_RTC_KEY = env.str("TENCENT_RTC_KEY", "")
USER_SIG_LIFETIME = timedelta(days=1)
RTC_TIMEOUT = 3  # seconds for one answer of the vendor; only jobs ask
SHARE_KEY = secret("SHARE_KEY")
SHARE_PICTURE = "live/card.png"  # a static file: of what has no picture of its own
SHARE_LINK_LIFETIME = timedelta(days=30)  # from the end of the day on which it was given out
# Seals id cards and Alipay accounts: texts of 32 characters or more, separated by commas; the first seals, all open.
SEAL_KEYS = [key.strip() for key in secret("SEAL_KEYS").split(",") if key.strip()]
GATEWAY_TIMEOUT = 1.5  # seconds for what a gateway is asked while a phone waits (D9)
GATEWAY_JOB_TIMEOUT = 10.0  # seconds, while none does
ALIPAY_APP_ID = env.str("ALIPAY_APP_ID", "")
ALIPAY_SELLER_ID = env.str("ALIPAY_SELLER_ID", "")  # 2088…: who gets the money
ALIPAY_APP_PRIVATE_KEY = env.str("ALIPAY_APP_PRIVATE_KEY", "", multiline=True)  # PEM, \n for line ends
ALIPAY_PUBLIC_KEY = env.str("ALIPAY_PUBLIC_KEY", "", multiline=True)  # the gateway's, not our own
ALIPAY_GATEWAY = env.str("ALIPAY_GATEWAY", "https://openapi.alipay.com/gateway.do")
WECHAT_PAY_APP_ID = env.str("WECHAT_PAY_APP_ID", "")
WECHAT_PAY_MERCHANT_ID = env.str("WECHAT_PAY_MERCHANT_ID", "")
WECHAT_PAY_PRIVATE_KEY = env.str("WECHAT_PAY_PRIVATE_KEY", "", multiline=True)
WECHAT_PAY_CERTIFICATE_SERIAL = env.str("WECHAT_PAY_CERTIFICATE_SERIAL", "")
WECHAT_PAY_API_V3_KEY = env.str("WECHAT_PAY_API_V3_KEY", "")
WECHAT_PAY_PUBLIC_KEY = env.str("WECHAT_PAY_PUBLIC_KEY", "", multiline=True)
WECHAT_PAY_PUBLIC_KEY_ID = env.str("WECHAT_PAY_PUBLIC_KEY_ID", "")
WECHAT_PAY_API = env.str("WECHAT_PAY_API", "https://api.mch.weixin.qq.com")
APPLE_BUNDLE_ID = env.str("APPLE_BUNDLE_ID", "")
APPLE_APP_ID = env.int("APPLE_APP_ID", 0)
APPLE_ENVIRONMENT = env.str("APPLE_ENVIRONMENT", "Production")  # or Sandbox
APPLE_ROOT_CERTIFICATES = env.list("APPLE_ROOT_CERTIFICATES", default=[])  # files, DER: Apple Root CA - G3

# --- Language, time, static files --------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
# Where collectstatic puts them; development serves them from the apps.
STATIC_ROOT = None if DEVELOPMENT else env.str("STATIC_ROOT", str(VAR_DIR / "static"))
WHITENOISE_USE_FINDERS = DEVELOPMENT

# --- What people upload (D38, ADR 0018) ------------------------------------------------------------------------------

UPLOAD_KEY = secret("UPLOAD_KEY")  # of what a phone shows for its upload
UPLOAD_LIFETIME = timedelta(hours=1)  # of leave to write, and to use what was written
UPLOAD_BYTES = 20 * 1024 * 1024
UPLOADS_OPEN = 100  # a person may have at once without using them
AUDIO_SECONDS = 1800  # of one recording
PICTURE_PIXELS = 50_000_000  # of a picture as it comes; it is written anew with
PICTURE_EDGE = 2560  # pixels at most each way
DECODING_SECONDS = 60.0  # for one file, in a process of its own
DECODING_MEMORY = 1024 * 1024 * 1024  # bytes of addresses that process may have
EXAMINED_AT_ONCE = 2  # by one worker process
UPLOADED_FILES = env.str("UPLOADED_FILES", str(VAR_DIR / "uploads"))  # where they are `local`
UPLOAD_BUCKET = env.str("UPLOAD_BUCKET", "")
UPLOAD_ENDPOINT = env.str("UPLOAD_ENDPOINT", "")  # none: AWS'
UPLOAD_REGION = env.str("UPLOAD_REGION", "us-east-1")
UPLOAD_ACCESS_KEY_ID = env.str("UPLOAD_ACCESS_KEY_ID", "")
UPLOAD_ACCESS_KEY_SECRET = env.str("UPLOAD_ACCESS_KEY_SECRET", "")
UPLOAD_ROLE = env.str("UPLOAD_ROLE", "")  # its ARN: what phones become, each for one object
STS_ENDPOINT = env.str("STS_ENDPOINT", "")
STS_PROTOCOL = env.str("STS_PROTOCOL", "HTTPS")
# Where `data/` of the storage is reached by everybody: the bucket's public address or its CDN; else our own.
UPLOADS_URL = env.str("UPLOADS_URL", PUBLIC_URL or f"http://127.0.0.1:{PORT}").rstrip("/")

# --- Files that are nobody's but one person's ---------------------------------------------------------------------

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Never served as files. On several machines: a directory that they share.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.str("PRIVATE_FILES", str(VAR_DIR / "private")),
            "allow_overwrite": True,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "uploads": {
        "BACKEND": "heihei_site.uploads.storages.Local",
        "OPTIONS": {"location": UPLOADED_FILES},
    }
    if UPLOADS == "local"
    else {
        "BACKEND": "heihei_site.uploads.s3.Bucket",
        "OPTIONS": {
            "bucket_name": UPLOAD_BUCKET,
            "endpoint_url": UPLOAD_ENDPOINT or None,
            "region_name": UPLOAD_REGION,
            "access_key": UPLOAD_ACCESS_KEY_ID,
            "secret_key": UPLOAD_ACCESS_KEY_SECRET,
            # Aliyun knows neither addresses with the bucket in their path nor S3's newer signatures of bodies.
            "addressing_style": "virtual" if UPLOADS == "aliyun" else "auto",
            "signature_version": "s3" if UPLOADS == "aliyun" else "s3v4",
        },
    },
    # What was said in lives, served by live/downloads.py. On several machines: a directory that they share.
    "archives": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.str("ARCHIVE_FILES", str(VAR_DIR / "archives")),
            "base_url": f"{PUBLIC_URL or f'http://127.0.0.1:{PORT}'}/message/",
            "allow_overwrite": True,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    # What our own media server's recordings become; its directory is served as files.
    "replays": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(MEDIA_FILES / "replays"),
            "base_url": f"{REPLAY_BASE_URL.rstrip('/')}/",
            "allow_overwrite": True,
            "file_permissions_mode": 0o644,
        },
    },
}

# --- Logs: JSON lines with request ids, never a token, code or phone (I12) ------------------------------------------

from heihei_site.api.logs import logging_config  # noqa: E402  (needs nothing of Django, only the names above)

LOGGING = logging_config(env.str("LOG_LEVEL", "INFO"))
RELEASE = env.str("RELEASE", "")
if SENTRY_DSN := env.str("SENTRY_DSN", ""):  # where errors go besides the log, scrubbed like it
    from heihei_site.api.faults import report_to

    report_to(SENTRY_DSN, release=RELEASE)

# --- The operators' console ---------------------------------------------------------------------------------------

CONSOLE_FAILURES_A_NAME = "5/15 minutes"  # wrong passwords, after which nobody signs in to the console by that name
CONSOLE_FAILURES_AN_ADDRESS = "50/15 minutes"  # or from that address
UNFOLD = {
    "LOGIN": {"form": "heihei_site.system.lockout.GuardedLogin"},
    "DASHBOARD_CALLBACK": "heihei_site.console.dashboard.show",
    "SITE_TITLE": "黑黑 · 运营台",
    "SITE_HEADER": "黑黑运营台",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}live/icon.svg"}],
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "heihei_site.console.sidebar.environment",
    "SIDEBAR": {"show_search": True, "navigation": "heihei_site.console.sidebar.groups"},
}
