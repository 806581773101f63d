// Level 2, what a broker must not take from a producer, and with which error it says so.
import java.util.Map;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;

final class Refusals {
    private Refusals() {}

    static void run(Report report, Bench bench) {
        report.check("a record above max.message.bytes is refused as too large, and the next one is taken", () -> {
            String topic = bench.topic("too-large", 1, Map.of("max.message.bytes", "10000"));
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                Expect.refused(
                        RecordTooLargeException.class,
                        () -> bench.sendOne(
                                producer, new ProducerRecord<>(topic, 0, Bench.key(0), Bench.bytes(20_000, 0))));
                Expect.equal(
                        0L, bench.sendOne(producer, Bench.record(topic, 0)).offset(), "the offset of the next record");
            }
            String usual = bench.topic("too-large-by-default", 1);
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of("max.request.size", 4 << 20))) {
                Expect.refused(
                        RecordTooLargeException.class,
                        () -> bench.sendOne(
                                producer, new ProducerRecord<>(usual, 0, Bench.key(0), Bench.bytes(2 << 20, 0))));
            }
            Bench.expectRun(bench.read(topic, 0, 1), 0, 0);
        });

        report.check("a batch above max.message.bytes is split by its producer and arrives whole", () -> {
            String topic = bench.topic("split", 1, Map.of("max.message.bytes", "4000"));
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of("linger.ms", 50, "batch.size", 16384))) {
                bench.send(producer, topic, 0, 0, 300);
            }
            Bench.expectRun(bench.read(topic, 0, 300), 0, 0);
        });

        report.check("a timestamp too far ahead is refused", () -> {
            String topic = bench.topic("ahead", 1);
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                long ahead = System.currentTimeMillis() + 2 * 3_600_000;
                Expect.refused(
                        InvalidTimestampException.class,
                        () -> bench.sendOne(
                                producer, new ProducerRecord<>(topic, 0, ahead, Bench.key(0), Bench.value(0))));
            }
        });

        report.check("a record without a key is refused on a compacted topic", () -> {
            String topic = bench.topic("compacted", 1, Map.of("cleanup.policy", "compact"));
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                Expect.refused(
                        InvalidRecordException.class,
                        () -> bench.sendOne(producer, new ProducerRecord<>(topic, 0, null, Bench.value(0))));
                Expect.equal(
                        0L,
                        bench.sendOne(producer, Bench.record(topic, 0)).offset(),
                        "the offset of the record with a key");
            }
        });

        report.check("a record for a topic of an invalid name is refused", () -> {
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                Expect.refused(
                        InvalidTopicException.class,
                        () -> bench.sendOne(
                                producer, new ProducerRecord<>("no good", 0, Bench.key(0), Bench.value(0))));
            }
        });
    }
}
