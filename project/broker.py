"""Valkey as a broker that may be lost: jobs are nudges, so a message that cannot be given back is no loss."""

from kombu.transport import TRANSPORT_ALIASES, redis

NAME = "project.broker:Transport"


class Channel(redis.Channel):
    """A channel over a connection that may be gone.

    With kombu's own, a worker ends by an error in the middle of its answers: when the connection breaks it wants to
    give back what is in hand, and later to say that it is done, each over the connection that is gone. Our rows know
    better, and a sweeper finds what nobody works on.
    """

    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: FBT001, FBT002 kombu's own signature
        if not self.closed:
            super().basic_ack(delivery_tag, multiple=multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 kombu's own signature
        if not self.closed:
            super().basic_reject(delivery_tag, requeue=requeue)


class Transport(redis.Transport):
    """kombu's, with our channel."""

    Channel = Channel


def take_the_place_of_redis() -> None:
    """Let every broker address of Redis' protocol lead here."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = NAME
