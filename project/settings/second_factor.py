"""What proves a person beside their password: codes of an app, passkeys, recovery codes."""

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Causerie"
