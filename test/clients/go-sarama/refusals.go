// Level 2, what a broker must not take from a producer, and with which error it says so.
package main

import (
	"time"

	"github.com/IBM/sarama"
)

func refusals(report *report, bench *bench) {
	report.check("a record above max.message.bytes is refused as too large, and the next one is taken", func() {
		topic := bench.topic("too-large", 1, "max.message.bytes", "10000")
		usual := bench.topic("too-large-by-default", 1)
		ample := func(c *sarama.Config) { c.Producer.MaxMessageBytes = 4 << 20 }
		refused(sarama.ErrMessageSizeTooLarge, bench.sendOne(message(topic, 0, key(0), large(20_000, 0)), ample), "a record of 20,000 bytes")
		next := record(topic, 0, 0)
		done(bench.sendOne(next), "producing a small record")
		equal(0, next.Offset, "the offset of the next record")
		refused(sarama.ErrMessageSizeTooLarge, bench.sendOne(message(usual, 0, key(0), large(2<<20, 0)), ample), "a record of 2 MiB")
		expectRun(bench.read(topic, 0, 1), 0, 0)
	})

	report.check("a timestamp too far ahead is refused", func() {
		ahead := record(bench.topic("ahead", 1), 0, 0)
		ahead.Timestamp = time.Now().Add(2 * time.Hour)
		refused(sarama.ErrInvalidTimestamp, bench.sendOne(ahead), "a timestamp 2 h ahead")
	})

	report.check("a record without a key is refused on a compacted topic", func() {
		topic := bench.topic("compacted", 1, "cleanup.policy", "compact")
		refused(sarama.ErrInvalidRecord, bench.sendOne(message(topic, 0, nil, value(0))), "a record without a key")
		refused(sarama.ErrInvalidRecord, bench.sendOne(message(topic, 0, nil, value(0)), speaking(sarama.V2_0_0_0)), "the same by an older Produce")
		next := record(topic, 0, 0)
		done(bench.sendOne(next), "producing a record with a key")
		equal(0, next.Offset, "the offset of the record with a key")
	})

	report.check("a record for a topic of an invalid name is refused", func() {
		refused(sarama.ErrInvalidTopic, bench.sendOne(record("no good", 0, 0)), "a topic name with a space")
	})
}
