// Level 2, what a record may be and how it may be sent: idempotence, codecs, headers, nulls, size, acks, timestamps,
// and the old and new versions of Kafka that this library can be set to.
// Every check writes with this library and reads with it, and compares bytes.
package main

import (
	"time"

	"github.com/IBM/sarama"
)

func records(report *report, bench *bench) {
	report.check("an idempotent producer's records arrive once and in order", func() {
		topic := bench.topic("idempotent", 1)
		small := func(c *sarama.Config) { c.Producer.Flush.MaxMessages = 50 }
		for at, sent := range bench.sendRun(topic, 0, 0, 5000, idempotent, small) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
		expectRun(bench.read(topic, 0, 5000), 0, 0)
	})

	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	} {
		report.check("records compressed with "+codec.String()+" come back byte for byte", func() {
			topic := bench.topic("codec-"+codec.String(), 1)
			bench.sendRun(topic, 0, 0, 2000, compressed(codec))
			expectRun(bench.read(topic, 0, 2000), 0, 0)
		})
	}

	// Older ones can not be set up: Kafka 4 has no Produce below 3, the first with record batches.
	for _, version := range []sarama.KafkaVersion{sarama.V0_11_0_0, sarama.V1_0_0_0, sarama.V2_0_0_0, sarama.MaxVersion} {
		report.check("a client set to Kafka "+version.String()+" writes and reads the same records", func() {
			topic := bench.topic("speaking-"+version.String(), 1)
			bench.sendRun(topic, 0, 0, 1000, speaking(version), compressed(sarama.CompressionLZ4))
			expectRun(bench.read(topic, 0, 1000, speaking(version)), 0, 0)
		})
	}

	report.check("a topic with a compression.type of its own gives the same records back", func() {
		for _, own := range []string{"gzip", "zstd", "uncompressed"} {
			topic := bench.topic("recompressed-"+own, 1, "compression.type", own)
			bench.sendRun(topic, 0, 0, 500, compressed(sarama.CompressionLZ4))
			expectRun(bench.read(topic, 0, 500), 0, 0)
		}
	})

	report.check("headers come back in order, with null values, empty values and repeated keys", func() {
		topic := bench.topic("headers", 1)
		headers := []sarama.RecordHeader{
			{Key: []byte("plain"), Value: []byte("one")}, {Key: []byte("null"), Value: nil}, {Key: []byte("empty"), Value: []byte{}},
			{Key: []byte("plain"), Value: large(300, 1)}, {Key: []byte{}, Value: []byte{}}, {Key: []byte("ключ-🔑"), Value: []byte{}},
		}
		full := record(topic, 0, 0)
		full.Headers = headers
		done(bench.send([]*sarama.ProducerMessage{full, record(topic, 0, 1)}), "producing")
		found := bench.read(topic, 0, 2)
		expectRun(found, 0, 0)
		equal(len(headers), len(found[0].Headers), "the number of headers")
		for at, header := range found[0].Headers {
			sameBytes(headers[at].Key, header.Key, "the key of header %d", at)
			sameBytes(headers[at].Value, header.Value, "the value of header %d", at)
		}
		equal(0, len(found[1].Headers), "the number of headers of the plain record")
	})

	report.check("null keys, null values, empty keys and empty values stay what they are", func() {
		topic := bench.topic("nulls", 1)
		empty := []byte{}
		pairs := [][2][]byte{{nil, value(1)}, {key(2), nil}, {nil, nil}, {empty, empty}, {key(4), empty}, {empty, nil}, {nil, empty}}
		var messages []*sarama.ProducerMessage
		for _, pair := range pairs {
			messages = append(messages, message(topic, 0, pair[0], pair[1]))
		}
		done(bench.send(messages), "producing")
		for at, found := range bench.read(topic, 0, len(pairs)) {
			sameBytes(pairs[at][0], found.Key, "the key at offset %d", at)
			sameBytes(pairs[at][1], found.Value, "the value at offset %d", at)
		}
	})

	report.check("values of 1 MiB come back byte for byte", func() {
		topic := bench.topic("large", 1, "max.message.bytes", "2097152")
		var messages []*sarama.ProducerMessage
		for index := range 5 {
			messages = append(messages, message(topic, 0, key(index), large(1<<20, index)))
		}
		done(bench.send(messages, func(c *sarama.Config) { c.Producer.MaxMessageBytes = 2 << 20 }), "producing")
		// The default share of a partition in a fetch is 1 MiB, less than any of these batches.
		for at, found := range bench.read(topic, 0, 5) {
			sameBytes(large(1<<20, at), found.Value, "the value at offset %d", at)
		}
	})

	for at, acks := range []sarama.RequiredAcks{sarama.NoResponse, sarama.WaitForLocal, sarama.WaitForAll} {
		name := []string{"0", "1", "all"}[at]
		report.check("records sent with acks="+name+" are all there", func() {
			topic := bench.topic("acks-"+name, 1)
			bench.sendRun(topic, 0, 0, 500, acked(acks))
			expectRun(bench.read(topic, 0, 500), 0, 0)
		})
	}

	report.check("a record keeps the timestamp its producer gave it", func() {
		topic := bench.topic("create-time", 1)
		given := time.UnixMilli(time.Now().Add(-24 * time.Hour).UnixMilli())
		sent := record(topic, 0, 0)
		sent.Timestamp = given
		done(bench.sendOne(sent), "producing")
		equal(given.UnixMilli(), bench.read(topic, 0, 1)[0].Timestamp.UnixMilli(), "the timestamp")
	})

	report.check("a topic with LogAppendTime stamps records with the broker's time", func() {
		topic := bench.topic("append-time", 1, "message.timestamp.type", "LogAppendTime")
		before := time.Now()
		sent := record(topic, 0, 0)
		sent.Timestamp = before.Add(-24 * time.Hour)
		done(bench.sendOne(sent, compressed(sarama.CompressionLZ4)), "producing")
		found := bench.read(topic, 0, 1)
		expect(found[0].Timestamp.Sub(before).Abs() < 10*time.Second, "the timestamp is %v, sent at %v", found[0].Timestamp, before)
		equal(found[0].Timestamp.UnixMilli(), sent.Timestamp.UnixMilli(), "the acknowledged timestamp")
		expectRun(found, 0, 0)
	})

	report.check("a topic that is produced to before it exists is created", func() {
		topic := bench.name("unheard-of")
		for at, sent := range bench.sendRun(topic, 0, 0, 3) {
			equal(int64(at), sent.Offset, "the acknowledged offset")
		}
		expectRun(bench.read(topic, 0, 3), 0, 0)
	})
}
