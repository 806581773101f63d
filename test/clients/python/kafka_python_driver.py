"""kafka-python: the client written in Python from top to bottom. Its producer is idempotent unless told otherwise."""

import sys
import time

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import BrokerResponseError

from remote import pack_record, serve, unpack

NOTHING_MORE_SECONDS = 10
CLASSIC_ALONE = "kafka-python has the classic protocol alone"


class ConfigRefused(Exception):
    """alter_configs raises nothing; it returns the broker's words."""


class Driver:
    client = "kafka-python"
    version = kafka.__version__
    cannot = {
        "group-consumer-leaves": CLASSIC_ALONE,
        "group-consumer-dies": CLASSIC_ALONE,
        "group-consumer-static": CLASSIC_ALONE,
    }

    def __init__(self, brokers):
        self.brokers = brokers
        self.admin = None
        self.producers = {}

    def _admin(self):
        if self.admin is None:
            self.admin = KafkaAdminClient(bootstrap_servers=self.brokers, client_id="kafka-python-suite")
        return self.admin

    def createTopic(self, name, partitions, configs):
        self._admin().create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}}, wait_for_metadata=True
        )

    def deleteTopic(self, name):
        self._admin().delete_topics([name])

    def createPartitions(self, topic, count):
        self._admin().create_partitions({topic: count})

    def listTopics(self):
        return self._admin().list_topics()

    def describeTopic(self, topic):
        [described] = self._admin().describe_topics([topic])
        return [
            {
                "partition": partition["partition_index"],
                "leader": partition["leader_id"],
                "replicas": partition["replica_nodes"],
                "inSync": partition["isr_nodes"],
            }
            for partition in described["partitions"]
        ]

    def describeCluster(self):
        cluster = self._admin().describe_cluster()
        brokers = [
            {"nodeId": broker["broker_id"], "host": broker["host"], "port": broker["port"]} for broker in cluster["brokers"]
        ]
        return {"clusterId": cluster["cluster_id"], "controllerId": cluster["controller_id"], "brokers": brokers}

    def topicConfigs(self, topic):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        described = self._admin().describe_configs([resource], include_synonyms=True, config_filter="all")
        return {name: config["value"] for name, config in described["topic"][topic].items()}

    def setTopicConfig(self, topic, key, value):
        result = self._admin().alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})])
        if result["topic"][topic] != "OK":
            raise ConfigRefused(result["topic"][topic])

    def deleteRecordsBefore(self, topic, partition, offset):
        self._admin().delete_records({TopicPartition(topic, partition): offset})

    def _producer(self, acks, codec, idempotent):
        kind = (acks, codec, idempotent)
        if kind not in self.producers:
            self.producers[kind] = KafkaProducer(
                bootstrap_servers=self.brokers,
                client_id="kafka-python-suite",
                acks=acks,
                compression_type=codec,
                enable_idempotence=idempotent,
                delivery_timeout_ms=40_000,
                linger_ms=5,
                max_request_size=4 * 1024 * 1024,
            )
        return self.producers[kind]

    def produce(self, topic, partition, records, acks, codec, idempotent):
        producer = self._producer(acks, codec, idempotent)
        sent = [
            producer.send(
                topic,
                partition=partition,
                key=unpack(record["key"]),
                value=unpack(record["value"]),
                headers=[(name, unpack(data)) for name, data in record["headers"]],
                timestamp_ms=record["timestampMs"],
            )
            for record in records
        ]
        producer.flush(timeout=60)
        for future in sent:
            future.get(timeout=10)

    def _consumer(self, fetch_wait_ms=500):
        return KafkaConsumer(
            bootstrap_servers=self.brokers,
            client_id="kafka-python-suite",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=fetch_wait_ms,
        )

    def read(self, topic, partition, offset, count, fetchWaitMs):
        consumer = self._consumer(fetchWaitMs)
        try:
            place = TopicPartition(topic, partition)
            consumer.assign([place])
            consumer.seek(place, offset)
            records = []
            deadline = time.monotonic() + NOTHING_MORE_SECONDS + fetchWaitMs / 1000
            while len(records) < count:
                for record in consumer.poll(timeout_ms=1_000).get(place, []):
                    deadline = time.monotonic() + NOTHING_MORE_SECONDS
                    records.append(pack_record(record.offset, record.timestamp, record.key, record.value, record.headers))
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nothing more came after {len(records)} of {count} records")
            return records[:count]
        finally:
            consumer.close(autocommit=False)

    def consume(self, group, topic, count):
        consumer = KafkaConsumer(
            topic,
            bootstrap_servers=self.brokers,
            client_id="kafka-python-suite",
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=1,
        )
        try:
            places = []
            deadline = time.monotonic() + NOTHING_MORE_SECONDS + 10
            while len(places) < count:
                for records in consumer.poll(timeout_ms=1_000).values():
                    for record in records:
                        deadline = time.monotonic() + NOTHING_MORE_SECONDS
                        places.append({"partition": record.partition, "offset": record.offset})
                    consumer.commit()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nothing more came after {len(places)} of {count} records")
            return places
        finally:
            consumer.close(autocommit=False)

    def offset(self, topic, partition, at, timestampMs):
        consumer = self._consumer()
        try:
            place = TopicPartition(topic, partition)
            if at == "earliest":
                return consumer.beginning_offsets([place])[place]
            if at == "latest":
                return consumer.end_offsets([place])[place]
            found = consumer.offsets_for_times({place: timestampMs})[place]
            return -1 if found is None else found.offset
        finally:
            consumer.close(autocommit=False)

    def close(self):
        for producer in self.producers.values():
            producer.close()
        if self.admin is not None:
            self.admin.close()


def error_code(error):
    if isinstance(error, BrokerResponseError):
        return error.errno
    if isinstance(error, ConfigRefused) and "[Error 40]" in str(error):
        return 40
    return None


serve(Driver(sys.argv[1]), error_code)
