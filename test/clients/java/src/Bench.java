// What all levels work with: clients with bounded waits, topics with names of this run, and data that follows from an
// index.
// Knows nothing of what is checked.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Bench {
    /** Bound of every wait for one answer or one batch of records. */
    static final Duration WAIT = Duration.ofSeconds(20);

    final Admin admin;
    private final String brokers;
    private final String run = Long.toString(System.currentTimeMillis(), 36);

    Bench(String brokers, Admin admin) {
        this.brokers = brokers;
        this.admin = admin;
    }

    /**
     * A topic or group name that no other run uses, so that suites can share a broker and be
     * repeated.
     */
    String name(String what) {
        return "java-" + run + "-" + what;
    }

    String topic(String what, int partitions, Map<String, String> configs) throws Exception {
        String name = name(what);
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
                .all()
                .get(WAIT.toSeconds(), TimeUnit.SECONDS);
        known(name, partitions);
        return name;
    }

    /** Waits until metadata has the topic: the controller answers before every broker has heard of it. */
    void known(String topic, int partitions) throws InterruptedException {
        eventually(topic + " is in metadata", () -> {
            try {
                var found =
                        admin.describeTopics(List.of(topic)).topicNameValues().get(topic);
                return found.get(WAIT.toSeconds(), TimeUnit.SECONDS)
                                .partitions()
                                .size()
                        == partitions;
            } catch (ExecutionException unknown) {
                return false;
            } catch (InterruptedException | TimeoutException failed) {
                throw new IllegalStateException(failed);
            }
        });
    }

    String topic(String what, int partitions) throws Exception {
        return topic(what, partitions, Map.of());
    }

    /**
     * The library's own defaults, so with idempotence, acks=all and five requests in flight, unless
     * told otherwise.
     */
    Producer<byte[], byte[]> producer(Map<String, Object> configs) {
        Map<String, Object> all = new HashMap<>(Map.of(
                "bootstrap.servers",
                brokers,
                "linger.ms",
                5,
                "max.block.ms",
                15_000,
                "request.timeout.ms",
                10_000,
                "delivery.timeout.ms",
                20_000));
        all.putAll(configs);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /**
     * Without a group, unless told otherwise; starts at the first record where nothing else says
     * where.
     */
    Consumer<byte[], byte[]> consumer(Map<String, Object> configs) {
        Map<String, Object> all = new HashMap<>(Map.of(
                "bootstrap.servers",
                brokers,
                "enable.auto.commit",
                false,
                "auto.offset.reset",
                "earliest",
                "request.timeout.ms",
                10_000,
                "default.api.timeout.ms",
                15_000,
                "fetch.max.wait.ms",
                100));
        all.putAll(configs);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static byte[] key(int index) {
        return ("key-" + index).getBytes(StandardCharsets.UTF_8);
    }

    /** "value-INDEX-" and then up to 199 bytes that follow from the index. */
    static byte[] value(int index) {
        byte[] start = ("value-" + index + "-").getBytes(StandardCharsets.UTF_8);
        byte[] value = java.util.Arrays.copyOf(start, start.length + index % 200);
        for (int at = start.length; at < value.length; at++) value[at] = (byte) (index * 31 + at);
        return value;
    }

    static byte[] bytes(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at++) bytes[at] = (byte) (seed * 7 + at * 13 + (at >> 8));
        return bytes;
    }

    static ProducerRecord<byte[], byte[]> record(String topic, int index) {
        return new ProducerRecord<>(topic, 0, key(index), value(index));
    }

    /** Sends records of the indexes from (inclusive) to (exclusive) and waits for every answer. */
    List<RecordMetadata> send(Producer<byte[], byte[]> producer, String topic, int partition, int from, int to)
            throws Exception {
        List<Future<RecordMetadata>> pending = new ArrayList<>(to - from);
        for (int index = from; index < to; index++)
            pending.add(producer.send(new ProducerRecord<>(topic, partition, key(index), value(index))));
        producer.flush();
        List<RecordMetadata> answers = new ArrayList<>(pending.size());
        for (Future<RecordMetadata> answer : pending) answers.add(answer.get(WAIT.toSeconds(), TimeUnit.SECONDS));
        return answers;
    }

    /** Fills a partition with the records of the indexes 0 to count - 1. */
    void fill(String topic, int partition, int count) throws Exception {
        try (Producer<byte[], byte[]> producer = producer(Map.of())) {
            send(producer, topic, partition, 0, count);
        }
    }

    /** What ListOffsets answers to an administrator; -1 when there is no such offset. */
    long offset(TopicPartition at, OffsetSpec which) throws Exception {
        return admin.listOffsets(Map.of(at, which)).partitionResult(at).get().offset();
    }

    RecordMetadata sendOne(Producer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record) throws Exception {
        return producer.send(record).get(WAIT.toSeconds(), TimeUnit.SECONDS);
    }

    /** Reads `count` records of one partition from its first on, by assignment. */
    List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, int count) {
        return read(topic, partition, 0, count, Map.of());
    }

    List<ConsumerRecord<byte[], byte[]>> read(
            String topic, int partition, long from, int count, Map<String, Object> configs) {
        try (Consumer<byte[], byte[]> consumer = consumer(configs)) {
            TopicPartition at = new TopicPartition(topic, partition);
            consumer.assign(List.of(at));
            if (from == 0) consumer.seekToBeginning(List.of(at));
            else consumer.seek(at, from);
            return poll(consumer, count);
        }
    }

    /** Polls until there are `count` records; one more empty poll shows that there are no others. */
    static List<ConsumerRecord<byte[], byte[]>> poll(Consumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(count);
        long end = System.nanoTime() + WAIT.toNanos();
        while (records.size() < count && System.nanoTime() < end)
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        consumer.poll(Duration.ofMillis(150)).forEach(records::add);
        Expect.equal(count, records.size(), "the number of records read");
        return records;
    }

    /**
     * The records are those of the indexes from `first` on, at offsets that start at `base` and have
     * no gaps.
     */
    static void expectRun(List<ConsumerRecord<byte[], byte[]>> records, long base, int first) {
        for (int at = 0; at < records.size(); at++) {
            ConsumerRecord<byte[], byte[]> record = records.get(at);
            Expect.equal(base + at, record.offset(), "the offset of record " + at);
            Expect.sameBytes(key(first + at), record.key(), "the key at offset " + record.offset());
            Expect.sameBytes(value(first + at), record.value(), "the value at offset " + record.offset());
        }
    }

    /**
     * Waits for what the broker promises soon but not in its answer, such as a topic's deletion to
     * reach metadata.
     */
    static void eventually(String what, BooleanSupplier holds) throws InterruptedException {
        long end = System.nanoTime() + WAIT.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end)
                throw new AssertionError("after " + WAIT.toSeconds() + " s still not: " + what);
            Thread.sleep(25);
        }
    }
}
