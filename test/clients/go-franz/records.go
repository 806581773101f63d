// Level 2, what a record may be and how it may be sent: idempotence, codecs, headers, nulls, size, acks, timestamps.
// Every check writes with this library and reads with it, and compares bytes; this library also tells a batch's codec.
package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type codec struct {
	name   string
	option kgo.CompressionCodec
	id     uint8 // as it stands in a batch's attributes
}

var codecs = []codec{
	{"none", kgo.NoCompression(), 0},
	{"gzip", kgo.GzipCompression(), 1},
	{"snappy", kgo.SnappyCompression(), 2},
	{"lz4", kgo.Lz4Compression(), 3},
	{"zstd", kgo.ZstdCompression(), 4},
}

func records(report *report, bench *bench) {
	report.check("an idempotent producer's records arrive once and in order", func() {
		topic := bench.topic("idempotent", 1)
		// Small batches and five requests in flight: many sequences, all of which the broker must take in order.
		client := bench.newClient(kgo.ProducerBatchMaxBytes(4096), kgo.ProducerLinger(0))
		defer client.Close()
		for at, sent := range sendRun(client, topic, 0, 0, 5000) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
		expectRun(bench.read(topic, 0, 5000), 0, 0)
	})

	for _, codec := range codecs {
		report.check("records compressed with "+codec.name+" come back byte for byte", func() {
			topic := bench.topic("codec-"+codec.name, 1)
			bench.fill(topic, 0, 2000, kgo.ProducerBatchCompression(codec.option), kgo.ProducerLinger(20*time.Millisecond))
			found := bench.read(topic, 0, 2000)
			expectRun(found, 0, 0)
			equal(codec.id, found[1000].Attrs.CompressionType(), "the codec of the batch")
		})
	}

	report.check("a topic with a compression.type of its own gives the same records back", func() {
		for own, id := range map[string]uint8{"gzip": 1, "zstd": 4, "uncompressed": 0} {
			topic := bench.topic("recompressed-"+own, 1, "compression.type", own)
			bench.fill(topic, 0, 500, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(20*time.Millisecond))
			found := bench.read(topic, 0, 500)
			expectRun(found, 0, 0)
			equal(id, found[250].Attrs.CompressionType(), "the codec of the batch")
		}
	})

	report.check("headers come back in order, with null values, empty values and repeated keys", func() {
		topic := bench.topic("headers", 1)
		client := bench.newClient()
		defer client.Close()
		headers := []kgo.RecordHeader{
			{Key: "plain", Value: []byte("one")}, {Key: "null", Value: nil}, {Key: "empty", Value: []byte{}},
			{Key: "plain", Value: large(300, 1)}, {Key: "", Value: []byte{}}, {Key: "ключ-🔑", Value: []byte{}},
		}
		full := record(topic, 0, 0)
		full.Headers = headers
		done(send(client, full, record(topic, 0, 1)), "producing")
		found := bench.read(topic, 0, 2)
		expectRun(found, 0, 0)
		equal(len(headers), len(found[0].Headers), "the number of headers")
		for at, header := range found[0].Headers {
			equal(headers[at].Key, header.Key, "the key of header %d", at)
			sameBytes(headers[at].Value, header.Value, "the value of header %d", at)
		}
		equal(0, len(found[1].Headers), "the number of headers of the plain record")
	})

	report.check("null keys, null values, empty keys and empty values stay what they are", func() {
		topic := bench.topic("nulls", 1)
		client := bench.newClient()
		defer client.Close()
		empty := []byte{}
		pairs := [][2][]byte{{nil, value(1)}, {key(2), nil}, {nil, nil}, {empty, empty}, {key(4), empty}, {empty, nil}, {nil, empty}}
		for _, pair := range pairs {
			done(send(client, &kgo.Record{Topic: topic, Key: pair[0], Value: pair[1]}), "producing")
		}
		for at, found := range bench.read(topic, 0, len(pairs)) {
			sameBytes(pairs[at][0], found.Key, "the key at offset %d", at)
			sameBytes(pairs[at][1], found.Value, "the value at offset %d", at)
		}
	})

	report.check("values of 1 MiB come back byte for byte", func() {
		topic := bench.topic("large", 1, "max.message.bytes", "2097152")
		client := bench.newClient(kgo.ProducerBatchMaxBytes(2<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
		defer client.Close()
		var sent []*kgo.Record
		for index := range 5 {
			sent = append(sent, &kgo.Record{Topic: topic, Key: key(index), Value: large(1<<20, index)})
		}
		done(send(client, sent...), "producing")
		// The default limit of a partition's share of a fetch is 1 MiB, less than any of these batches.
		for at, found := range bench.read(topic, 0, 5) {
			sameBytes(large(1<<20, at), found.Value, "the value at offset %d", at)
		}
	})

	for at, acks := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck(), kgo.AllISRAcks()} {
		name := []string{"0", "1", "all"}[at]
		report.check("records sent with acks="+name+" are all there", func() {
			topic := bench.topic("acks-"+name, 1)
			bench.fill(topic, 0, 500, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
			expectRun(bench.read(topic, 0, 500), 0, 0)
		})
	}

	report.check("a record keeps the timestamp its producer gave it", func() {
		topic := bench.topic("create-time", 1)
		client := bench.newClient()
		defer client.Close()
		given := time.Now().Add(-24 * time.Hour).UnixMilli()
		sent := record(topic, 0, 0)
		sent.Timestamp = time.UnixMilli(given)
		done(send(client, sent), "producing")
		found := bench.read(topic, 0, 1)[0]
		equal(given, found.Timestamp.UnixMilli(), "the timestamp")
		equal(0, found.Attrs.TimestampType(), "the timestamp's type")
	})

	report.check("a topic with LogAppendTime stamps records with the broker's time", func() {
		topic := bench.topic("append-time", 1, "message.timestamp.type", "LogAppendTime")
		client := bench.newClient(kgo.ProducerBatchCompression(kgo.Lz4Compression()))
		defer client.Close()
		before := time.Now()
		sent := record(topic, 0, 0)
		sent.Timestamp = before.Add(-24 * time.Hour)
		done(send(client, sent), "producing")
		found := bench.read(topic, 0, 1)
		expect(found[0].Timestamp.Sub(before).Abs() < 10*time.Second, "the timestamp is %v, sent at %v", found[0].Timestamp, before)
		equal(1, found[0].Attrs.TimestampType(), "the timestamp's type")
		expectRun(found, 0, 0)
	})

	report.check("a topic that is produced to before it exists is created", func() {
		topic := bench.name("unheard-of")
		client := bench.newClient(kgo.AllowAutoTopicCreation())
		defer client.Close()
		for at, sent := range sendRun(client, topic, 0, 0, 3) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
		expectRun(bench.read(topic, 0, 3), 0, 0)
	})
}
