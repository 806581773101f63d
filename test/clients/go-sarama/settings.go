// Level 2, administration beyond making topics: settings that change while records lie there, and the log's start moved on.
package main

import (
	"github.com/IBM/sarama"
)

func settings(report *report, bench *bench) {
	setting := func(topic, name string) string {
		found, err := bench.admin().DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{name}})
		done(err, "describing settings")
		equal(1, len(found), "the number of settings described")
		return found[0].Value
	}
	alter := func(topic string, validateOnly bool, name string, how sarama.IncrementalAlterConfigsOperation, value string) error {
		changes := map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: how, Value: &value}}
		return bench.admin().IncrementalAlterConfig(sarama.TopicResource, topic, changes, validateOnly)
	}
	const set, remove = sarama.IncrementalAlterConfigsOperationSet, sarama.IncrementalAlterConfigsOperationDelete
	const add, subtract = sarama.IncrementalAlterConfigsOperationAppend, sarama.IncrementalAlterConfigsOperationSubtract

	report.check("a topic's settings are set, appended to, subtracted from and deleted one by one", func() {
		topic := bench.topic("altered", 1, "segment.ms", "7200000")
		done(alter(topic, false, "retention.ms", set, "3600000"), "setting")
		done(alter(topic, false, "cleanup.policy", add, "compact"), "appending")
		done(alter(topic, false, "segment.ms", remove, ""), "deleting")
		eventually("the settings are changed", func() bool { return setting(topic, "segment.ms") == "604800000" })
		equal("3600000", setting(topic, "retention.ms"), "retention.ms")
		equal("delete,compact", setting(topic, "cleanup.policy"), "cleanup.policy")
		done(alter(topic, false, "cleanup.policy", subtract, "delete"), "subtracting")
		eventually("a list is shorter", func() bool { return setting(topic, "cleanup.policy") == "compact" })
	})

	report.check("invalid settings are refused, and a change that is only validated changes nothing", func() {
		topic := bench.topic("unaltered", 1)
		refused(sarama.ErrInvalidConfig, alter(topic, false, "retention.ms", set, "soon"), "retention.ms=soon")
		refused(sarama.ErrInvalidConfig, alter(topic, true, "retention.ms", set, "soon"), "validating retention.ms=soon")
		refused(sarama.ErrInvalidConfig, alter(topic, false, "no.such.setting", set, "1"), "no.such.setting=1")
		done(alter(topic, true, "retention.ms", set, "3600000"), "validating")
		equal("604800000", setting(topic, "retention.ms"), "retention.ms")
	})

	report.check("all of a topic's settings are replaced by the older AlterConfigs", func() {
		topic := bench.topic("replaced", 1, "segment.ms", "7200000")
		hour := "3600000"
		done(bench.admin().AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &hour}, false), "AlterConfigs")
		eventually("the settings are changed", func() bool { return setting(topic, "retention.ms") == hour })
		equal("604800000", setting(topic, "segment.ms"), "segment.ms, which the request left out,")
	})

	report.check("a changed max.message.bytes holds for the next record", func() {
		topic := bench.topic("tightened", 1)
		done(bench.sendOne(message(topic, 0, key(0), large(20_000, 0))), "producing")
		done(alter(topic, false, "max.message.bytes", set, "10000"), "altering")
		eventually("the setting is changed", func() bool { return setting(topic, "max.message.bytes") == "10000" })
		refused(sarama.ErrMessageSizeTooLarge, bench.sendOne(message(topic, 0, key(1), large(20_000, 0))), "a record of 20,000 bytes")
	})
}

// trimmed: level 3.
func trimmed(report *report, bench *bench) {
	report.check("records before an offset are deleted, and offsets go on from where they were", func() {
		topic := bench.topic("trimmed", 1)
		bench.sendRun(topic, 0, 0, 100)
		deleteBefore := func(offset int64) error { return bench.admin().DeleteRecords(topic, map[int32]int64{0: offset}) }
		done(deleteBefore(40), "deleting before 40")
		expectRun(bench.read(topic, 0, 60), 40, 40)
		refused(sarama.ErrOffsetOutOfRange, deleteBefore(101), "deleting beyond the end")
		done(deleteBefore(-1), "deleting all")
		client := bench.newClient()
		defer client.Close()
		start, err := client.GetOffset(topic, 0, sarama.OffsetOldest)
		done(err, "asking for the start")
		equal(100, start, "the earliest offset when all is deleted")
		next := record(topic, 0, 0)
		done(bench.sendOne(next), "producing")
		equal(100, next.Offset, "the next offset")
	})
}
