// Level 2, where reading starts: offsets by timestamp, the middle of a log and of a batch, and offsets outside of it.
package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	byTimeCount = 1000
	latestAt    = 600 // the index of the record with the largest timestamp
)

func offsets(report *report, bench *bench) {
	// An hour back, so that the largest of these timestamps lies in the past too.
	start := time.Now().Add(-time.Hour).UnixMilli()
	for _, how := range []string{"plain", "compressed"} {
		report.check("offsets are found by timestamp, in "+how+" batches too", func() {
			topic := bench.topic("by-time-"+how, 1)
			codec := kgo.NoCompression()
			if how == "compressed" {
				codec = kgo.ZstdCompression()
			}
			client := bench.newClient(kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(8192))
			defer client.Close()
			var sent []*kgo.Record
			for index := range byTimeCount {
				each := record(topic, 0, index)
				each.Timestamp = time.UnixMilli(start + int64(index)*10)
				if index == latestAt {
					each.Timestamp = time.UnixMilli(start + 1_000_000)
				}
				sent = append(sent, each)
			}
			done(send(client, sent...), "producing")
			after := func(millisecond int64) kadm.ListedOffset {
				return listed(topic, func(ctx context.Context) (kadm.ListedOffsets, error) {
					return bench.admin.ListOffsetsAfterMilli(ctx, millisecond, topic)
				})
			}
			for _, index := range []int64{0, 1, 2, 333, 599} {
				for _, early := range []int64{0, 5} {
					found := after(start + index*10 - early)
					equal(index, found.Offset, "the offset for the time of record %d less %d ms", index, early)
					equal(start+index*10, found.Timestamp, "the timestamp found")
				}
			}
			equal(latestAt, after(start+999_999).Offset, "the offset for the largest time but one")
			// Told that there is none, kadm asks for the end.
			equal(byTimeCount, after(start+1_000_001).Offset, "the offset for a time after all records")
			largest := listed(topic, func(ctx context.Context) (kadm.ListedOffsets, error) {
				return bench.admin.ListMaxTimestampOffsets(ctx, topic)
			})
			equal(latestAt, largest.Offset, "the offset of the largest timestamp")
			equal(start+1_000_000, largest.Timestamp, "the largest timestamp")
			expectRun(bench.readFrom(topic, 0, kgo.NewOffset().AfterMilli(start+7001), byTimeCount-latestAt), latestAt, latestAt)
		})
	}

	report.check("an empty partition has no offset for any timestamp", func() {
		topic := bench.topic("empty", 1)
		largest := listed(topic, func(ctx context.Context) (kadm.ListedOffsets, error) {
			return bench.admin.ListMaxTimestampOffsets(ctx, topic)
		})
		equal(-1, largest.Offset, "the offset of the largest timestamp")
		end := listed(topic, func(ctx context.Context) (kadm.ListedOffsets, error) { return bench.admin.ListEndOffsets(ctx, topic) })
		equal(0, end.Offset, "the latest offset")
	})

	report.check("reading starts at the offset asked for, also inside a compressed batch", func() {
		topic := bench.topic("middle", 1)
		bench.fill(topic, 0, 500, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(50*time.Millisecond))
		for _, from := range []int{1, 250, 499} {
			expectRun(bench.readFrom(topic, 0, kgo.NewOffset().At(int64(from)), 500-from), int64(from), from)
		}
	})

	report.check("small fetches see every record", func() {
		topic := bench.topic("small-fetches", 1)
		bench.fill(topic, 0, 500, kgo.ProducerBatchMaxBytes(2048))
		limits := []kgo.Opt{kgo.FetchMaxPartitionBytes(300), kgo.FetchMaxBytes(500)}
		expectRun(bench.readFrom(topic, 0, kgo.NewOffset().AtStart(), 500, limits...), 0, 0)
	})

	report.check("a waiting fetch is answered when a record arrives", func() {
		topic := bench.topic("waiting", 1)
		from := kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}})
		client := bench.newClient(kgo.FetchMaxWait(8*time.Second), from)
		defer client.Close()
		first, cancelFirst := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancelFirst()
		equal(0, client.PollFetches(first).NumRecords(), "the number of records before any was sent") // the fetch waits at the broker now
		bench.fill(topic, 0, 1)
		second, cancelSecond := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancelSecond()
		found := client.PollFetches(second).Records()
		equal(1, len(found), "the number of records within 4 s of their arrival")
		expectRun(found, 0, 0)
	})

	report.check("reading beyond the end is out of range, or starts over where the client is told to reset", func() {
		topic := bench.topic("beyond", 1)
		bench.fill(topic, 0, 10)
		beyond := kgo.NewOffset().At(1000)
		from := kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: beyond}})
		client := bench.newClient(from, kgo.ConsumeResetOffset(kgo.NoResetOffset()))
		defer client.Close()
		ctx, cancel := bounded()
		defer cancel()
		refused(kerr.OffsetOutOfRange, client.PollFetches(ctx).Err(), "fetching beyond the end")
		expectRun(bench.readFrom(topic, 0, beyond, 10, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 0, 0)
		bench.readFrom(topic, 0, beyond, 0, kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	})
}

// listed is what ListOffsets says of a topic's first partition.
func listed(topic string, list func(context.Context) (kadm.ListedOffsets, error)) kadm.ListedOffset {
	ctx, cancel := bounded()
	defer cancel()
	offsets, err := list(ctx)
	done(err, "listing offsets")
	found, ok := offsets.Lookup(topic, 0)
	expect(ok, "the partition is missing in the answer")
	done(found.Err, "listing the offset")
	return found
}
