// Level 2, administration beyond making topics: settings that change while records lie there, and the log's start moved
// on.
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordTooLargeException;

final class Settings {
    private Settings() {}

    static void run(Report report, Bench bench) {
        report.check("a topic's settings are set, appended to, subtracted from and deleted one by one", () -> {
            ConfigResource topic = new ConfigResource(
                    ConfigResource.Type.TOPIC, bench.topic("altered", 1, Map.of("segment.ms", "7200000")));
            alter(
                    bench,
                    topic,
                    false,
                    op("retention.ms", "3600000", OpType.SET),
                    op("cleanup.policy", "compact", OpType.APPEND),
                    op("segment.ms", "", OpType.DELETE));
            Bench.eventually("the settings are changed", () -> "3600000".equals(value(bench, topic, "retention.ms")));
            Expect.equal("delete,compact", value(bench, topic, "cleanup.policy"), "cleanup.policy");
            Expect.equal("604800000", value(bench, topic, "segment.ms"), "segment.ms");
            alter(bench, topic, false, op("cleanup.policy", "delete", OpType.SUBTRACT));
            Bench.eventually("a list is shorter", () -> "compact".equals(value(bench, topic, "cleanup.policy")));
        });

        report.check("invalid settings are refused, and a change that is only validated changes nothing", () -> {
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, bench.topic("unaltered", 1));
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> alter(bench, topic, false, op("retention.ms", "soon", OpType.SET)));
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> alter(bench, topic, false, op("no.such.setting", "1", OpType.SET)));
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> alter(bench, topic, true, op("retention.ms", "soon", OpType.SET)));
            alter(bench, topic, true, op("retention.ms", "3600000", OpType.SET));
            Expect.equal("604800000", value(bench, topic, "retention.ms"), "retention.ms");
        });

        report.check("a changed max.message.bytes holds for the next record", () -> {
            String name = bench.topic("tightened", 1);
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                bench.sendOne(producer, new ProducerRecord<>(name, 0, Bench.key(0), Bench.bytes(20_000, 0)));
                alter(bench, topic, false, op("max.message.bytes", "10000", OpType.SET));
                Bench.eventually(
                        "the setting is changed", () -> "10000".equals(value(bench, topic, "max.message.bytes")));
                Expect.refused(
                        RecordTooLargeException.class,
                        () -> bench.sendOne(
                                producer, new ProducerRecord<>(name, 0, Bench.key(1), Bench.bytes(20_000, 0))));
            }
        });
    }

    /** Level 3. */
    static void trim(Report report, Bench bench) {
        report.check("records before an offset are deleted, and offsets go on from where they were", () -> {
            String topic = bench.topic("trimmed", 1);
            TopicPartition at = new TopicPartition(topic, 0);
            bench.fill(topic, 0, 100);
            Expect.equal(40L, deleteBefore(bench, at, 40), "the low watermark");
            Expect.equal(40L, bench.offset(at, OffsetSpec.earliest()), "the earliest offset");
            Bench.expectRun(bench.read(topic, 0, 60), 40, 40);
            Expect.refused(OffsetOutOfRangeException.class, () -> deleteBefore(bench, at, 101));
            Expect.equal(100L, deleteBefore(bench, at, -1), "the low watermark when all is deleted");
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                Expect.equal(
                        100L, bench.sendOne(producer, Bench.record(topic, 0)).offset(), "the next offset");
            }
        });
    }

    /** Answers the log's start after the deletion. */
    private static long deleteBefore(Bench bench, TopicPartition at, long offset) throws Exception {
        return bench.admin
                .deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(offset)))
                .lowWatermarks()
                .get(at)
                .get()
                .lowWatermark();
    }

    private static AlterConfigOp op(String name, String value, OpType how) {
        return new AlterConfigOp(new ConfigEntry(name, value), how);
    }

    private static void alter(Bench bench, ConfigResource topic, boolean validateOnly, AlterConfigOp... changes)
            throws Exception {
        Map<ConfigResource, Collection<AlterConfigOp>> all = Map.of(topic, List.of(changes));
        bench.admin
                .incrementalAlterConfigs(all, new AlterConfigsOptions().validateOnly(validateOnly))
                .all()
                .get();
    }

    private static String value(Bench bench, ConfigResource topic, String name) {
        try {
            return bench.admin
                    .describeConfigs(List.of(topic))
                    .all()
                    .get()
                    .get(topic)
                    .get(name)
                    .value();
        } catch (Exception failed) {
            throw new IllegalStateException(failed);
        }
    }
}
