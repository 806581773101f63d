// Level 1: topics are created, records go in and come back the same, offsets and metadata tell the truth.
// No consumer group, no idempotence, no compression: the least that makes a broker.
package main

import (
	"slices"

	"github.com/IBM/sarama"
)

const firstLightCount = 20_000

// False when not even a topic could be made: then each further check would only wait in vain.
func firstLight(report *report, bench *bench) bool {
	one, three := bench.name("first-light-1"), bench.name("first-light-3")
	all := acked(sarama.WaitForAll)

	report.check("the admin client creates a topic with one partition and a topic with three", func() {
		for name, partitions := range map[string]int32{one: 1, three: 3} {
			done(bench.create(name, partitions), "creating "+name)
			bench.known(name, int(partitions))
		}
	})
	if report.failed > 0 {
		return false
	}

	report.check("metadata lists both topics with every partition and its leader", func() {
		client := bench.newClient()
		defer client.Close()
		listed, err := client.Topics()
		done(err, "listing topics")
		for name, partitions := range map[string]int{one: 1, three: 3} {
			expect(slices.Contains(listed, name), "%s is not listed", name)
			found, err := client.Partitions(name)
			done(err, "listing partitions")
			equal(partitions, len(found), "the number of partitions of %s", name)
			for _, partition := range found {
				leader, err := client.Leader(name, partition)
				done(err, "asking for the leader")
				replicas, err := client.InSyncReplicas(name, partition)
				done(err, "asking for the replicas")
				expect(slices.Equal([]int32{leader.ID()}, replicas), "the in-sync replicas are %v", replicas)
			}
		}
	})

	report.check("20,000 records with acks=all are acknowledged at contiguous offsets", func() {
		for at, sent := range bench.sendRun(one, 0, 0, firstLightCount, all) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
	})

	report.check("20,000 records read by assignment come back byte for byte, in order, at contiguous offsets", func() {
		expectRun(bench.read(one, 0, firstLightCount), 0, 0)
	})

	report.check("records sent to each of three partitions come back from that partition", func() {
		for partition := range 3 {
			bench.sendRun(three, int32(partition), partition*1000, partition*1000+500, all)
		}
		for partition := range 3 {
			expectRun(bench.read(three, int32(partition), 500), 0, partition*1000)
		}
	})

	report.check("earliest and latest offsets are those of the log", func() {
		client := bench.newClient()
		defer client.Close()
		ask := func(topic string, partition int32, which int64) int64 {
			offset, err := client.GetOffset(topic, partition, which)
			done(err, "asking for an offset")
			return offset
		}
		equal(0, ask(one, 0, sarama.OffsetOldest), "the earliest offset")
		equal(firstLightCount, ask(one, 0, sarama.OffsetNewest), "the latest offset")
		for partition := range int32(3) {
			equal(0, ask(three, partition, sarama.OffsetOldest), "the earliest offset of partition %d", partition)
			equal(500, ask(three, partition, sarama.OffsetNewest), "the latest offset of partition %d", partition)
		}
	})
	return true
}
