// Level 1: topics are created, records go in and come back the same, offsets and metadata tell the truth.
// No consumer group, no idempotence, no compression: the least that makes a broker.
package main

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

const firstLightCount = 20_000

// False when not even a topic could be made: then each further check would only wait in vain.
func firstLight(report *report, bench *bench) bool {
	one, three := bench.name("first-light-1"), bench.name("first-light-3")
	plain := []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.NoCompression())}

	report.check("the admin client creates a topic with one partition and a topic with three", func() {
		for name, partitions := range map[string]int32{one: 1, three: 3} {
			_, err := bench.create(name, partitions)
			done(err, "creating "+name)
			bench.known(name, int(partitions))
		}
	})
	if report.failed > 0 {
		return false
	}

	report.check("metadata lists both topics with every partition and its leader", func() {
		ctx, cancel := bounded()
		defer cancel()
		found, err := bench.admin.Metadata(ctx)
		done(err, "Metadata")
		for name, partitions := range map[string]int{one: 1, three: 3} {
			expect(found.Topics.Has(name), "%s is not listed", name)
			equal(partitions, len(found.Topics[name].Partitions), "the number of partitions of %s", name)
			for _, partition := range found.Topics[name].Partitions {
				expect(slices.Contains(found.Brokers.NodeIDs(), partition.Leader), "%v has no leader that is listed", partition)
				expect(slices.Equal([]int32{partition.Leader}, partition.ISR), "the in-sync replicas are %v", partition.ISR)
			}
		}
	})

	report.check("20,000 records with acks=all are acknowledged at contiguous offsets", func() {
		client := bench.newClient(plain...)
		defer client.Close()
		for at, sent := range sendRun(client, one, 0, 0, firstLightCount) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
	})

	report.check("20,000 records read by assignment come back byte for byte, in order, at contiguous offsets", func() {
		expectRun(bench.read(one, 0, firstLightCount), 0, 0)
	})

	report.check("records sent to each of three partitions come back from that partition", func() {
		client := bench.newClient(plain...)
		defer client.Close()
		for partition := range 3 {
			sendRun(client, three, int32(partition), partition*1000, partition*1000+500)
		}
		for partition := range 3 {
			expectRun(bench.read(three, int32(partition), 500), 0, partition*1000)
		}
	})

	report.check("one consumer reads three partitions at once", func() {
		start := kgo.NewOffset().AtStart()
		client := bench.newClient(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{three: {0: start, 1: start, 2: start}}))
		defer client.Close()
		next := map[int32]int64{}
		for _, found := range poll(client, 1500) {
			equal(next[found.Partition], found.Offset, "the offset in partition %d", found.Partition)
			sameBytes(value(int(found.Partition)*1000+int(found.Offset)), found.Value, "the value at offset %d", found.Offset)
			next[found.Partition]++
		}
	})

	report.check("earliest and latest offsets are those of the log", func() {
		ctx, cancel := bounded()
		defer cancel()
		starts, err := bench.admin.ListStartOffsets(ctx, one, three)
		done(err, "listing start offsets")
		ends, err := bench.admin.ListEndOffsets(ctx, one, three)
		done(err, "listing end offsets")
		equal(0, starts[one][0].Offset, "the earliest offset")
		equal(firstLightCount, ends[one][0].Offset, "the latest offset")
		for partition := range int32(3) {
			equal(0, starts[three][partition].Offset, "the earliest offset of partition %d", partition)
			equal(500, ends[three][partition].Offset, "the latest offset of partition %d", partition)
		}
	})
	return true
}
