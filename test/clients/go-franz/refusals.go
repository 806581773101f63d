// Level 2, what a broker must not take from a producer, and with which error it says so.
package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func refusals(report *report, bench *bench) {
	report.check("a record above max.message.bytes is refused as too large, and the next one is taken", func() {
		topic := bench.topic("too-large", 1, "max.message.bytes", "10000")
		usual := bench.topic("too-large-by-default", 1)
		client := bench.newClient(kgo.ProducerBatchMaxBytes(4<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
		defer client.Close()
		refused(kerr.MessageTooLarge, send(client, &kgo.Record{Topic: topic, Key: key(0), Value: large(20_000, 0)}), "a record of 20,000 bytes")
		next := record(topic, 0, 0)
		done(send(client, next), "producing a small record")
		equal(0, next.Offset, "the offset of the next record")
		refused(kerr.MessageTooLarge, send(client, &kgo.Record{Topic: usual, Key: key(0), Value: large(2<<20, 0)}), "a record of 2 MiB")
		expectRun(bench.read(topic, 0, 1), 0, 0)
	})

	report.check("a timestamp too far ahead is refused", func() {
		client := bench.newClient()
		defer client.Close()
		ahead := record(bench.topic("ahead", 1), 0, 0)
		ahead.Timestamp = time.Now().Add(2 * time.Hour)
		refused(kerr.InvalidTimestamp, send(client, ahead), "a timestamp 2 h ahead")
	})

	report.check("a record without a key is refused on a compacted topic", func() {
		topic := bench.topic("compacted", 1, "cleanup.policy", "compact")
		client := bench.newClient()
		defer client.Close()
		refused(kerr.InvalidRecord, send(client, &kgo.Record{Topic: topic, Value: value(0)}), "a record without a key")
		next := record(topic, 0, 0)
		done(send(client, next), "producing a record with a key")
		equal(0, next.Offset, "the offset of the record with a key")
	})

	report.check("a record for a topic of an invalid name is refused", func() {
		client := bench.newClient(kgo.AllowAutoTopicCreation())
		defer client.Close()
		refused(kerr.InvalidTopicException, send(client, record("no good", 0, 0)), "a topic name with a space")
	})
}
