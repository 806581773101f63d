// Level 2, topic administration: create, list, describe, grow, delete, the cluster, and what must be refused.
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

final class Topics {
    private Topics() {}

    static void run(Report report, Bench bench) {
        report.check("the cluster is described with its id, its controller and its nodes", () -> {
            DescribeClusterResult cluster = bench.admin.describeCluster();
            Expect.that(!cluster.clusterId().get().isEmpty(), "the cluster id is empty");
            List<Node> nodes = List.copyOf(cluster.nodes().get());
            Expect.equal(1, nodes.size(), "the number of nodes");
            Expect.that(nodes.get(0).port() > 0 && !nodes.get(0).host().isEmpty(), nodes.get(0) + " has no address");
            Expect.equal(nodes.get(0).id(), cluster.controller().get().id(), "the controller's id");
        });

        report.check("a created topic is answered with its id, its size and its settings", () -> {
            String topic = bench.name("answered");
            CreateTopicsResult created = bench.admin.createTopics(List.of(
                    new NewTopic(topic, Optional.of(2), Optional.empty()).configs(Map.of("retention.ms", "1234567"))));
            Expect.that(!created.topicId(topic).get().equals(Uuid.ZERO_UUID), "the topic id is zero");
            Expect.equal(2, created.numPartitions(topic).get(), "the number of partitions");
            Expect.equal(1, created.replicationFactor(topic).get(), "the replication factor");
            Expect.equal(
                    "1234567", created.config(topic).get().get("retention.ms").value(), "retention.ms");
            Expect.equal(
                    "delete", created.config(topic).get().get("cleanup.policy").value(), "cleanup.policy");
        });

        report.check("a topic whose size is left to the broker is created", () -> {
            String topic = bench.name("by-default");
            CreateTopicsResult created =
                    bench.admin.createTopics(List.of(new NewTopic(topic, Optional.empty(), Optional.empty())));
            Expect.that(created.numPartitions(topic).get() >= 1, "no partitions");
        });

        report.check("a topic with assigned replicas is created", () -> {
            int node = List.copyOf(bench.admin.describeCluster().nodes().get())
                    .get(0)
                    .id();
            String topic = bench.name("assigned");
            bench.admin
                    .createTopics(List.of(new NewTopic(topic, Map.of(0, List.of(node), 1, List.of(node)))))
                    .all()
                    .get();
            bench.known(topic, 2);
        });

        report.check("topics are listed by name, internal ones only when asked for", () -> {
            String topic = bench.topic("listed", 1);
            Bench.eventually(
                    "the new topic is listed", () -> names(bench, false).contains(topic));
            Expect.that(names(bench, true).contains(topic), "not listed together with the internal ones");
            Expect.that(!names(bench, false).contains("__consumer_offsets"), "an internal topic is listed unasked");
        });

        report.check("a topic is described by name, a page of partitions at a time, and by id", () -> {
            String topic = bench.topic("described", 7);
            // With a page smaller than the topic DescribeTopicPartitions has to go on from its cursor (KIP-966).
            TopicDescription byName = bench.admin
                    .describeTopics(List.of(topic), new DescribeTopicsOptions().partitionSizeLimitPerResponse(3))
                    .topicNameValues()
                    .get(topic)
                    .get();
            TopicDescription byId = bench.admin
                    .describeTopics(TopicCollection.ofTopicIds(List.of(byName.topicId())))
                    .topicIdValues()
                    .get(byName.topicId())
                    .get();
            for (TopicDescription found : List.of(byName, byId)) {
                Expect.equal(topic, found.name(), "the name");
                Expect.equal(byName.topicId(), found.topicId(), "the id");
                Expect.that(!found.isInternal(), "the topic is internal");
                List<Integer> partitions = new ArrayList<>();
                for (TopicPartitionInfo partition : found.partitions()) {
                    partitions.add(partition.partition());
                    Expect.that(partition.leader() != null, partition + " has no leader");
                    Expect.equal(List.of(partition.leader()), partition.replicas(), "the replicas");
                    Expect.equal(List.of(partition.leader()), partition.isr(), "the in-sync replicas");
                }
                Expect.equal(List.of(0, 1, 2, 3, 4, 5, 6), partitions, "the partitions");
            }
        });

        report.check("a topic that is not there is refused as unknown, by name and by id", () -> {
            Expect.refused(UnknownTopicOrPartitionException.class, () -> describe(bench, bench.name("missing")));
            Uuid missing = Uuid.randomUuid();
            Expect.refused(UnknownTopicIdException.class, () -> bench.admin
                    .describeTopics(TopicCollection.ofTopicIds(List.of(missing)))
                    .topicIdValues()
                    .get(missing)
                    .get());
            Expect.refused(UnknownTopicOrPartitionException.class, () -> bench.admin
                    .deleteTopics(List.of(bench.name("missing")))
                    .all()
                    .get());
            Expect.refused(UnknownTopicIdException.class, () -> bench.admin
                    .deleteTopics(TopicCollection.ofTopicIds(List.of(missing)))
                    .all()
                    .get());
        });

        report.check("partitions are added to a topic and take records; fewer or as many are refused", () -> {
            String topic = bench.topic("grown", 1);
            bench.fill(topic, 0, 10);
            bench.admin
                    .createPartitions(
                            Map.of(topic, NewPartitions.increaseTo(4)),
                            new CreatePartitionsOptions().validateOnly(true))
                    .all()
                    .get();
            Expect.equal(
                    1,
                    describe(bench, topic).partitions().size(),
                    "the number of partitions after a request that only validates");
            bench.admin
                    .createPartitions(Map.of(topic, NewPartitions.increaseTo(3)))
                    .all()
                    .get();
            bench.known(topic, 3);
            bench.fill(topic, 2, 20);
            Bench.expectRun(bench.read(topic, 0, 10), 0, 0);
            Bench.expectRun(bench.read(topic, 2, 20), 0, 0);
            for (int count : new int[] {3, 2}) {
                Expect.refused(InvalidPartitionsException.class, () -> bench.admin
                        .createPartitions(Map.of(topic, NewPartitions.increaseTo(count)))
                        .all()
                        .get());
            }
            Expect.refused(UnknownTopicOrPartitionException.class, () -> bench.admin
                    .createPartitions(Map.of(bench.name("missing"), NewPartitions.increaseTo(2)))
                    .all()
                    .get());
        });

        report.check("a topic's settings are described with value, source and synonyms", () -> {
            ConfigResource topic = new ConfigResource(
                    ConfigResource.Type.TOPIC,
                    bench.topic(
                            "configured", 1, Map.of("retention.ms", "86400000", "cleanup.policy", "compact,delete")));
            Config config = bench.admin
                    .describeConfigs(
                            List.of(topic),
                            new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true))
                    .all()
                    .get()
                    .get(topic);
            Expect.equal("86400000", config.get("retention.ms").value(), "retention.ms");
            Expect.equal(
                    ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG,
                    config.get("retention.ms").source(),
                    "the source of retention.ms");
            Expect.equal(ConfigEntry.ConfigType.LONG, config.get("retention.ms").type(), "the type of retention.ms");
            Expect.equal(
                    "message.max.bytes",
                    config.get("max.message.bytes").synonyms().get(0).name(),
                    "the synonym of max.message.bytes");
            Expect.that(config.get("retention.ms").documentation() != null, "retention.ms is not documented");
            Expect.equal("compact,delete", config.get("cleanup.policy").value(), "cleanup.policy");
            Expect.that(
                    !config.get("segment.bytes").isReadOnly()
                            && !config.get("segment.bytes").isSensitive(),
                    "segment.bytes is read-only or sensitive");
            Expect.equal("1073741824", config.get("segment.bytes").value(), "segment.bytes");
            Expect.that(
                    config.entries().size() >= 25, "only " + config.entries().size() + " settings");
            ConfigResource missing = new ConfigResource(ConfigResource.Type.TOPIC, bench.name("missing"));
            Expect.refused(
                    UnknownTopicOrPartitionException.class,
                    () -> bench.admin.describeConfigs(List.of(missing)).all().get());
        });

        report.check("the broker's settings are described", () -> {
            String node = List.copyOf(bench.admin.describeCluster().nodes().get())
                    .get(0)
                    .idString();
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
            Config config =
                    bench.admin.describeConfigs(List.of(broker)).all().get().get(broker);
            for (String name : new String[] {
                "auto.create.topics.enable", "num.partitions", "message.max.bytes", "log.retention.ms", "listeners"
            }) {
                Expect.that(config.get(name) != null, name + " is not described");
            }
            Expect.equal("true", config.get("auto.create.topics.enable").value(), "auto.create.topics.enable");
        });

        report.check("a topic creation that is only validated creates nothing and refuses what creation would", () -> {
            String topic = bench.name("validated");
            CreateTopicsOptions only = new CreateTopicsOptions().validateOnly(true);
            bench.admin
                    .createTopics(List.of(new NewTopic(topic, 3, (short) 1)), only)
                    .all()
                    .get();
            Expect.refused(UnknownTopicOrPartitionException.class, () -> describe(bench, topic));
            Expect.refused(InvalidTopicException.class, () -> bench.admin
                    .createTopics(List.of(new NewTopic("no good", 1, (short) 1)), only)
                    .all()
                    .get());
        });

        report.check("a topic that exists is refused, and what was asked beside it is done", () -> {
            String there = bench.topic("there", 1);
            String beside = bench.name("beside");
            CreateTopicsResult created = bench.admin.createTopics(
                    List.of(new NewTopic(there, 1, (short) 1), new NewTopic(beside, 1, (short) 1)));
            Expect.refused(
                    TopicExistsException.class,
                    () -> created.values().get(there).get());
            created.values().get(beside).get();
            bench.known(beside, 1);
        });

        report.check("invalid topic names are refused", () -> {
            for (String name : new String[] {"no good", "a/b", "..", ".", "x".repeat(250), "ä", "a:b", "line\nbreak"}) {
                Expect.refused(InvalidTopicException.class, () -> bench.admin
                        .createTopics(List.of(new NewTopic(name, 1, (short) 1)))
                        .all()
                        .get());
            }
            bench.admin
                    .createTopics(List.of(new NewTopic(
                            bench.name("y".repeat(249 - bench.name("").length())), 1, (short) 1)))
                    .all()
                    .get();
        });

        report.check("a topic name that differs from another only in dots and underscores is refused", () -> {
            bench.topic("col.lides", 1);
            Expect.refused(InvalidTopicException.class, () -> bench.topic("col_lides", 1));
        });

        report.check("invalid sizes and settings of a topic are refused", () -> {
            Expect.refused(InvalidPartitionsException.class, () -> bench.topic("invalid", 0));
            Expect.refused(InvalidReplicationFactorException.class, () -> bench.admin
                    .createTopics(List.of(new NewTopic(bench.name("invalid"), 1, (short) 3)))
                    .all()
                    .get());
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> bench.topic("invalid", 1, Map.of("no.such.setting", "1")));
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> bench.topic("invalid", 1, Map.of("retention.ms", "soon")));
            Expect.refused(
                    InvalidConfigurationException.class,
                    () -> bench.topic("invalid", 1, Map.of("cleanup.policy", "burn")));
            Expect.refused(UnknownTopicOrPartitionException.class, () -> describe(bench, bench.name("invalid")));
        });

        report.check("deleted topics are gone, by name and by id, and can be made anew with another id", () -> {
            String first = bench.topic("deleted-1", 1);
            String second = bench.topic("deleted-2", 3);
            bench.fill(first, 0, 10);
            Uuid id = describe(bench, first).topicId();
            bench.admin.deleteTopics(List.of(first)).all().get();
            bench.admin
                    .deleteTopics(TopicCollection.ofTopicIds(
                            List.of(describe(bench, second).topicId())))
                    .all()
                    .get();
            for (String topic : new String[] {first, second})
                Bench.eventually(topic + " is gone", () -> isGone(bench, topic));
            Expect.that(!names(bench, false).contains(first), "a deleted topic is still listed");
            bench.admin
                    .createTopics(List.of(new NewTopic(first, 1, (short) 1)))
                    .all()
                    .get();
            bench.known(first, 1);
            Expect.that(!describe(bench, first).topicId().equals(id), "the new topic has the id of the old one");
            Expect.equal(0, bench.read(first, 0, 0).size(), "the number of records in the new topic");
        });
    }

    private static TopicDescription describe(Bench bench, String topic)
            throws ExecutionException, InterruptedException {
        return bench.admin
                .describeTopics(List.of(topic))
                .topicNameValues()
                .get(topic)
                .get();
    }

    private static boolean isGone(Bench bench, String topic) {
        try {
            describe(bench, topic);
            return false;
        } catch (ExecutionException refused) {
            return refused.getCause() instanceof UnknownTopicOrPartitionException;
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    private static Set<String> names(Bench bench, boolean internal) {
        try {
            return bench.admin
                    .listTopics(new ListTopicsOptions().listInternal(internal))
                    .names()
                    .get();
        } catch (ExecutionException | InterruptedException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
