// Level 2, consumer groups, run once for the classic protocol and once for the consumer protocol (KIP-848):
// commits and what a group resumes from, partitions shared by two members, static members, administration of groups.
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;

final class Groups {
    private final Bench bench;
    private final String protocol;

    private Groups(Bench bench, String protocol) {
        this.bench = bench;
        this.protocol = protocol;
    }

    static void run(Report report, Bench bench) {
        Map<String, Report.Check> checks = new LinkedHashMap<>();
        for (String protocol : new String[] {"classic", "consumer"}) {
            Groups groups = new Groups(bench, protocol);
            String ending = ", " + protocol + " protocol";
            checks.put("a group reads every record once and resumes from its commit" + ending, groups::resumes);
            checks.put("two members share the partitions, and the one that stays takes over" + ending, groups::shares);
            checks.put(
                    "committed offsets are read back with their metadata, altered and deleted" + ending,
                    groups::commits);
            checks.put(
                    "a group is listed and described, kept while it has a member, and deleted when empty" + ending,
                    groups::administration);
            checks.put(
                    "a static member that comes back finds its partitions without a rebalance" + ending,
                    groups::staticMember);
            checks.put(
                    "the partitions of a member that dies go to the other when its session is over" + ending,
                    groups::dies);
            checks.put("a member keeps what it goes on with while another joins" + ending, groups::cooperates);
            if (protocol.equals("consumer"))
                checks.put("a group subscribes by a pattern that the broker evaluates" + ending, groups::pattern);
        }
        report.together(checks);
    }

    private String name(String what) {
        return bench.name(protocol + "-" + what);
    }

    private Consumer<byte[], byte[]> member(String group, Map<String, Object> configs) {
        Map<String, Object> all =
                new HashMap<>(Map.of("group.id", group, "group.protocol", protocol, "client.id", group));
        all.putAll(configs);
        return bench.consumer(all);
    }

    private void resumes() throws Exception {
        String topic = bench.topic(protocol + "-resume", 3);
        String group = name("resume");
        for (int partition = 0; partition < 3; partition++) bench.fill(topic, partition, 300);
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            expectEach(Bench.poll(consumer, 900), 0, 300);
            consumer.commitSync();
        }
        try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
            for (int partition = 0; partition < 3; partition++) bench.send(producer, topic, partition, 300, 350);
        }
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            expectEach(Bench.poll(consumer, 150), 300, 350);
        }
        // The second one left without a commit, so the third starts where the first committed.
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            expectEach(Bench.poll(consumer, 150), 300, 350);
        }
    }

    /** Each of three partitions gave exactly the records `from` to `to` (exclusive), in order. */
    private static void expectEach(List<ConsumerRecord<byte[], byte[]>> records, int from, int to) {
        for (int partition = 0; partition < 3; partition++) {
            int wanted = partition;
            List<ConsumerRecord<byte[], byte[]>> found = records.stream()
                    .filter(record -> record.partition() == wanted)
                    .toList();
            Expect.equal(to - from, found.size(), "the number of records of partition " + partition);
            Bench.expectRun(found, from, from);
        }
    }

    private void shares() throws Exception {
        String topic = bench.topic(protocol + "-share", 4);
        String group = name("share");
        Consumer<byte[], byte[]> first = member(group, Map.of());
        try (Consumer<byte[], byte[]> second = member(group, Map.of());
                first) {
            first.subscribe(List.of(topic));
            second.subscribe(List.of(topic));
            pollUntil(
                    "both have two partitions",
                    List.of(first, second),
                    () -> first.assignment().size() == 2 && second.assignment().size() == 2);
            Set<TopicPartition> all = new HashSet<>(first.assignment());
            all.addAll(second.assignment());
            Expect.equal(4, all.size(), "the number of partitions the two have between them");

            for (int partition = 0; partition < 4; partition++) bench.fill(topic, partition, 100);
            Map<Consumer<byte[], byte[]>, List<ConsumerRecord<byte[], byte[]>>> read =
                    pollUntil("both have read", List.of(first, second), 400);
            for (Consumer<byte[], byte[]> member : List.of(first, second)) {
                Expect.equal(200, read.get(member).size(), "the number of records of one member");
                for (TopicPartition partition : member.assignment()) {
                    Bench.expectRun(
                            read.get(member).stream()
                                    .filter(record -> record.partition() == partition.partition())
                                    .toList(),
                            0,
                            0);
                }
            }
            second.commitSync();
            first.commitSync();
            first.close();
            pollUntil(
                    "the one that stays has all",
                    List.of(second),
                    () -> second.assignment().size() == 4);
            try (Producer<byte[], byte[]> producer = bench.producer(Map.of())) {
                for (int partition = 0; partition < 4; partition++) bench.send(producer, topic, partition, 100, 110);
            }
            List<ConsumerRecord<byte[], byte[]>> more = Bench.poll(second, 40);
            for (ConsumerRecord<byte[], byte[]> record : more)
                Expect.that(record.offset() >= 100, "offset " + record.offset() + " was read again after its commit");
        }
    }

    private void commits() throws Exception {
        String topic = bench.topic(protocol + "-commits", 2);
        String group = name("commits");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        bench.fill(topic, 0, 50);
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            Bench.poll(consumer, 50);
            consumer.commitSync(Map.of(zero, new OffsetAndMetadata(33, "to here, ¾ of the way")));
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.of(zero, one));
            Expect.equal(33L, committed.get(zero).offset(), "the committed offset");
            Expect.equal("to here, ¾ of the way", committed.get(zero).metadata(), "the metadata");
            Expect.equal(null, committed.get(one), "the commit of a partition without one");
        }
        Map<TopicPartition, OffsetAndMetadata> listed = bench.admin
                .listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        Expect.equal(Set.of(zero), listed.keySet(), "the partitions with a commit");
        Expect.equal("to here, ¾ of the way", listed.get(zero).metadata(), "the metadata listed");

        // A group without members takes any offset from an administrator, and forgets one when told to.
        bench.admin
                .alterConsumerGroupOffsets(
                        group, Map.of(one, new OffsetAndMetadata(0), zero, new OffsetAndMetadata(40)))
                .all()
                .get();
        Expect.equal(
                40L,
                bench.admin
                        .listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata()
                        .get()
                        .get(zero)
                        .offset(),
                "the altered offset");
        bench.admin.deleteConsumerGroupOffsets(group, Set.of(one)).all().get();
        Expect.equal(
                Set.of(zero),
                bench.admin
                        .listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata()
                        .get()
                        .keySet(),
                "the partitions left");
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            Bench.expectRun(Bench.poll(consumer, 10), 40, 40);
        }
    }

    private void administration() throws Exception {
        String topic = bench.topic(protocol + "-admin", 2);
        String group = name("admin");
        try (Consumer<byte[], byte[]> consumer = member(group, Map.of())) {
            consumer.subscribe(List.of(topic));
            pollUntil(
                    "the member has its partitions",
                    List.of(consumer),
                    () -> consumer.assignment().size() == 2);
            ConsumerGroupDescription found = bench.admin
                    .describeConsumerGroups(List.of(group))
                    .all()
                    .get()
                    .get(group);
            Expect.equal(GroupState.STABLE, found.groupState(), "the group's state");
            Expect.equal(
                    protocol.equals("classic") ? GroupType.CLASSIC : GroupType.CONSUMER,
                    found.type(),
                    "the group's type");
            Expect.equal(1, found.members().size(), "the number of members");
            found.members().forEach(member -> {
                Expect.equal(group, member.clientId(), "the member's client id");
                Expect.equal(2, member.assignment().topicPartitions().size(), "the number of partitions assigned");
            });
            List<GroupListing> listed = bench.admin.listGroups().all().get().stream()
                    .filter(listing -> listing.groupId().equals(group))
                    .toList();
            Expect.equal(1, listed.size(), "the number of listings");
            Expect.equal(found.type(), listed.get(0).type().get(), "the type listed");
            Expect.refused(
                    GroupNotEmptyException.class,
                    () -> bench.admin.deleteConsumerGroups(List.of(group)).all().get());
        }
        Bench.eventually("the group is empty", () -> state(group) == GroupState.EMPTY);
        bench.admin.deleteConsumerGroups(List.of(group)).all().get();
        Expect.refused(
                GroupIdNotFoundException.class,
                () -> bench.admin.describeConsumerGroups(List.of(group)).all().get());
        Expect.refused(
                GroupIdNotFoundException.class,
                () -> bench.admin.deleteConsumerGroups(List.of(group)).all().get());
    }

    private GroupState state(String group) {
        try {
            return bench.admin
                    .describeConsumerGroups(List.of(group))
                    .all()
                    .get()
                    .get(group)
                    .groupState();
        } catch (Exception failed) {
            throw new IllegalStateException(failed);
        }
    }

    private void staticMember() throws Exception {
        String topic = bench.topic(protocol + "-static", 4);
        String group = name("static");
        Consumer<byte[], byte[]> stays = member(group, Map.of("group.instance.id", "stays"));
        Set<TopicPartition> before;
        try (stays) {
            try (Consumer<byte[], byte[]> leaves = member(group, Map.of("group.instance.id", "leaves"))) {
                stays.subscribe(List.of(topic));
                leaves.subscribe(List.of(topic));
                pollUntil(
                        "both have two partitions",
                        List.of(stays, leaves),
                        () -> stays.assignment().size() == 2
                                && leaves.assignment().size() == 2);
                before = leaves.assignment();
            }
            Set<TopicPartition> kept = stays.assignment();
            try (Consumer<byte[], byte[]> again = member(group, Map.of("group.instance.id", "leaves"))) {
                again.subscribe(List.of(topic));
                pollUntil("the one that came back has partitions", List.of(stays, again), () -> !again.assignment()
                        .isEmpty());
                Expect.equal(before, again.assignment(), "what the one that came back has");
                Expect.equal(kept, stays.assignment(), "what the other has");
            }
        }
    }

    /** A member that closes without a word of leaving is to the broker one that died. */
    private void dies() throws Exception {
        String topic = bench.topic(protocol + "-dies", 4);
        String group = name("dies");
        // By the consumer protocol the broker says how long a session is, and the library refuses this.
        Map<String, Object> session = protocol.equals("classic") ? Map.of("session.timeout.ms", 6000) : Map.of();
        Consumer<byte[], byte[]> dying = member(group, session);
        try (Consumer<byte[], byte[]> stays = member(group, session)) {
            dying.subscribe(List.of(topic));
            stays.subscribe(List.of(topic));
            pollUntil(
                    "both have two partitions",
                    List.of(dying, stays),
                    () -> dying.assignment().size() == 2 && stays.assignment().size() == 2);
            dying.close(CloseOptions.groupMembershipOperation(
                    CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP));
            pollUntil("the one that stays has all", List.of(stays), () -> stays.assignment().size() == 4);
            for (int partition = 0; partition < 4; partition++) bench.fill(topic, partition, 10);
            Expect.equal(40, Bench.poll(stays, 40).size(), "the number of records");
        }
    }

    private void cooperates() throws Exception {
        String topic = bench.topic(protocol + "-cooperates", 4);
        String group = name("cooperates");
        // By the consumer protocol the broker assigns, and always so that members keep what they can.
        Map<String, Object> assignor = protocol.equals("classic")
                ? Map.of("partition.assignment.strategy", CooperativeStickyAssignor.class.getName())
                : Map.of();
        Set<TopicPartition> taken = new HashSet<>();
        try (Consumer<byte[], byte[]> first = member(group, assignor);
                Consumer<byte[], byte[]> second = member(group, assignor)) {
            first.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    taken.addAll(partitions);
                }
            });
            pollUntil("the first has all partitions", List.of(first), () -> first.assignment().size() == 4);
            second.subscribe(List.of(topic));
            pollUntil(
                    "both have two partitions",
                    List.of(first, second),
                    () -> first.assignment().size() == 2 && second.assignment().size() == 2);
            Expect.equal(second.assignment(), taken, "all that was taken from the first");
        }
    }

    private void pattern() throws Exception {
        String wanted = bench.topic("pattern-wanted-1", 1);
        String other = bench.topic("pattern-other", 1);
        bench.fill(wanted, 0, 10);
        bench.fill(other, 0, 10);
        try (Consumer<byte[], byte[]> consumer = member(name("pattern"), Map.of("metadata.max.age.ms", 1000))) {
            consumer.subscribe(new SubscriptionPattern(bench.name("pattern-wanted-[0-9]+")));
            Bench.expectRun(Bench.poll(consumer, 10), 0, 0);
            Expect.equal(Set.of(new TopicPartition(wanted, 0)), consumer.assignment(), "the assignment");
        }
    }

    private interface Holds {
        boolean now();
    }

    private static void pollUntil(String what, List<Consumer<byte[], byte[]>> members, Holds holds) {
        long end = System.nanoTime() + 2 * Bench.WAIT.toNanos();
        while (!holds.now()) {
            if (System.nanoTime() > end)
                throw new AssertionError("after " + 2 * Bench.WAIT.toSeconds() + " s still not: " + what);
            for (Consumer<byte[], byte[]> member : members) {
                int early = member.poll(Duration.ofMillis(50)).count();
                Expect.equal(0, early, "the number of records read before any was due");
            }
        }
    }

    private static Map<Consumer<byte[], byte[]>, List<ConsumerRecord<byte[], byte[]>>> pollUntil(
            String what, List<Consumer<byte[], byte[]>> members, int count) {
        Map<Consumer<byte[], byte[]>, List<ConsumerRecord<byte[], byte[]>>> read = new HashMap<>();
        int total = 0;
        long end = System.nanoTime() + Bench.WAIT.toNanos();
        while (total < count) {
            if (System.nanoTime() > end)
                throw new AssertionError(
                        total + " of " + count + " records after " + Bench.WAIT.toSeconds() + " s: " + what);
            for (Consumer<byte[], byte[]> member : members) {
                for (ConsumerRecord<byte[], byte[]> record : member.poll(Duration.ofMillis(50))) {
                    read.computeIfAbsent(member, ignored -> new ArrayList<>()).add(record);
                    total++;
                }
            }
        }
        return read;
    }
}
