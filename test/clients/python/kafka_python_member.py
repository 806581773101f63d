"""A group member on kafka-python; see ../member.ts. It reads and commits; there is no chain of it."""

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError

from member import Leaving, member_order, tell_assigned, tell_committed, tell_read, tell_trouble

order = member_order()
leaving = Leaving()
assignor = CooperativeStickyAssignor if order.assignor == "cooperative" else RoundRobinPartitionAssignor
consumer = KafkaConsumer(
    bootstrap_servers=order.brokers,
    client_id="kafka-python-member",
    group_id=order.group,
    group_instance_id=order.instance_id,
    enable_auto_commit=False,
    auto_offset_reset="earliest",
    session_timeout_ms=order.session_timeout_ms,
    heartbeat_interval_ms=200,
    fetch_max_wait_ms=200,
    partition_assignment_strategy=(assignor,),
)


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        tell_assigned(place.partition for place in consumer.assignment() - set(revoked))

    def on_partitions_assigned(self, _assigned):
        tell_assigned(place.partition for place in consumer.assignment())


# kafka-python 3.0.12 joins before it has its topic's metadata unless it is made to wait, and a leader joins again when they come;
# the answer to such a second join it loses when a poll ends at the wrong moment (docs/decisions/client-suites.md). Metadata
# count once there is a subscription, so it waits here and not before; topics() is what fetches them and returns when they are there.
consumer.subscribe([order.topic], listener=Listener())
consumer.topics()
while not leaving:
    try:
        found = consumer.poll(timeout_ms=100, max_records=200)
        for place, records in found.items():
            tell_read([(place.partition, record.offset) for record in records])
        if not found:
            continue
        positions = {place: OffsetAndMetadata(records[-1].offset + 1, "", -1) for place, records in found.items()}
        consumer.commit(positions)
        for place, position in positions.items():
            tell_committed(place.partition, position.offset)
    except KafkaError as error:
        tell_trouble(error)
consumer.close(autocommit=False)
