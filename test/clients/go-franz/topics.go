// Level 2, topic administration: create, list, describe, grow, delete, the cluster, and what must be refused.
package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func topics(report *report, bench *bench) {
	report.check("the cluster is described with its id, its controller and its nodes", func() {
		message := kmsg.NewPtrDescribeClusterRequest()
		found := request(bench, message)
		done(errorOf(found.ErrorCode), "DescribeCluster")
		metadata := bench.metadata()
		expect(found.ClusterID != "", "the cluster id is empty")
		equal(metadata.Cluster, found.ClusterID, "the cluster id, against that of metadata,")
		equal(1, len(found.Brokers), "the number of nodes")
		expect(found.Brokers[0].Host != "" && found.Brokers[0].Port > 0, "the node has no address")
		equal(found.Brokers[0].NodeID, found.ControllerID, "the controller's id")
		equal(found.ControllerID, metadata.Controller, "the controller's id in metadata")
	})

	report.check("a created topic is answered with its id, its size and its settings", func() {
		name := bench.name("answered")
		ctx, cancel := bounded()
		defer cancel()
		created, err := bench.admin.CreateTopic(ctx, 2, -1, configs("retention.ms", "1234567"), name)
		done(err, "creating "+name)
		expect(created.ID != kadm.TopicID{}, "the topic id is zero")
		equal(2, created.NumPartitions, "the number of partitions")
		equal(1, created.ReplicationFactor, "the replication factor")
		retention, cleanup := created.Configs["retention.ms"], created.Configs["cleanup.policy"]
		equal("1234567", retention.MaybeValue(), "retention.ms")
		equal("delete", cleanup.MaybeValue(), "cleanup.policy")
	})

	report.check("a topic whose size is left to the broker is created", func() {
		created, err := bench.create(bench.name("by-default"), -1)
		done(err, "creating a topic")
		expect(created.NumPartitions >= 1, "no partitions")
	})

	report.check("a topic with assigned replicas is created", func() {
		message := kmsg.NewPtrCreateTopicsRequest()
		wanted := kmsg.NewCreateTopicsRequestTopic()
		wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = bench.name("assigned"), -1, -1
		for partition := range int32(2) {
			assignment := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
			assignment.Partition, assignment.Replicas = partition, []int32{bench.metadata().Controller}
			wanted.ReplicaAssignment = append(wanted.ReplicaAssignment, assignment)
		}
		message.Topics = append(message.Topics, wanted)
		done(errorOf(request(bench, message).Topics[0].ErrorCode), "creating a topic")
		bench.known(wanted.Topic, 2)
	})

	report.check("topics are listed by name, internal ones only when asked for", func() {
		topic := bench.topic("listed", 1)
		eventually("the new topic is listed", func() bool { return bench.metadata().Topics.Has(topic) })
		ctx, cancel := bounded()
		defer cancel()
		plain, err := bench.admin.ListTopics(ctx)
		done(err, "listing topics")
		all, err := bench.admin.ListTopicsWithInternal(ctx)
		done(err, "listing topics")
		expect(plain.Has(topic) && all.Has(topic), "the topic is not listed")
		expect(!plain.Has("__consumer_offsets"), "an internal topic is listed unasked")
	})

	report.check("a topic is described by name, a page of partitions at a time, and by id", func() {
		topic := bench.topic("described", 7)
		byName := bench.detail(topic)
		expect(byName.ID != kadm.TopicID{}, "the topic id is zero")
		expect(!byName.IsInternal, "the topic is internal")
		for at, partition := range byName.Partitions.Sorted() {
			equal(int32(at), partition.Partition, "the partition")
			expect(slices.Equal([]int32{partition.Leader}, partition.Replicas), "the replicas are %v", partition.Replicas)
			expect(slices.Equal([]int32{partition.Leader}, partition.ISR), "the in-sync replicas are %v", partition.ISR)
		}
		byID := kmsg.NewPtrMetadataRequest()
		byID.Topics = []kmsg.MetadataRequestTopic{{TopicID: byName.ID}}
		found := request(bench, byID).Topics[0]
		done(errorOf(found.ErrorCode), "asking by id")
		equal(topic, *found.Topic, "the name")
		equal(7, len(found.Partitions), "the number of partitions")

		// With a page smaller than the topic DescribeTopicPartitions has to go on from its cursor (KIP-966).
		pages := kmsg.NewPtrDescribeTopicPartitionsRequest()
		pages.Topics = []kmsg.DescribeTopicPartitionsRequestTopic{{Topic: topic}}
		pages.ResponsePartitionLimit = 3
		var partitions []int32
		for range 4 {
			page := request(bench, pages)
			done(errorOf(page.Topics[0].ErrorCode), "asking for a page")
			equal(byName.ID, page.Topics[0].TopicID, "the topic's id")
			for _, partition := range page.Topics[0].Partitions {
				partitions = append(partitions, partition.Partition)
			}
			if page.NextCursor == nil {
				break
			}
			cursor := kmsg.NewDescribeTopicPartitionsRequestCursor()
			cursor.Topic, cursor.Partition = page.NextCursor.Topic, page.NextCursor.Partition
			pages.Cursor = &cursor
		}
		expect(slices.Equal([]int32{0, 1, 2, 3, 4, 5, 6}, partitions), "the partitions are %v", partitions)
	})

	report.check("a topic that is not there is refused as unknown, by name and by id", func() {
		missing := kadm.TopicID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		refused(kerr.UnknownTopicOrPartition, bench.detail(bench.name("missing")).Err, "describing by name")
		byID := kmsg.NewPtrMetadataRequest()
		byID.Topics = []kmsg.MetadataRequestTopic{{TopicID: missing}}
		refused(kerr.UnknownTopicID, errorOf(request(bench, byID).Topics[0].ErrorCode), "describing by id")
		refused(kerr.UnknownTopicOrPartition, bench.delete(bench.name("missing")), "deleting by name")
		refused(kerr.UnknownTopicID, bench.deleteByID(missing), "deleting by id")
	})

	report.check("partitions are added to a topic and take records; fewer or as many are refused", func() {
		topic := bench.topic("grown", 1)
		bench.fill(topic, 0, 10)
		done(bench.grow(topic, 4, true), "validating")
		equal(1, len(bench.detail(topic).Partitions), "the number of partitions after a request that only validates")
		done(bench.grow(topic, 3, false), "adding partitions")
		bench.known(topic, 3)
		bench.fill(topic, 2, 20)
		expectRun(bench.read(topic, 0, 10), 0, 0)
		expectRun(bench.read(topic, 2, 20), 0, 0)
		for _, count := range []int{3, 2} {
			refused(kerr.InvalidPartitions, bench.grow(topic, count, false), fmt.Sprintf("growth to %d", count))
		}
		refused(kerr.UnknownTopicOrPartition, bench.grow(bench.name("missing"), 2, false), "growth of no topic")
	})

	report.check("a topic's settings are described with value, source and synonyms", func() {
		topic := bench.topic("configured", 1, "retention.ms", "86400000", "cleanup.policy", "compact,delete")
		found, err := bench.settingsOf(topic)
		done(err, "describing settings")
		retention, segment, size := found["retention.ms"], found["segment.bytes"], found["max.message.bytes"]
		equal("86400000", retention.MaybeValue(), "retention.ms")
		equal(kmsg.ConfigSourceDynamicTopicConfig, retention.Source, "the source of retention.ms")
		cleanup := found["cleanup.policy"]
		equal("compact,delete", cleanup.MaybeValue(), "cleanup.policy")
		equal("1073741824", segment.MaybeValue(), "segment.bytes")
		expect(!segment.Sensitive, "segment.bytes is sensitive")
		expect(len(size.Synonyms) > 0 && size.Synonyms[0].Key == "message.max.bytes", "the synonyms of max.message.bytes are %v", size.Synonyms)
		expect(len(found) >= 25, "only %d settings", len(found))
		_, err = bench.settingsOf(bench.name("missing"))
		refused(kerr.UnknownTopicOrPartition, err, "describing the settings of no topic")
	})

	report.check("the broker's settings are described", func() {
		ctx, cancel := bounded()
		defer cancel()
		described, err := bench.admin.DescribeBrokerConfigs(ctx, bench.metadata().Controller)
		done(err, "describing settings")
		found := map[string]kadm.Config{}
		for _, config := range described[0].Configs {
			found[config.Key] = config
		}
		for _, name := range []string{"auto.create.topics.enable", "num.partitions", "message.max.bytes", "log.retention.ms", "listeners"} {
			expect(found[name].Key == name, "%s is not described", name)
		}
		creation := found["auto.create.topics.enable"]
		equal("true", creation.MaybeValue(), "auto.create.topics.enable")
	})

	report.check("a topic creation that is only validated creates nothing and refuses what creation would", func() {
		name := bench.name("validated")
		ctx, cancel := bounded()
		defer cancel()
		validated, err := bench.admin.ValidateCreateTopics(ctx, 3, 1, nil, name, "no good")
		done(err, "validating")
		done(validated[name].Err, "validating "+name)
		refused(kerr.InvalidTopicException, validated["no good"].Err, "validating an invalid name")
		refused(kerr.UnknownTopicOrPartition, bench.detail(name).Err, "describing "+name)
	})

	report.check("a topic that exists is refused, and what was asked beside it is done", func() {
		there, beside := bench.topic("there", 1), bench.name("beside")
		ctx, cancel := bounded()
		defer cancel()
		created, err := bench.admin.CreateTopics(ctx, 1, 1, nil, there, beside)
		done(err, "creating topics")
		refused(kerr.TopicAlreadyExists, created[there].Err, "creating what exists")
		done(created[beside].Err, "creating "+beside)
		bench.known(beside, 1)
	})

	report.check("invalid topic names are refused", func() {
		for _, name := range []string{"no good", "a/b", "..", ".", "", strings.Repeat("x", 250), "ä", "a:b", "line\nbreak"} {
			_, err := bench.create(name, 1)
			refused(kerr.InvalidTopicException, err, fmt.Sprintf("%q", name))
		}
		bench.topic(strings.Repeat("y", 249-len(bench.name(""))), 1)
	})

	report.check("a topic name that differs from another only in dots and underscores is refused", func() {
		bench.topic("col.lides", 1)
		_, err := bench.create(bench.name("col_lides"), 1)
		refused(kerr.InvalidTopicException, err, "the other name")
	})

	report.check("invalid sizes and settings of a topic are refused", func() {
		name := bench.name("invalid")
		_, err := bench.create(name, 0)
		refused(kerr.InvalidPartitions, err, "no partitions")
		ctx, cancel := bounded()
		defer cancel()
		_, err = bench.admin.CreateTopic(ctx, 1, 3, nil, name)
		refused(kerr.InvalidReplicationFactor, err, "three replicas on one node")
		for _, setting := range [][2]string{{"no.such.setting", "1"}, {"retention.ms", "soon"}, {"cleanup.policy", "burn"}} {
			_, err = bench.create(name, 1, setting[0], setting[1])
			refused(kerr.InvalidConfig, err, setting[0]+"="+setting[1])
		}
		refused(kerr.UnknownTopicOrPartition, bench.detail(name).Err, "describing "+name)
	})

	report.check("deleted topics are gone, by name and by id, and can be made anew with another id", func() {
		first, second := bench.topic("deleted-1", 1), bench.topic("deleted-2", 3)
		bench.fill(first, 0, 10)
		id := bench.detail(first).ID
		done(bench.delete(first), "deleting by name")
		done(bench.deleteByID(bench.detail(second).ID), "deleting by id")
		for _, topic := range []string{first, second} {
			eventually(topic+" is gone", func() bool { return bench.detail(topic).Err == kerr.UnknownTopicOrPartition })
		}
		expect(!bench.metadata().Topics.Has(first), "a deleted topic is still listed")
		_, err := bench.create(first, 1)
		done(err, "creating the topic anew")
		bench.known(first, 1)
		expect(bench.detail(first).ID != id, "the new topic has the id of the old one")
		bench.read(first, 0, 0)
	})
}

func (b *bench) metadata() kadm.Metadata {
	ctx, cancel := bounded()
	defer cancel()
	found, err := b.admin.Metadata(ctx)
	done(err, "Metadata")
	return found
}

// detail is what metadata says of one topic, its error included.
func (b *bench) detail(topic string) kadm.TopicDetail {
	ctx, cancel := bounded()
	defer cancel()
	found, err := b.admin.ListTopics(ctx, topic)
	done(err, "Metadata")
	return found[topic]
}

func (b *bench) grow(topic string, count int, validateOnly bool) error {
	ctx, cancel := bounded()
	defer cancel()
	update := b.admin.UpdatePartitions
	if validateOnly {
		update = b.admin.ValidateUpdatePartitions
	}
	answers, err := update(ctx, count, topic)
	done(err, "CreatePartitions")
	return answers[topic].Err
}

func (b *bench) delete(topic string) error {
	ctx, cancel := bounded()
	defer cancel()
	_, err := b.admin.DeleteTopic(ctx, topic)
	return err
}

func (b *bench) deleteByID(id kadm.TopicID) error {
	message := kmsg.NewPtrDeleteTopicsRequest()
	message.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: id}}
	return errorOf(request(b, message).Topics[0].ErrorCode)
}

func (b *bench) settingsOf(topic string) (map[string]kadm.Config, error) {
	ctx, cancel := bounded()
	defer cancel()
	described, err := b.admin.DescribeTopicConfigs(ctx, topic)
	done(err, "DescribeConfigs")
	if described[0].Err != nil {
		return nil, described[0].Err
	}
	found := map[string]kadm.Config{}
	for _, config := range described[0].Configs {
		found[config.Key] = config
	}
	return found, nil
}
