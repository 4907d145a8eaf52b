"""How the admin looks and what leads from it to the reports. The accent is that of every other page."""

HUE = 193
# weight → lightness in per cent, chroma
ACCENT = {
    "50": (97.5, 0.012), "100": (94.9, 0.021), "200": (90, 0.04), "300": (84.5, 0.08), "400": (78.5, 0.088),
    "500": (60, 0.09), "600": (48, 0.08), "700": (44.7, 0.076), "800": (38.5, 0.068), "900": (32, 0.055),
    "950": (24, 0.04),
}  # fmt: skip

UNFOLD = {
    "SITE_TITLE": "Causerie",
    "SITE_HEADER": "Causerie",
    "SITE_URL": "/",
    "BORDER_RADIUS": "10px",
    "COLORS": {"primary": {weight: f"oklch({light}% {chroma} {HUE})" for weight, (light, chroma) in ACCENT.items()}},
    "LOGIN": {"form": "apps.accounts.forms.StaffSignInForm"},
    "ENVIRONMENT": "project.demo.name_place",
    "SIDEBAR": {"navigation": "apps.reporting.navigation.list_groups"},
}
