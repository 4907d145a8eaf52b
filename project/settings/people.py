"""How people sign up and in: by password, by a code in a mail, or by a passkey; an address is confirmed by a code."""

from project import env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "apps.accounts.roles.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "apps.accounts.passwords.StrengthValidator"}]
# Have I Been Pwned's list, ordered by hash; without it, what leaked and is not common besides is not known here.
BREACHED_PASSWORDS_FILE = env.text("CAUSERIE_BREACHED_PASSWORDS", "")
SIGNUP_REFUSE_DISPOSABLE = env.flag("CAUSERIE_REFUSE_DISPOSABLE_MAIL", default=True)
SIGNUP_ALLOWED_DOMAINS = env.words("CAUSERIE_SIGNUP_ALLOWED_DOMAINS")
SIGNUP_REFUSED_DOMAINS = env.words("CAUSERIE_SIGNUP_REFUSED_DOMAINS")
SIGNUPS_PER_HOUR = env.integer("CAUSERIE_SIGNUPS_PER_HOUR", 1000)
SIGNUPS_PER_HOUR_NEARBY = env.integer("CAUSERIE_SIGNUPS_PER_HOUR_NEARBY", 30)
# Whoever tries without an account, where the catalogue's guest plan gives messages.
GUESTS_PER_HOUR_NEARBY = env.integer("CAUSERIE_GUESTS_PER_HOUR_NEARBY", 20)
GUEST_MESSAGES_PER_ADDRESS = env.integer("CAUSERIE_GUEST_MESSAGES_PER_ADDRESS", 40)
GUEST_COST_MICRO_PER_DAY = env.integer("CAUSERIE_GUEST_COST_MICRO_PER_DAY", 5_000_000)
GUESTS_KEPT_DAYS = env.integer("CAUSERIE_GUESTS_KEPT_DAYS", 14, least=1)
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"signup": "apps.accounts.forms.SignUpForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = {"change_address": "5/h/user", "send_proof": "10/h/user"}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
# A client's address is the connection's, unless so many proxies of ours stand before us and each adds one.
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer("CAUSERIE_TRUSTED_PROXIES", 0, least=0)
LOGIN_REDIRECT_URL = "/chat/"
LOGIN_URL = "account_login"
