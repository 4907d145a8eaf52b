"""Keys that sort by the time they were made (UUIDv7), so that new rows lie together."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A new key."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
