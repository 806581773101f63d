// What all levels work with: clients with bounded waits, topics with names of this run, and data that follows from an index.
// Knows nothing of what is checked.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wait bounds every wait for one answer or one batch of records.
const wait = 20 * time.Second

type bench struct {
	brokers string
	run     string
	client  *kgo.Client
	admin   *kadm.Client
}

func newBench(brokers string) *bench {
	b := &bench{brokers: brokers, run: strconv.FormatInt(time.Now().UnixMilli(), 36)}
	b.client = b.newClient()
	b.admin = kadm.NewClient(b.client)
	return b
}

// newClient has the library's own defaults, so it produces with idempotence, acks=all and five requests in flight, unless told otherwise.
func (b *bench) newClient(options ...kgo.Opt) *kgo.Client {
	all := []kgo.Opt{
		kgo.SeedBrokers(b.brokers),
		kgo.DialTimeout(5 * time.Second),
		kgo.RetryTimeout(10 * time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.FetchMaxWait(100 * time.Millisecond),
	}
	client, err := kgo.NewClient(append(all, options...)...)
	done(err, "making a client")
	return client
}

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), wait)
}

// name is a topic or group name that no other run uses, so that suites can share a broker and be repeated.
func (b *bench) name(format string, args ...any) string {
	return fmt.Sprintf("franz-%s-", b.run) + fmt.Sprintf(format, args...)
}

// configs takes names and values by turns.
func configs(pairs ...string) map[string]*string {
	all := map[string]*string{}
	for at := 0; at < len(pairs); at += 2 {
		all[pairs[at]] = &pairs[at+1]
	}
	return all
}

// create asks for a topic of the name as it is; topic makes one with a name of this run and expects it to work.
func (b *bench) create(name string, partitions int32, settings ...string) (kadm.CreateTopicResponse, error) {
	ctx, cancel := bounded()
	defer cancel()
	return b.admin.CreateTopic(ctx, partitions, 1, configs(settings...), name)
}

func (b *bench) topic(what string, partitions int32, settings ...string) string {
	name := b.name("%s", what)
	_, err := b.create(name, partitions, settings...)
	done(err, "creating "+name)
	b.known(name, int(partitions))
	return name
}

// known waits until metadata has the topic with its partitions: the controller answers before every broker has heard of it.
func (b *bench) known(topic string, partitions int) {
	eventually(topic+" is in metadata", func() bool {
		found := b.detail(topic)
		return found.Err == nil && len(found.Partitions) == partitions
	})
}

// request sends a message of the protocol as it is, for what kadm has no call for.
func request[Response any](b *bench, message interface {
	RequestWith(context.Context, kmsg.Requestor) (Response, error)
}) Response {
	ctx, cancel := bounded()
	defer cancel()
	response, err := message.RequestWith(ctx, b.client)
	done(err, fmt.Sprintf("%T", message))
	return response
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

func record(topic string, partition int32, index int) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Key: key(index), Value: value(index)}
}

// send produces records all at once, waits for every answer, and gives the first error.
func send(client *kgo.Client, records ...*kgo.Record) error {
	ctx, cancel := bounded()
	defer cancel()
	var answered sync.WaitGroup
	failures := make(chan error, len(records))
	for _, each := range records {
		answered.Add(1)
		client.Produce(ctx, each, func(_ *kgo.Record, err error) {
			if err != nil {
				failures <- err
			}
			answered.Done()
		})
	}
	answered.Wait()
	close(failures)
	return <-failures
}

// sendRun produces the records of the indexes from (inclusive) to (exclusive) and gives them back with their offsets.
func sendRun(client *kgo.Client, topic string, partition int32, from, to int) []*kgo.Record {
	run := make([]*kgo.Record, 0, to-from)
	for index := from; index < to; index++ {
		run = append(run, record(topic, partition, index))
	}
	done(send(client, run...), "producing to "+topic)
	return run
}

// fill gives a partition the records of the indexes 0 to count - 1.
func (b *bench) fill(topic string, partition int32, count int, options ...kgo.Opt) {
	client := b.newClient(options...)
	defer client.Close()
	sendRun(client, topic, partition, 0, count)
}

// read takes count records of one partition from its first on, by assignment.
func (b *bench) read(topic string, partition int32, count int) []*kgo.Record {
	return b.readFrom(topic, partition, kgo.NewOffset().AtStart(), count)
}

func (b *bench) readFrom(topic string, partition int32, from kgo.Offset, count int, options ...kgo.Opt) []*kgo.Record {
	client := b.newClient(append(options, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: from}}))...)
	defer client.Close()
	return poll(client, count)
}

// poll takes records until there are count; one more empty poll shows that there are no others.
func poll(client *kgo.Client, count int) []*kgo.Record {
	ctx, cancel := bounded()
	defer cancel()
	var records []*kgo.Record
	for len(records) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); errors.Is(err, context.DeadlineExceeded) {
			break
		}
		done(fetches.Err(), "fetching")
		records = append(records, fetches.Records()...)
	}
	more, cancelMore := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancelMore()
	records = append(records, client.PollFetches(more).Records()...)
	equal(count, len(records), "the number of records read")
	return records
}

// expectRun: the records are those of the indexes from first on, at offsets that start at base and have no gaps.
func expectRun(records []*kgo.Record, base int64, first int) {
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

func errorOf(code int16) error { return kerr.ErrorForCode(code) }
