"""confluent-kafka: librdkafka as it is now (kcat brings the one of Debian), called from Python."""

import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

from remote import pack_record, serve, unpack

NOTHING_MORE_SECONDS = 10
REQUEST_SECONDS = 30


def only(futures):
    """The one answer of an admin call about one thing."""
    [future] = futures.values()
    return future.result(timeout=REQUEST_SECONDS)


class Driver:
    client = "confluent-kafka"
    version = f"{confluent_kafka.version()}+librdkafka-{confluent_kafka.libversion()[0]}".replace("'", "")
    cannot = {}

    def __init__(self, brokers):
        self.base = {"bootstrap.servers": brokers, "client.id": "librdkafka-python-suite"}
        self.admin = AdminClient(self.base)
        self.producers = {}

    def createTopic(self, name, partitions, configs):
        only(self.admin.create_topics([NewTopic(name, partitions, 1, config=configs)], operation_timeout=REQUEST_SECONDS))

    def deleteTopic(self, name):
        only(self.admin.delete_topics([name], operation_timeout=REQUEST_SECONDS))

    def createPartitions(self, topic, count):
        only(self.admin.create_partitions([NewPartitions(topic, count)], operation_timeout=REQUEST_SECONDS))

    def listTopics(self):
        return list(self.admin.list_topics(timeout=REQUEST_SECONDS).topics)

    def describeTopic(self, topic):
        partitions = self.admin.list_topics(topic, timeout=REQUEST_SECONDS).topics[topic].partitions
        return [
            {"partition": number, "leader": partition.leader, "replicas": partition.replicas, "inSync": partition.isrs}
            for number, partition in partitions.items()
        ]

    def describeCluster(self):
        cluster = self.admin.describe_cluster(request_timeout=REQUEST_SECONDS).result()
        brokers = [{"nodeId": node.id, "host": node.host, "port": node.port} for node in cluster.nodes]
        return {"clusterId": cluster.cluster_id, "controllerId": cluster.controller.id, "brokers": brokers}

    def topicConfigs(self, topic):
        described = only(self.admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]))
        return {name: entry.value for name, entry in described.items()}

    def setTopicConfig(self, topic, key, value):
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        only(self.admin.incremental_alter_configs([resource]))

    def deleteRecordsBefore(self, topic, partition, offset):
        only(self.admin.delete_records([TopicPartition(topic, partition, offset)]))

    def _producer(self, acks, codec, idempotent):
        kind = (acks, codec, idempotent)
        if kind not in self.producers:
            self.producers[kind] = Producer(
                {
                    **self.base,
                    "acks": acks,
                    "compression.type": codec or "none",
                    "enable.idempotence": idempotent,
                    "linger.ms": 5,
                    "message.max.bytes": 4 * 1024 * 1024,
                    "queue.buffering.max.messages": 200_000,
                }
            )
        return self.producers[kind]

    def produce(self, topic, partition, records, acks, codec, idempotent):
        producer = self._producer(acks, codec, idempotent)
        failures = []

        def delivered(error, _message):
            if error is not None:
                failures.append(error)

        for record in records:
            timestamp = {} if record["timestampMs"] is None else {"timestamp": record["timestampMs"]}
            producer.produce(
                topic,
                partition=partition,
                key=unpack(record["key"]),
                value=unpack(record["value"]),
                headers=[(name, unpack(data)) for name, data in record["headers"]],
                on_delivery=delivered,
                **timestamp,
            )
        left = producer.flush(60)
        if failures:
            raise KafkaException(failures[0])
        if left > 0:
            raise TimeoutError(f"{left} records were not acknowledged")

    def _consumer(self, fetch_wait_ms=500):
        return Consumer(
            {
                **self.base,
                "group.id": "never-joined",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": fetch_wait_ms,
            }
        )

    def read(self, topic, partition, offset, count, fetchWaitMs):
        consumer = self._consumer(fetchWaitMs)
        try:
            consumer.assign([TopicPartition(topic, partition, offset)])
            records = []
            deadline = time.monotonic() + NOTHING_MORE_SECONDS + fetchWaitMs / 1000
            while len(records) < count:
                for message in consumer.consume(num_messages=min(10_000, count - len(records)), timeout=1.0):
                    if message.error() is not None:
                        raise KafkaException(message.error())
                    deadline = time.monotonic() + NOTHING_MORE_SECONDS
                    headers = message.headers() or []
                    records.append(
                        pack_record(message.offset(), message.timestamp()[1], message.key(), message.value(), headers)
                    )
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nothing more came after {len(records)} of {count} records")
            return records
        finally:
            consumer.close()

    def consume(self, group, topic, count):
        consumer = Consumer(
            {**self.base, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        )
        try:
            consumer.subscribe([topic])
            places = []
            deadline = time.monotonic() + NOTHING_MORE_SECONDS + 10
            while len(places) < count:
                message = consumer.poll(1.0)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nothing more came after {len(places)} of {count} records")
                if message is None:
                    continue
                if message.error() is not None:
                    raise KafkaException(message.error())
                deadline = time.monotonic() + NOTHING_MORE_SECONDS
                places.append({"partition": message.partition(), "offset": message.offset()})
                consumer.commit(message, asynchronous=False)
            return places
        finally:
            consumer.close()

    def offset(self, topic, partition, at, timestampMs):
        consumer = self._consumer()
        try:
            if at == "timestamp":
                place = TopicPartition(topic, partition, timestampMs)
                return consumer.offsets_for_times([place], timeout=REQUEST_SECONDS)[0].offset
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=REQUEST_SECONDS, cached=False)
            return low if at == "earliest" else high
        finally:
            consumer.close()

    def close(self):
        for producer in self.producers.values():
            producer.flush(10)


def error_code(error):
    """librdkafka's own errors are negative; Kafka's are as on the wire."""
    if not isinstance(error, KafkaException):
        return None
    code = error.args[0].code()
    if code == confluent_kafka.KafkaError._AUTO_OFFSET_RESET and "out of range" in error.args[0].str():
        return 1
    return code if code > 0 else None


serve(Driver(sys.argv[1]), error_code)
