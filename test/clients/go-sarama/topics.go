// Level 2, topic administration: create, list, describe, grow, delete, the cluster, and what must be refused.
package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
)

func topics(report *report, bench *bench) {
	report.check("the cluster is described with its controller and its nodes", func() {
		brokers, controller, err := bench.admin().DescribeCluster()
		done(err, "describing the cluster")
		equal(1, len(brokers), "the number of nodes")
		equal(brokers[0].ID(), controller, "the controller's id")
		expect(brokers[0].Addr() != "", "the node has no address")
	})

	report.check("a topic whose size is left to the broker is created", func() {
		name := bench.name("by-default")
		done(bench.admin().CreateTopic(name, &sarama.TopicDetail{NumPartitions: -1, ReplicationFactor: -1}, false), "creating a topic")
		eventually("the topic is known", func() bool { return len(bench.describe(name).Partitions) >= 1 })
	})

	report.check("a topic with assigned replicas is created", func() {
		_, controller, err := bench.admin().DescribeCluster()
		done(err, "describing the cluster")
		name := bench.name("assigned")
		detail := &sarama.TopicDetail{NumPartitions: -1, ReplicationFactor: -1, ReplicaAssignment: map[int32][]int32{0: {controller}, 1: {controller}}}
		done(bench.admin().CreateTopic(name, detail, false), "creating a topic")
		bench.known(name, 2)
	})

	report.check("topics are listed with their size and the settings that are their own", func() {
		topic := bench.topic("listed", 2, "retention.ms", "1234567")
		// The library puts Metadata and DescribeConfigs for all topics together.
		listed, err := bench.admin().ListTopics()
		done(err, "listing topics")
		found, ok := listed[topic]
		expect(ok, "the topic is not listed")
		equal(2, found.NumPartitions, "the number of partitions")
		equal(1, found.ReplicationFactor, "the replication factor")
		retention := found.ConfigEntries["retention.ms"]
		expect(retention != nil && *retention == "1234567", "retention.ms is not listed as 1234567")
		expect(found.ConfigEntries["segment.bytes"] == nil, "a setting that is a default is listed as the topic's own")
	})

	report.check("a topic is described by name", func() {
		topic := bench.topic("described", 7)
		found := bench.describe(topic)
		equal(topic, found.Name, "the name")
		expect(!found.IsInternal, "the topic is internal")
		slices.SortFunc(found.Partitions, func(a, b *sarama.PartitionMetadata) int { return int(a.ID - b.ID) })
		for at, partition := range found.Partitions {
			equal(int32(at), partition.ID, "the partition")
			expect(slices.Equal([]int32{partition.Leader}, partition.Replicas), "the replicas are %v", partition.Replicas)
			expect(slices.Equal([]int32{partition.Leader}, partition.Isr), "the in-sync replicas are %v", partition.Isr)
		}
	})

	report.check("a topic that is not there is refused as unknown", func() {
		refused(sarama.ErrUnknownTopicOrPartition, bench.describe(bench.name("missing")).Err, "describing")
		refused(sarama.ErrUnknownTopicOrPartition, bench.admin().DeleteTopic(bench.name("missing")), "deleting")
	})

	report.check("partitions are added to a topic and take records; fewer or as many are refused", func() {
		topic := bench.topic("grown", 1)
		bench.sendRun(topic, 0, 0, 10)
		grow := func(topic string, count int32, validateOnly bool) error {
			return bench.admin().CreatePartitions(topic, count, nil, validateOnly)
		}
		done(grow(topic, 4, true), "validating")
		equal(1, len(bench.describe(topic).Partitions), "the number of partitions after a request that only validates")
		done(grow(topic, 3, false), "adding partitions")
		bench.known(topic, 3)
		bench.sendRun(topic, 2, 0, 20)
		expectRun(bench.read(topic, 0, 10), 0, 0)
		expectRun(bench.read(topic, 2, 20), 0, 0)
		for _, count := range []int32{3, 2} {
			refused(sarama.ErrInvalidPartitions, grow(topic, count, false), fmt.Sprintf("growth to %d", count))
		}
		refused(sarama.ErrUnknownTopicOrPartition, grow(bench.name("missing"), 2, false), "growth of no topic")
	})

	report.check("a topic's settings are described with value, source and synonyms", func() {
		topic := bench.topic("configured", 1, "retention.ms", "86400000", "cleanup.policy", "compact,delete")
		options := sarama.DescribeConfigsOptions{IncludeSynonyms: true, IncludeDocumentation: true}
		ask := func(topic string) *sarama.ConfigResourceResult {
			found, err := bench.admin().DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic}}, options)
			done(err, "DescribeConfigs")
			return found[0]
		}
		found := map[string]sarama.ConfigEntry{}
		for _, entry := range ask(topic).Configs {
			found[entry.Name] = entry
		}
		equal("86400000", found["retention.ms"].Value, "retention.ms")
		equal(sarama.SourceTopic, found["retention.ms"].Source, "the source of retention.ms")
		expect(found["retention.ms"].Documentation != nil, "retention.ms is not documented")
		equal("compact,delete", found["cleanup.policy"].Value, "cleanup.policy")
		equal("1073741824", found["segment.bytes"].Value, "segment.bytes")
		expect(!found["segment.bytes"].ReadOnly && !found["segment.bytes"].Sensitive, "segment.bytes is read-only or sensitive")
		synonyms := found["max.message.bytes"].Synonyms
		expect(len(synonyms) > 0 && synonyms[0].ConfigName == "message.max.bytes", "max.message.bytes has not its synonym")
		expect(len(found) >= 25, "only %d settings", len(found))
		refused(sarama.ErrUnknownTopicOrPartition, ask(bench.name("missing")).ErrorCode, "describing the settings of no topic")
	})

	report.check("the broker's settings are described", func() {
		_, controller, err := bench.admin().DescribeCluster()
		done(err, "describing the cluster")
		resource := sarama.ConfigResource{Type: sarama.BrokerResource, Name: strconv.Itoa(int(controller))}
		found, err := bench.admin().DescribeConfig(resource)
		done(err, "describing settings")
		for _, name := range []string{"auto.create.topics.enable", "num.partitions", "message.max.bytes", "log.retention.ms", "listeners"} {
			expect(slices.ContainsFunc(found, func(entry sarama.ConfigEntry) bool { return entry.Name == name }), "%s is not described", name)
		}
	})

	report.check("a topic creation that is only validated creates nothing and refuses what creation would", func() {
		name := bench.name("validated")
		only := &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}
		done(bench.admin().CreateTopic(name, only, true), "validating")
		refused(sarama.ErrUnknownTopicOrPartition, bench.describe(name).Err, "describing what was only validated")
		refused(sarama.ErrInvalidTopic, bench.admin().CreateTopic("no good", only, true), "validating an invalid name")
	})

	report.check("a topic that exists is refused", func() {
		there := bench.topic("there", 1)
		refused(sarama.ErrTopicAlreadyExists, bench.create(there, 1), "creating what exists")
	})

	report.check("invalid topic names are refused", func() {
		for _, name := range []string{"no good", "a/b", "..", ".", strings.Repeat("x", 250), "ä", "a:b", "line\nbreak"} {
			refused(sarama.ErrInvalidTopic, bench.create(name, 1), fmt.Sprintf("%q", name))
		}
		bench.topic(strings.Repeat("y", 249-len(bench.name(""))), 1)
	})

	report.check("a topic name that differs from another only in dots and underscores is refused", func() {
		bench.topic("col.lides", 1)
		refused(sarama.ErrInvalidTopic, bench.create(bench.name("col_lides"), 1), "the other name")
	})

	report.check("invalid sizes and settings of a topic are refused", func() {
		name := bench.name("invalid")
		refused(sarama.ErrInvalidPartitions, bench.create(name, 0), "no partitions")
		three := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 3}
		refused(sarama.ErrInvalidReplicationFactor, bench.admin().CreateTopic(name, three, false), "three replicas on one node")
		for _, setting := range [][2]string{{"no.such.setting", "1"}, {"retention.ms", "soon"}, {"cleanup.policy", "burn"}} {
			refused(sarama.ErrInvalidConfig, bench.create(name, 1, setting[0], setting[1]), setting[0]+"="+setting[1])
		}
		refused(sarama.ErrUnknownTopicOrPartition, bench.describe(name).Err, "describing "+name)
	})

	report.check("a deleted topic is gone, and can be made anew", func() {
		topic := bench.topic("deleted", 3)
		bench.sendRun(topic, 0, 0, 10)
		done(bench.admin().DeleteTopic(topic), "deleting")
		eventually(topic+" is gone", func() bool { return errors.Is(bench.describe(topic).Err, sarama.ErrUnknownTopicOrPartition) })
		done(bench.create(topic, 1), "creating the topic anew")
		bench.known(topic, 1)
		bench.read(topic, 0, 0)
	})
}
