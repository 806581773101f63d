"""A group member on confluent-kafka, that is, on librdkafka; see ../member.ts."""

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from member import Leaving, member_order, tell_assigned, tell_committed, tell_read, tell_trouble

MOST_AT_ONCE = 200

order = member_order()
leaving = Leaving()
owned = set()


def consumer_settings():
    settings = {
        "bootstrap.servers": order.brokers,
        "client.id": "librdkafka-member",
        "group.id": order.group,
        "group.protocol": order.protocol,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 200,
        "reconnect.backoff.max.ms": 500,
        "topic.metadata.refresh.interval.ms": 5000,
    }
    if order.instance_id is not None:
        settings["group.instance.id"] = order.instance_id
    if order.protocol == "classic":  # by the consumer protocol the broker sets the pace, and the library refuses these
        settings["session.timeout.ms"] = order.session_timeout_ms
        settings["heartbeat.interval.ms"] = 200
        settings["partition.assignment.strategy"] = "cooperative-sticky" if order.assignor == "cooperative" else "roundrobin"
    return settings


def incremental():
    return order.protocol == "consumer" or order.assignor == "cooperative"


def assigned(consumer, partitions):
    if incremental():
        consumer.incremental_assign(partitions)
    else:
        consumer.assign(partitions)
        owned.clear()
    owned.update(place.partition for place in partitions)
    tell_assigned(owned)


def revoked(consumer, partitions):
    if incremental():
        consumer.incremental_unassign(partitions)
    else:
        consumer.unassign()
    owned.difference_update(place.partition for place in partitions)
    tell_assigned(owned)


consumer = Consumer(consumer_settings())
producer = Producer({"bootstrap.servers": order.brokers, "client.id": "librdkafka-member", "acks": "all", "enable.idempotence": True})


def move(messages):
    """Waits until the broker has acknowledged all of them. When it refuses one, the member dies, and nothing is committed."""
    failures = []

    def delivered(error, _message):
        if error is not None:
            failures.append(error)

    for message in messages:
        producer.produce(order.to, message.value(), message.key(), message.partition(), on_delivery=delivered)
    if producer.flush(120) > 0:
        raise TimeoutError("records were not acknowledged")
    if failures:
        raise RuntimeError(failures[0])


consumer.subscribe([order.topic], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
while not leaving:
    try:
        messages = []
        for message in consumer.consume(MOST_AT_ONCE, 0.1):
            if message.error() is None:
                messages.append(message)
            else:
                tell_trouble(KafkaException(message.error()))
        if not messages:
            continue
        if order.to is not None:
            move(messages)
        tell_read([(message.partition(), message.offset()) for message in messages])
        positions = {message.partition(): message.offset() + 1 for message in messages}
        places = [TopicPartition(order.topic, partition, offset) for partition, offset in positions.items()]
        for place in consumer.commit(offsets=places, asynchronous=False):
            if place.error is not None:
                raise KafkaException(place.error)
            tell_committed(place.partition, place.offset)
    except KafkaException as error:
        # What was moved and not committed is read again by whoever owns the partition next.
        tell_trouble(error)
consumer.close()
