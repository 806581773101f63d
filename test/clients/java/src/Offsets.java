// Level 2, where reading starts: offsets by timestamp, the middle of a log and of a batch, and offsets outside of it.
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

final class Offsets {
    private static final int COUNT = 1000;
    private static final int LATEST_AT = 600;

    private Offsets() {}

    static void run(Report report, Bench bench) {
        // An hour back, so that the largest of these timestamps lies in the past too.
        long start = System.currentTimeMillis() - 3_600_000;
        for (String codec : new String[] {"none", "zstd"}) {
            String how = codec.equals("none") ? "plain" : "compressed";
            report.check("offsets are found by timestamp, in " + how + " batches too", () -> {
                TopicPartition at = new TopicPartition(bench.topic("by-time-" + codec, 1), 0);
                try (Producer<byte[], byte[]> producer =
                        bench.producer(Map.of("compression.type", codec, "batch.size", 8192, "linger.ms", 20))) {
                    for (int index = 0; index < COUNT; index++) {
                        long time = index == LATEST_AT ? start + 1_000_000 : start + index * 10L;
                        producer.send(new ProducerRecord<>(at.topic(), 0, time, Bench.key(index), Bench.value(index)));
                    }
                }
                try (Consumer<byte[], byte[]> consumer = bench.consumer(Map.of())) {
                    for (int index : new int[] {0, 1, 2, 333, 599}) {
                        for (long early : new long[] {0, 5}) {
                            OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(at, start + index * 10L - early))
                                    .get(at);
                            Expect.equal(
                                    (long) index,
                                    found == null ? null : found.offset(),
                                    "the offset for the time of record " + index + " less " + early + " ms");
                            Expect.equal(start + index * 10L, found.timestamp(), "the timestamp found");
                        }
                    }
                    Expect.equal(
                            (long) LATEST_AT,
                            consumer.offsetsForTimes(Map.of(at, start + 999_999))
                                    .get(at)
                                    .offset(),
                            "the offset for the largest time but one");
                    Expect.equal(
                            null,
                            consumer.offsetsForTimes(Map.of(at, start + 1_000_001))
                                    .get(at),
                            "the answer for a time after all records");
                }
                ListOffsetsResultInfo largest = bench.admin
                        .listOffsets(Map.of(at, OffsetSpec.maxTimestamp()))
                        .partitionResult(at)
                        .get();
                Expect.equal((long) LATEST_AT, largest.offset(), "the offset of the largest timestamp");
                Expect.equal(start + 1_000_000, largest.timestamp(), "the largest timestamp");
                Expect.equal((long) COUNT, bench.offset(at, OffsetSpec.latest()), "the latest offset");
                Expect.equal(0L, bench.offset(at, OffsetSpec.earliest()), "the earliest offset");
            });
        }

        report.check("an empty partition has no offset for any timestamp", () -> {
            TopicPartition at = new TopicPartition(bench.topic("empty", 1), 0);
            Expect.equal(-1L, bench.offset(at, OffsetSpec.maxTimestamp()), "the offset of the largest timestamp");
            Expect.equal(-1L, bench.offset(at, OffsetSpec.forTimestamp(0)), "the offset for time 0");
            Expect.equal(0L, bench.offset(at, OffsetSpec.latest()), "the latest offset");
        });

        report.check("reading starts at the offset asked for, also inside a compressed batch", () -> {
            String topic = bench.topic("middle", 1);
            try (Producer<byte[], byte[]> producer =
                    bench.producer(Map.of("compression.type", "lz4", "linger.ms", 50))) {
                bench.send(producer, topic, 0, 0, 500);
            }
            for (int from : new int[] {1, 250, 499})
                Bench.expectRun(bench.read(topic, 0, from, 500 - from, Map.of()), from, from);
        });

        report.check("small fetches see every record", () -> {
            String topic = bench.topic("small-fetches", 1);
            bench.fill(topic, 0, 500);
            Bench.expectRun(
                    bench.read(
                            topic,
                            0,
                            0,
                            500,
                            Map.of("max.partition.fetch.bytes", 300, "fetch.max.bytes", 500, "max.poll.records", 7)),
                    0,
                    0);
        });

        report.check("a waiting fetch is answered when a record arrives", () -> {
            TopicPartition at = new TopicPartition(bench.topic("waiting", 1), 0);
            Consumer<byte[], byte[]> consumer = bench.consumer(Map.of("fetch.max.wait.ms", 8000));
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                consumer.assign(List.of(at));
                consumer.seek(at, 0);
                consumer.poll(Duration.ofMillis(300)); // the fetch is on its way now and has nothing to return
                bench.sendOne(producer, new ProducerRecord<>(at.topic(), 0, Bench.key(0), Bench.value(0)));
                List<ConsumerRecord<byte[], byte[]>> records =
                        consumer.poll(Duration.ofSeconds(4)).records(at);
                Expect.equal(1, records.size(), "the number of records within 4 s of their arrival");
                Bench.expectRun(records, 0, 0);
            } finally {
                // With time to close in, the client would first wait for the fetch it has sent meanwhile.
                consumer.close(CloseOptions.timeout(Duration.ZERO));
            }
        });

        report.check("reading beyond the end is out of range, or starts over where the client is told to reset", () -> {
            String topic = bench.topic("beyond", 1);
            bench.fill(topic, 0, 10);
            Expect.refused(
                    OffsetOutOfRangeException.class,
                    () -> bench.read(topic, 0, 1000, 1, Map.of("auto.offset.reset", "none")));
            Bench.expectRun(bench.read(topic, 0, 1000, 10, Map.of("auto.offset.reset", "earliest")), 0, 0);
            Expect.equal(
                    0,
                    bench.read(topic, 0, 1000, 0, Map.of("auto.offset.reset", "latest"))
                            .size(),
                    "the number of records after a reset to the end");
        });
    }
}
