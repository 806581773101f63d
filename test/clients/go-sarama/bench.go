// What all levels work with: clients with bounded waits, topics with names of this run, and data that follows from an index.
// Knows nothing of what is checked.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

// wait bounds every wait for one answer or one batch of records.
const wait = 20 * time.Second

type bench struct {
	brokers []string
	run     string
	shared  sarama.ClusterAdmin
}

type option func(*sarama.Config)

func runName() string { return strconv.FormatInt(time.Now().UnixMilli(), 36) }

// config has the library's own defaults where a test can live with them: it speaks the versions of Kafka 2.8, is not
// idempotent, and waits for the leader's acknowledgement alone.
func config(options ...option) *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = "sarama-suite"
	c.Net.DialTimeout, c.Net.ReadTimeout, c.Net.WriteTimeout = 5*time.Second, wait, wait
	c.Metadata.Timeout = wait
	c.Metadata.RefreshFrequency = time.Minute
	c.Admin.Timeout = wait
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Flush.Frequency = 5 * time.Millisecond
	c.Consumer.Return.Errors = true
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	for _, set := range options {
		set(c)
	}
	return c
}

func (b *bench) newClient(options ...option) sarama.Client {
	client, err := sarama.NewClient(b.brokers, config(options...))
	done(err, "making a client")
	return client
}

// admin is shared by all checks; made at first use, since making it already needs the broker.
func (b *bench) admin() sarama.ClusterAdmin {
	if b.shared == nil {
		admin, err := sarama.NewClusterAdmin(b.brokers, config())
		done(err, "making an admin client")
		b.shared = admin
	}
	return b.shared
}

// name is a topic or group name that no other run uses, so that suites can share a broker and be repeated.
func (b *bench) name(format string, args ...any) string {
	return fmt.Sprintf("sarama-%s-", b.run) + fmt.Sprintf(format, args...)
}

// entries takes names and values of settings by turns.
func entries(pairs []string) map[string]*string {
	all := map[string]*string{}
	for at := 0; at < len(pairs); at += 2 {
		all[pairs[at]] = &pairs[at+1]
	}
	return all
}

// create asks for a topic of the name as it is; topic makes one with a name of this run and expects it to work.
func (b *bench) create(name string, partitions int32, settings ...string) error {
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries(settings)}
	return b.admin().CreateTopic(name, detail, false)
}

func (b *bench) topic(what string, partitions int32, settings ...string) string {
	name := b.name("%s", what)
	done(b.create(name, partitions, settings...), "creating "+name)
	b.known(name, int(partitions))
	return name
}

// known waits until metadata has the topic with its partitions: the controller answers before every broker has heard of it.
func (b *bench) known(topic string, partitions int) {
	eventually(topic+" is in metadata", func() bool {
		found := b.describe(topic)
		return found.Err == sarama.ErrNoError && len(found.Partitions) == partitions
	})
}

// describe is what metadata says of one topic, its error included.
func (b *bench) describe(topic string) *sarama.TopicMetadata {
	found, err := b.admin().DescribeTopics([]string{topic})
	done(err, "Metadata")
	equal(1, len(found), "the number of topics described")
	return found[0]
}

func key(index int) []byte { return fmt.Appendf(nil, "key-%d", index) }

// value is "value-INDEX-" and then up to 199 bytes that follow from the index.
func value(index int) []byte {
	bytes := fmt.Appendf(nil, "value-%d-", index)
	for at, end := len(bytes), len(bytes)+index%200; at < end; at++ {
		bytes = append(bytes, byte(index*31+at))
	}
	return bytes
}

func large(length, seed int) []byte {
	bytes := make([]byte, length)
	for at := range bytes {
		bytes[at] = byte(seed*7 + at*13 + at>>8)
	}
	return bytes
}

// message takes null as null: an encoder of no bytes would be an empty key or value.
func message(topic string, partition int32, key, value []byte) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Partition: partition}
	if key != nil {
		m.Key = sarama.ByteEncoder(key)
	}
	if value != nil {
		m.Value = sarama.ByteEncoder(value)
	}
	return m
}

func record(topic string, partition int32, index int) *sarama.ProducerMessage {
	return message(topic, partition, key(index), value(index))
}

// send produces messages all at once with a producer of its own, waits for every answer, and gives the first error.
func (b *bench) send(messages []*sarama.ProducerMessage, options ...option) error {
	producer, err := sarama.NewAsyncProducer(b.brokers, config(options...))
	done(err, "making a producer")
	defer producer.AsyncClose()
	go func() {
		for _, each := range messages {
			producer.Input() <- each
		}
	}()
	late := time.After(wait)
	for range messages {
		select {
		case <-producer.Successes():
		case failed := <-producer.Errors():
			return failed.Err
		case <-late:
			fail("not all of %d messages are answered after %v", len(messages), wait)
		}
	}
	return nil
}

func (b *bench) sendOne(message *sarama.ProducerMessage, options ...option) error {
	return b.send([]*sarama.ProducerMessage{message}, options...)
}

// sendRun produces the records of the indexes from (inclusive) to (exclusive) and gives them back with their offsets.
func (b *bench) sendRun(topic string, partition int32, from, to int, options ...option) []*sarama.ProducerMessage {
	run := make([]*sarama.ProducerMessage, 0, to-from)
	for index := from; index < to; index++ {
		run = append(run, record(topic, partition, index))
	}
	done(b.send(run, options...), "producing to "+topic)
	return run
}

// read takes count records of one partition from its first on, by assignment.
func (b *bench) read(topic string, partition int32, count int, options ...option) []*sarama.ConsumerMessage {
	return b.readFrom(topic, partition, sarama.OffsetOldest, count, options...)
}

// readFrom waits a little longer after the last record, which shows that there are no others.
func (b *bench) readFrom(topic string, partition int32, from int64, count int, options ...option) []*sarama.ConsumerMessage {
	consumer, err := sarama.NewConsumer(b.brokers, config(options...))
	done(err, "making a consumer")
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, partition, from)
	done(err, "reading "+topic)
	defer reader.AsyncClose()
	var found []*sarama.ConsumerMessage
	late := time.After(wait)
	for len(found) < count {
		select {
		case each := <-reader.Messages():
			found = append(found, each)
		case failed := <-reader.Errors():
			fail("reading %s: %v", topic, failed)
		case <-late:
			fail("%d of %d records of %s after %v", len(found), count, topic, wait)
		}
	}
	select {
	case more := <-reader.Messages():
		fail("one record more than %d, at offset %d", count, more.Offset)
	case <-time.After(150 * time.Millisecond):
	}
	return found
}

// none makes Kafka's code 0 no error, which the library passes on as one.
func none(err error) error {
	if errors.Is(err, sarama.ErrNoError) {
		return nil
	}
	return err
}

// expectRun: the records are those of the indexes from first on, at offsets that start at base and have no gaps.
func expectRun(records []*sarama.ConsumerMessage, base int64, first int) {
	for at, found := range records {
		equal(base+int64(at), found.Offset, "the offset of record %d", at)
		sameBytes(key(first+at), found.Key, "the key at offset %d", found.Offset)
		sameBytes(value(first+at), found.Value, "the value at offset %d", found.Offset)
	}
}

// eventually waits for what the broker promises soon but not in its answer, such as a topic's deletion to reach metadata.
func eventually(what string, holds func() bool) {
	end := time.Now().Add(wait)
	for !holds() {
		expect(time.Now().Before(end), "after %v still not: %s", wait, what)
		time.Sleep(25 * time.Millisecond)
	}
}

func compressed(codec sarama.CompressionCodec) option {
	return func(c *sarama.Config) { c.Producer.Compression = codec }
}

func acked(acks sarama.RequiredAcks) option {
	return func(c *sarama.Config) { c.Producer.RequiredAcks = acks }
}

func speaking(version sarama.KafkaVersion) option {
	return func(c *sarama.Config) { c.Version = version }
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Net.MaxOpenRequests = 1 // the library's own condition for idempotence
}
