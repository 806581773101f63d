// Level 1: topics are created, records go in and come back the same, offsets and metadata tell the truth.
// No consumer group, no idempotence, no compression: the least that makes a broker.
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

final class FirstLight {
    private static final int COUNT = 20_000;

    private FirstLight() {}

    /** False when not even a topic could be made: then each further check would only wait in vain. */
    static boolean run(Report report, Bench bench) {
        String one = bench.name("first-light-1");
        String three = bench.name("first-light-3");
        Map<String, Object> plain = Map.of("acks", "all", "enable.idempotence", false);

        report.check("the admin client creates a topic with one partition and a topic with three", () -> {
            List<NewTopic> topics = List.of(new NewTopic(one, 1, (short) 1), new NewTopic(three, 3, (short) 1));
            bench.admin.createTopics(topics).all().get();
            bench.known(one, 1);
            bench.known(three, 3);
        });
        if (report.failed() > 0) return false;

        report.check("metadata lists both topics with every partition and its leader", () -> {
            try (Consumer<byte[], byte[]> consumer = bench.consumer(Map.of())) {
                Map<String, List<PartitionInfo>> topics = consumer.listTopics();
                for (Map.Entry<String, Integer> expected :
                        Map.of(one, 1, three, 3).entrySet()) {
                    List<PartitionInfo> partitions = topics.get(expected.getKey());
                    Expect.that(partitions != null, expected.getKey() + " is not listed");
                    Expect.equal(expected.getValue(), partitions.size(), "the number of partitions");
                    for (PartitionInfo partition : partitions) {
                        Expect.that(
                                partition.leader() != null && partition.leader().port() > 0,
                                partition + " has no leader");
                        Expect.equal(1, partition.inSyncReplicas().length, "the number of in-sync replicas");
                    }
                }
            }
        });

        report.check("20,000 records with acks=all are acknowledged at contiguous offsets", () -> {
            try (Producer<byte[], byte[]> producer = bench.producer(plain)) {
                long next = 0;
                for (RecordMetadata answer : bench.send(producer, one, 0, 0, COUNT))
                    Expect.equal(next++, answer.offset(), "the acknowledged offset");
            }
        });

        report.check(
                "20,000 records read by assignment come back byte for byte, in order, at contiguous offsets",
                () -> Bench.expectRun(bench.read(one, 0, COUNT), 0, 0));

        report.check("records sent to each of three partitions come back from that partition", () -> {
            try (Producer<byte[], byte[]> producer = bench.producer(plain)) {
                for (int partition = 0; partition < 3; partition++)
                    bench.send(producer, three, partition, partition * 1000, partition * 1000 + 500);
            }
            for (int partition = 0; partition < 3; partition++)
                Bench.expectRun(bench.read(three, partition, 500), 0, partition * 1000);
        });

        report.check("one consumer reads three partitions at once", () -> {
            try (Consumer<byte[], byte[]> consumer = bench.consumer(Map.of())) {
                consumer.assign(List.of(
                        new TopicPartition(three, 0), new TopicPartition(three, 1), new TopicPartition(three, 2)));
                Map<Integer, Long> next = new HashMap<>();
                for (var record : Bench.poll(consumer, 1500)) {
                    Expect.equal(
                            next.getOrDefault(record.partition(), 0L),
                            record.offset(),
                            "the offset in partition " + record.partition());
                    Expect.sameBytes(
                            Bench.value(record.partition() * 1000 + (int) record.offset()),
                            record.value(),
                            "the value");
                    next.put(record.partition(), record.offset() + 1);
                }
            }
        });

        report.check("earliest and latest offsets are those of the log", () -> {
            try (Consumer<byte[], byte[]> consumer = bench.consumer(Map.of())) {
                List<TopicPartition> all =
                        List.of(new TopicPartition(one, 0), new TopicPartition(three, 0), new TopicPartition(three, 2));
                Map<TopicPartition, Long> begins = consumer.beginningOffsets(all);
                Expect.equal(List.of(0L, 0L, 0L), all.stream().map(begins::get).toList(), "the earliest offsets");
                Map<TopicPartition, Long> ends = consumer.endOffsets(all);
                Expect.equal(
                        List.of((long) COUNT, 500L, 500L),
                        all.stream().map(ends::get).toList(),
                        "the latest offsets");
            }
        });
        return true;
    }
}
