//! Level 2, what a broker must not take from a producer, and with which error it says so.

use rdkafka::error::RDKafkaErrorCode;

use crate::bench::{Bench, Delivery, Record, expect_run, large, now_ms, record, value};
use crate::report::Report;

pub fn run(report: &mut Report, bench: &'static Bench) {
    let send_one =
        move |topic: &str, record: Record, settings: &[(&str, &str)]| -> Delivery { bench.send(topic, &[record], settings).remove(0) };

    report.check("a record above max.message.bytes is refused as too large, and the next one is taken", move || {
        let topic = bench.topic("too-large", 1, &[("max.message.bytes", "10000")]);
        let usual = bench.topic("too-large-by-default", 1, &[]);
        let ample = [("message.max.bytes", "4194304")];
        let too_large = Err(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(too_large, send_one(&topic, Record { value: Some(large(20_000, 0)), ..record(0) }, &ample), "20,000 bytes");
        assert_eq!(0, send_one(&topic, record(0), &[]).expect("producing").0, "the offset of the next record");
        assert_eq!(too_large, send_one(&usual, Record { value: Some(large(2 << 20, 0)), ..record(0) }, &ample), "2 MiB");
        expect_run(&bench.read(&topic, 0, 1), 0, 0);
    });

    report.check("a timestamp too far ahead is refused", move || {
        let ahead = Record { timestamp: Some(now_ms() + 2 * 3_600_000), ..record(0) };
        assert_eq!(Err(RDKafkaErrorCode::InvalidTimestamp), send_one(&bench.topic("ahead", 1, &[]), ahead, &[]), "2 h ahead");
    });

    report.check("a record without a key is refused on a compacted topic", move || {
        let topic = bench.topic("compacted", 1, &[("cleanup.policy", "compact")]);
        let keyless = Record { value: Some(value(0)), ..Record::default() };
        assert_eq!(Err(RDKafkaErrorCode::InvalidRecord), send_one(&topic, keyless, &[]), "no key");
        assert_eq!(0, send_one(&topic, record(0), &[]).expect("producing").0, "the offset of the record with a key");
    });

    report.check("a record for a topic of an invalid name is refused", move || {
        assert_eq!(Err(RDKafkaErrorCode::InvalidTopic), send_one("no good", record(0), &[]), "a name with a space");
    });
}
