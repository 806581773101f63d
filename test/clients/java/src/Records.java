// Level 2, what a record may be and how it may be sent: idempotence, codecs, headers, nulls, size, acks, timestamps.
// Every check writes with this library and reads with it, and compares bytes.
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;

final class Records {
    private static final byte[] EMPTY = {};

    private Records() {}

    static void run(Report report, Bench bench) {
        report.check("an idempotent producer's records arrive once and in order", () -> {
            String topic = bench.topic("idempotent", 1);
            // Small batches and five requests in flight: many sequences, all of which the broker must take in order.
            try (Producer<byte[], byte[]> producer =
                    bench.producer(Map.of("enable.idempotence", true, "batch.size", 4096, "linger.ms", 0))) {
                long next = 0;
                for (RecordMetadata answer : bench.send(producer, topic, 0, 0, 5000))
                    Expect.equal(next++, answer.offset(), "the acknowledged offset");
            }
            Bench.expectRun(bench.read(topic, 0, 5000), 0, 0);
        });

        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            report.check("records compressed with " + codec + " come back byte for byte", () -> {
                String topic = bench.topic("codec-" + codec, 1);
                try (Producer<byte[], byte[]> producer =
                        bench.producer(Map.of("compression.type", codec, "linger.ms", 20))) {
                    bench.send(producer, topic, 0, 0, 2000);
                }
                Bench.expectRun(bench.read(topic, 0, 2000), 0, 0);
            });
        }

        report.check("a topic with a compression.type of its own gives the same records back", () -> {
            for (String own : new String[] {"gzip", "zstd", "uncompressed"}) {
                String topic = bench.topic("recompressed-" + own, 1, Map.of("compression.type", own));
                try (Producer<byte[], byte[]> producer =
                        bench.producer(Map.of("compression.type", "lz4", "linger.ms", 20))) {
                    bench.send(producer, topic, 0, 0, 500);
                }
                Bench.expectRun(bench.read(topic, 0, 500), 0, 0);
            }
        });

        report.check("headers come back in order, with null values, empty values and repeated keys", () -> {
            String topic = bench.topic("headers", 1);
            List<Header> headers = List.of(
                    new RecordHeader("plain", "one".getBytes(StandardCharsets.UTF_8)),
                    new RecordHeader("null", (byte[]) null),
                    new RecordHeader("empty", EMPTY),
                    new RecordHeader("plain", Bench.bytes(300, 1)),
                    new RecordHeader("", EMPTY),
                    new RecordHeader("ключ-🔑", EMPTY));
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                bench.sendOne(producer, new ProducerRecord<>(topic, 0, null, Bench.key(0), Bench.value(0), headers));
                bench.sendOne(producer, new ProducerRecord<>(topic, 0, null, Bench.key(1), Bench.value(1), List.of()));
            }
            List<ConsumerRecord<byte[], byte[]>> records = bench.read(topic, 0, 2);
            Bench.expectRun(records, 0, 0);
            Header[] found = records.get(0).headers().toArray();
            Expect.equal(headers.size(), found.length, "the number of headers");
            for (int at = 0; at < found.length; at++) {
                Expect.equal(headers.get(at).key(), found[at].key(), "the key of header " + at);
                Expect.sameBytes(headers.get(at).value(), found[at].value(), "the value of header " + at);
            }
            Expect.equal(0, records.get(1).headers().toArray().length, "the number of headers of the plain record");
        });

        report.check("null keys, null values, empty keys and empty values stay what they are", () -> {
            String topic = bench.topic("nulls", 1);
            byte[][][] pairs = {
                {null, Bench.value(1)},
                {Bench.key(2), null},
                {null, null},
                {EMPTY, EMPTY},
                {Bench.key(4), EMPTY},
                {EMPTY, null},
                {null, EMPTY}
            };
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                for (byte[][] pair : pairs) producer.send(new ProducerRecord<>(topic, 0, pair[0], pair[1]));
            }
            List<ConsumerRecord<byte[], byte[]>> records = bench.read(topic, 0, pairs.length);
            for (int at = 0; at < pairs.length; at++) {
                Expect.sameBytes(pairs[at][0], records.get(at).key(), "the key at offset " + at);
                Expect.sameBytes(pairs[at][1], records.get(at).value(), "the value at offset " + at);
            }
        });

        report.check("values of 1 MiB come back byte for byte", () -> {
            String topic = bench.topic("large", 1, Map.of("max.message.bytes", "2097152"));
            int size = 1 << 20;
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of("max.request.size", 2 << 20))) {
                List<Future<RecordMetadata>> pending = new ArrayList<>();
                for (int index = 0; index < 5; index++)
                    pending.add(
                            producer.send(new ProducerRecord<>(topic, 0, Bench.key(index), Bench.bytes(size, index))));
                for (Future<RecordMetadata> answer : pending) answer.get(Bench.WAIT.toSeconds(), TimeUnit.SECONDS);
            }
            // The default limit of a partition's share of a fetch is 1 MiB, less than any of these batches.
            List<ConsumerRecord<byte[], byte[]>> records = bench.read(topic, 0, 5);
            for (int at = 0; at < 5; at++)
                Expect.sameBytes(Bench.bytes(size, at), records.get(at).value(), "the value at offset " + at);
        });

        for (String acks : new String[] {"0", "1", "all"}) {
            report.check("records sent with acks=" + acks + " are all there", () -> {
                String topic = bench.topic("acks-" + acks, 1);
                try (Producer<byte[], byte[]> producer =
                        bench.producer(Map.of("acks", acks, "enable.idempotence", false))) {
                    RecordMetadata last = bench.send(producer, topic, 0, 0, 500).get(499);
                    Expect.equal(acks.equals("0") ? -1L : 499L, last.offset(), "the last acknowledged offset");
                }
                Bench.expectRun(bench.read(topic, 0, 500), 0, 0);
            });
        }

        report.check("a record keeps the timestamp its producer gave it", () -> {
            String topic = bench.topic("create-time", 1);
            long given = System.currentTimeMillis() - 86_400_000;
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                Expect.equal(
                        given,
                        bench.sendOne(producer, new ProducerRecord<>(topic, 0, given, Bench.key(0), Bench.value(0)))
                                .timestamp(),
                        "the acknowledged timestamp");
            }
            ConsumerRecord<byte[], byte[]> record = bench.read(topic, 0, 1).get(0);
            Expect.equal(given, record.timestamp(), "the timestamp");
            Expect.equal(TimestampType.CREATE_TIME, record.timestampType(), "the timestamp's type");
        });

        report.check("a topic with LogAppendTime stamps records with the broker's time", () -> {
            String topic = bench.topic("append-time", 1, Map.of("message.timestamp.type", "LogAppendTime"));
            long before = System.currentTimeMillis();
            long acknowledged;
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of("compression.type", "lz4"))) {
                acknowledged = bench.sendOne(
                                producer,
                                new ProducerRecord<>(topic, 0, before - 86_400_000, Bench.key(0), Bench.value(0)))
                        .timestamp();
            }
            ConsumerRecord<byte[], byte[]> record = bench.read(topic, 0, 1).get(0);
            Expect.that(
                    record.timestamp() >= before - 1000 && record.timestamp() <= System.currentTimeMillis() + 1000,
                    "the timestamp is " + record.timestamp() + ", sent at " + before);
            Expect.equal(acknowledged, record.timestamp(), "the timestamp, against the acknowledged one,");
            Expect.equal(TimestampType.LOG_APPEND_TIME, record.timestampType(), "the timestamp's type");
            Bench.expectRun(List.of(record), 0, 0);
        });

        report.check("a topic that is produced to before it exists is created", () -> {
            String topic = bench.name("unheard-of");
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                for (int index = 0; index < 3; index++)
                    Expect.equal(
                            (long) index,
                            bench.sendOne(producer, Bench.record(topic, index)).offset(),
                            "the acknowledged offset");
            }
            Bench.expectRun(bench.read(topic, 0, 3), 0, 0);
        });
    }
}
