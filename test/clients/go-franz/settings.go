// Level 2, administration beyond making topics: settings that change while records lie there, and the log's start moved on.
package main

import (
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func settings(report *report, bench *bench) {
	report.check("a topic's settings are set, appended to, subtracted from and deleted one by one", func() {
		topic := bench.topic("altered", 1, "segment.ms", "7200000")
		done(bench.alter(topic, false,
			kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("3600000")},
			kadm.AlterConfig{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")},
			kadm.AlterConfig{Op: kadm.DeleteConfig, Name: "segment.ms"},
		), "altering")
		eventually("the settings are changed", func() bool { return bench.setting(topic, "retention.ms") == "3600000" })
		equal("delete,compact", bench.setting(topic, "cleanup.policy"), "cleanup.policy")
		equal("604800000", bench.setting(topic, "segment.ms"), "segment.ms")
		done(bench.alter(topic, false, kadm.AlterConfig{Op: kadm.SubtractConfig, Name: "cleanup.policy", Value: kadm.StringPtr("delete")}), "altering")
		eventually("a list is shorter", func() bool { return bench.setting(topic, "cleanup.policy") == "compact" })
	})

	report.check("invalid settings are refused, and a change that is only validated changes nothing", func() {
		topic := bench.topic("unaltered", 1)
		soon := kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("soon")}
		refused(kerr.InvalidConfig, bench.alter(topic, false, soon), "retention.ms=soon")
		refused(kerr.InvalidConfig, bench.alter(topic, true, soon), "validating retention.ms=soon")
		unknown := kadm.AlterConfig{Op: kadm.SetConfig, Name: "no.such.setting", Value: kadm.StringPtr("1")}
		refused(kerr.InvalidConfig, bench.alter(topic, false, unknown), "no.such.setting=1")
		done(bench.alter(topic, true, kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("3600000")}), "validating")
		equal("604800000", bench.setting(topic, "retention.ms"), "retention.ms")
	})

	report.check("all of a topic's settings are replaced by the older AlterConfigs", func() {
		topic := bench.topic("replaced", 1, "segment.ms", "7200000")
		ctx, cancel := bounded()
		defer cancel()
		answers, err := bench.admin.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr("3600000")}}, topic)
		done(err, "AlterConfigs")
		done(answers[0].Err, "replacing the settings")
		eventually("the settings are changed", func() bool { return bench.setting(topic, "retention.ms") == "3600000" })
		equal("604800000", bench.setting(topic, "segment.ms"), "segment.ms, which the request left out,")
	})

	report.check("a changed max.message.bytes holds for the next record", func() {
		topic := bench.topic("tightened", 1)
		client := bench.newClient(kgo.ProducerBatchCompression(kgo.NoCompression()))
		defer client.Close()
		done(send(client, &kgo.Record{Topic: topic, Key: key(0), Value: large(20_000, 0)}), "producing")
		done(bench.alter(topic, false, kadm.AlterConfig{Op: kadm.SetConfig, Name: "max.message.bytes", Value: kadm.StringPtr("10000")}), "altering")
		eventually("the setting is changed", func() bool { return bench.setting(topic, "max.message.bytes") == "10000" })
		refused(kerr.MessageTooLarge, send(client, &kgo.Record{Topic: topic, Key: key(1), Value: large(20_000, 0)}), "a record of 20,000 bytes")
	})
}

// trimmed: level 3.
func trimmed(report *report, bench *bench) {
	report.check("records before an offset are deleted, and offsets go on from where they were", func() {
		topic := bench.topic("trimmed", 1)
		bench.fill(topic, 0, 100)
		deleteBefore := func(offset int64) (int64, error) {
			ctx, cancel := bounded()
			defer cancel()
			var before kadm.Offsets
			before.AddOffset(topic, 0, offset, -1)
			answers, err := bench.admin.DeleteRecords(ctx, before)
			done(err, "DeleteRecords")
			return answers[topic][0].LowWatermark, answers[topic][0].Err
		}
		start, err := deleteBefore(40)
		done(err, "deleting before 40")
		equal(40, start, "the low watermark")
		expectRun(bench.read(topic, 0, 60), 40, 40)
		_, err = deleteBefore(101)
		refused(kerr.OffsetOutOfRange, err, "deleting beyond the end")
		start, err = deleteBefore(-1)
		done(err, "deleting all")
		equal(100, start, "the low watermark when all is deleted")
		client := bench.newClient()
		defer client.Close()
		next := record(topic, 0, 0)
		done(send(client, next), "producing")
		equal(100, next.Offset, "the next offset")
	})
}

func (b *bench) alter(topic string, validateOnly bool, changes ...kadm.AlterConfig) error {
	ctx, cancel := bounded()
	defer cancel()
	alter := b.admin.AlterTopicConfigs
	if validateOnly {
		alter = b.admin.ValidateAlterTopicConfigs
	}
	answers, err := alter(ctx, changes, topic)
	done(err, "IncrementalAlterConfigs")
	return answers[0].Err
}

func (b *bench) setting(topic, name string) string {
	found, err := b.settingsOf(topic)
	done(err, "describing settings")
	config := found[name]
	return config.MaybeValue()
}
