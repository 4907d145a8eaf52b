from project import broker
from project.celery import app


def test_an_answer_that_ends_after_its_connection_broke_ends_no_worker():
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        assert isinstance(channel, broker.Channel)
        assert not channel.do_restore
    assert channel.closed
    channel.basic_ack("of a connection that is gone")
    channel.basic_reject("of a connection that is gone", requeue=True)
