"""The people of the tests. Mallory must see nothing that is not hers."""

from tests import build


def ana(**fields):
    """Free, curious."""
    return build.person(email="ana@example.org", name="Ana", **fields)


def ben(**fields):
    """Pays for Premium where a test says so."""
    return build.person(email="ben@example.org", name="Ben", **fields)


def mallory():
    """Signed in, and not to be trusted."""
    return build.person(email="mallory@example.org", name="Mallory")


def dana():
    """Staff."""
    return build.person(email="dana@example.org", name="Dana", is_staff=True, is_superuser=True, role="admin")
