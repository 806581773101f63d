// Level 2, where reading starts: offsets by timestamp, the middle of a log and of a batch, and offsets outside of it.
// This library asks ListOffsets 6 at most, which knows no largest timestamp.
package main

import (
	"time"

	"github.com/IBM/sarama"
)

const (
	byTimeCount = 1000
	latestAt    = 600 // the index of the record with the largest timestamp
)

func offsets(report *report, bench *bench) {
	// An hour back, so that the largest of these timestamps lies in the past too.
	start := time.Now().Add(-time.Hour).UnixMilli()
	for at, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionZSTD} {
		how := []string{"plain", "compressed"}[at]
		report.check("offsets are found by timestamp, in "+how+" batches too", func() {
			topic := bench.topic("by-time-"+how, 1)
			var messages []*sarama.ProducerMessage
			for index := range byTimeCount {
				each := record(topic, 0, index)
				each.Timestamp = time.UnixMilli(start + int64(index)*10)
				if index == latestAt {
					each.Timestamp = time.UnixMilli(start + 1_000_000)
				}
				messages = append(messages, each)
			}
			small := func(c *sarama.Config) { c.Producer.Flush.MaxMessages = 70 }
			done(bench.send(messages, compressed(codec), small), "producing")
			after := func(millisecond int64) *sarama.OffsetResult {
				found, err := bench.admin().ListOffsets(map[string]map[int32]int64{topic: {0: millisecond}}, nil)
				done(err, "ListOffsets")
				done(none(found[topic][0].Err), "ListOffsets")
				return found[topic][0]
			}
			for _, index := range []int64{0, 1, 2, 333, 599} {
				for _, early := range []int64{0, 5} {
					found := after(start + index*10 - early)
					equal(index, found.Offset, "the offset for the time of record %d less %d ms", index, early)
					equal(start+index*10, found.Timestamp, "the timestamp found")
				}
			}
			equal(latestAt, after(start+999_999).Offset, "the offset for the largest time but one")
			equal(-1, after(start+1_000_001).Offset, "the offset for a time after all records")
		})
	}

	report.check("an empty partition has no offset for any timestamp", func() {
		topic := bench.topic("empty", 1)
		client := bench.newClient()
		defer client.Close()
		for which, offset := range map[int64]int64{0: -1, sarama.OffsetNewest: 0, sarama.OffsetOldest: 0} {
			found, err := client.GetOffset(topic, 0, which)
			done(err, "asking for an offset")
			equal(offset, found, "the offset for %d", which)
		}
	})

	report.check("reading starts at the offset asked for, also inside a compressed batch", func() {
		topic := bench.topic("middle", 1)
		bench.sendRun(topic, 0, 0, 500, compressed(sarama.CompressionLZ4), func(c *sarama.Config) { c.Producer.Flush.Frequency = 50 * time.Millisecond })
		for _, from := range []int{1, 250, 499} {
			expectRun(bench.readFrom(topic, 0, int64(from), 500-from), int64(from), from)
		}
	})

	report.check("small fetches see every record", func() {
		topic := bench.topic("small-fetches", 1)
		bench.sendRun(topic, 0, 0, 500, func(c *sarama.Config) { c.Producer.Flush.MaxMessages = 20 })
		expectRun(bench.read(topic, 0, 500, func(c *sarama.Config) { c.Consumer.Fetch.Default = 300 }), 0, 0)
	})

	report.check("a waiting fetch is answered when a record arrives", func() {
		topic := bench.topic("waiting", 1)
		consumer, err := sarama.NewConsumer(bench.brokers, config(func(c *sarama.Config) { c.Consumer.MaxWaitTime = 8 * time.Second }))
		done(err, "making a consumer")
		reader, err := consumer.ConsumePartition(topic, 0, 0)
		done(err, "reading")
		// Not closed before the process ends: a close waits for the fetch that the library has sent meanwhile.
		defer reader.AsyncClose()
		select {
		case <-reader.Messages():
			fail("a record before any was sent")
		case <-time.After(300 * time.Millisecond): // the fetch waits at the broker now
		}
		bench.sendRun(topic, 0, 0, 1)
		select {
		case found := <-reader.Messages():
			expectRun([]*sarama.ConsumerMessage{found}, 0, 0)
		case <-time.After(4 * time.Second):
			fail("no record within 4 s of its arrival")
		}
	})

	report.check("reading beyond the end is out of range", func() {
		topic := bench.topic("beyond", 1)
		bench.sendRun(topic, 0, 0, 10)
		consumer, err := sarama.NewConsumer(bench.brokers, config())
		done(err, "making a consumer")
		defer consumer.Close()
		// The library compares with the ends of the log itself, so this checks ListOffsets more than Fetch.
		_, err = consumer.ConsumePartition(topic, 0, 1000)
		refused(sarama.ErrOffsetOutOfRange, err, "reading from 1000")
		bench.readFrom(topic, 0, 10, 0)

		client := bench.newClient()
		defer client.Close()
		leader, err := client.Leader(topic, 0)
		done(err, "asking for the leader")
		request := &sarama.FetchRequest{Version: 4, MaxWaitTime: 100, MinBytes: 1, MaxBytes: 1 << 20}
		request.AddBlock(topic, 0, 1000, 1<<20, -1)
		answer, err := leader.Fetch(request)
		done(err, "Fetch")
		refused(sarama.ErrOffsetOutOfRange, answer.GetBlock(topic, 0).Err, "Fetch from 1000")
	})
}
