//! Level 2, what a record may be and how it may be sent: idempotence, codecs, headers, nulls, size, acks, timestamps.
//! Every check writes with this library and reads with it, and compares bytes.

use rdkafka::message::Headers;
use rdkafka::{Message, Timestamp};

use crate::bench::{Bench, Record, expect_run, key, large, now_ms, record, value};
use crate::report::{Report, same_bytes};

pub fn run(report: &mut Report, bench: &'static Bench) {
    report.check("an idempotent producer's records arrive once and in order", move || {
        let topic = bench.topic("idempotent", 1, &[]);
        // Small batches and five requests in flight: many sequences, all of which the broker must take in order.
        let settings = [("enable.idempotence", "true"), ("batch.num.messages", "50"), ("linger.ms", "0")];
        for (at, offset) in bench.send_run(&topic, 0, 0..5000, &settings).into_iter().enumerate() {
            assert_eq!(at as i64, offset, "the acknowledged offset");
        }
        expect_run(&bench.read(&topic, 0, 5000), 0, 0);
    });

    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        report.check(format!("records compressed with {codec} come back byte for byte"), move || {
            let topic = bench.topic(&format!("codec-{codec}"), 1, &[]);
            bench.send_run(&topic, 0, 0..2000, &[("compression.type", codec), ("linger.ms", "20")]);
            expect_run(&bench.read(&topic, 0, 2000), 0, 0);
        });
    }

    report.check("a topic with a compression.type of its own gives the same records back", move || {
        for own in ["gzip", "zstd", "uncompressed"] {
            let topic = bench.topic(&format!("recompressed-{own}"), 1, &[("compression.type", own)]);
            bench.send_run(&topic, 0, 0..500, &[("compression.type", "lz4"), ("linger.ms", "20")]);
            expect_run(&bench.read(&topic, 0, 500), 0, 0);
        }
    });

    report.check("headers come back in order, with null values, empty values and repeated keys", move || {
        let topic = bench.topic("headers", 1, &[]);
        let headers = vec![
            ("plain", Some(b"one".to_vec())),
            ("null", None),
            ("empty", Some(vec![])),
            ("plain", Some(large(300, 1))),
            ("", Some(vec![])),
            ("ключ-🔑", Some(vec![])),
        ];
        let full = Record { headers: headers.clone(), ..record(0) };
        for answer in bench.send(&topic, &[full, record(1)], &[]) {
            answer.expect("producing");
        }
        let found = bench.read(&topic, 0, 2);
        expect_run(&found, 0, 0);
        let all: Vec<_> = found[0].headers().expect("headers").iter().collect();
        assert_eq!(headers.len(), all.len(), "the number of headers");
        for ((key, value), header) in headers.iter().zip(all) {
            assert_eq!(*key, header.key, "a header's key");
            same_bytes(value.as_deref(), header.value, &format!("the value of header {key}"));
        }
        assert!(found[1].headers().is_none_or(|none| none.count() == 0), "the plain record has headers");
    });

    report.check("null keys, null values, empty keys and empty values stay what they are", move || {
        let topic = bench.topic("nulls", 1, &[]);
        let empty = Some(vec![]);
        let pairs = [
            (None, Some(value(1))),
            (Some(key(2)), None),
            (None, None),
            (empty.clone(), empty.clone()),
            (Some(key(4)), empty.clone()),
            (empty.clone(), None),
            (None, empty.clone()),
        ];
        let records: Vec<Record> = pairs.iter().cloned().map(|(key, value)| Record { key, value, ..Record::default() }).collect();
        for answer in bench.send(&topic, &records, &[]) {
            answer.expect("producing");
        }
        for ((key, value), found) in pairs.iter().zip(bench.read(&topic, 0, pairs.len())) {
            same_bytes(key.as_deref(), found.key(), &format!("the key at offset {}", found.offset()));
            same_bytes(value.as_deref(), found.payload(), &format!("the value at offset {}", found.offset()));
        }
    });

    report.check("values of 1 MiB come back byte for byte", move || {
        let topic = bench.topic("large", 1, &[("max.message.bytes", "2097152")]);
        let records: Vec<Record> = (0..5).map(|index| Record { value: Some(large(1 << 20, index)), ..record(index) }).collect();
        for answer in bench.send(&topic, &records, &[("message.max.bytes", "2097152")]) {
            answer.expect("producing");
        }
        // The default limit of a partition's share of a fetch is 1 MiB, less than any of these batches.
        for (at, found) in bench.read(&topic, 0, 5).iter().enumerate() {
            same_bytes(Some(&large(1 << 20, at)), found.payload(), &format!("the value at offset {at}"));
        }
    });

    for acks in ["0", "1", "all"] {
        report.check(format!("records sent with acks={acks} are all there"), move || {
            let topic = bench.topic(&format!("acks-{acks}"), 1, &[]);
            bench.send_run(&topic, 0, 0..500, &[("acks", acks)]);
            expect_run(&bench.read(&topic, 0, 500), 0, 0);
        });
    }

    report.check("a record keeps the timestamp its producer gave it", move || {
        let topic = bench.topic("create-time", 1, &[]);
        let given = now_ms() - 86_400_000;
        bench.send(&topic, &[Record { timestamp: Some(given), ..record(0) }], &[]).remove(0).expect("producing");
        assert_eq!(Timestamp::CreateTime(given), bench.read(&topic, 0, 1)[0].timestamp(), "the timestamp");
    });

    report.check("a topic with LogAppendTime stamps records with the broker's time", move || {
        let topic = bench.topic("append-time", 1, &[("message.timestamp.type", "LogAppendTime")]);
        let before = now_ms();
        let sent = Record { timestamp: Some(before - 86_400_000), ..record(0) };
        let (_, acknowledged) = bench.send(&topic, &[sent], &[("compression.type", "lz4")]).remove(0).expect("producing");
        let found = bench.read(&topic, 0, 1);
        let Timestamp::LogAppendTime(stamped) = found[0].timestamp() else {
            panic!("the timestamp is {:?}", found[0].timestamp());
        };
        assert!((stamped - before).abs() < 10_000, "the timestamp is {stamped}, sent at {before}");
        assert_eq!(Some(stamped), acknowledged, "the acknowledged timestamp");
        expect_run(&found, 0, 0);
    });

    report.check("a topic that is produced to before it exists is created", move || {
        let topic = bench.name("unheard-of");
        assert_eq!(vec![0, 1, 2], bench.send_run(&topic, 0, 0..3, &[]), "the acknowledged offsets");
        expect_run(&bench.read(&topic, 0, 3), 0, 0);
    });
}
