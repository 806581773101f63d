//! Level 2, where reading starts: offsets by timestamp, the middle of a log and of a batch, and offsets outside of it.
//! The binding has no call for the offset of the largest timestamp.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Message, Offset};

use crate::bench::{Bench, Record, WAIT, at, code, eventually, expect_run, now_ms, record};
use crate::report::Report;

const COUNT: usize = 1000;
/// The index of the record with the largest timestamp.
const LATEST_AT: usize = 600;

pub fn run(report: &mut Report, bench: &'static Bench) {
    // An hour back, so that the largest of these timestamps lies in the past too.
    let start = now_ms() - 3_600_000;
    for (how, codec) in [("plain", "none"), ("compressed", "zstd")] {
        report.check(format!("offsets are found by timestamp, in {how} batches too"), move || {
            let topic = bench.topic(&format!("by-time-{how}"), 1, &[]);
            let time = |index: usize| if index == LATEST_AT { start + 1_000_000 } else { start + index as i64 * 10 };
            let records: Vec<Record> = (0..COUNT).map(|index| Record { timestamp: Some(time(index)), ..record(index) }).collect();
            for answer in bench.send(&topic, &records, &[("compression.type", codec), ("batch.num.messages", "70")]) {
                answer.expect("producing");
            }
            let after = |millisecond: i64| {
                let asked = at(&topic, 0, Offset::Offset(millisecond));
                let found = bench.asking.offsets_for_times(asked, WAIT).expect("ListOffsets");
                found.elements()[0].offset()
            };
            for index in [0, 1, 2, 333, 599] {
                for early in [0, 5] {
                    assert_eq!(Offset::Offset(index), after(start + index * 10 - early), "record {index} less {early} ms");
                }
            }
            assert_eq!(Offset::Offset(LATEST_AT as i64), after(start + 999_999), "the largest time but one");
            assert_eq!(Offset::End, after(start + 1_000_001), "a time after all records");
        });
    }

    report.check("an empty partition has no offset for any timestamp", move || {
        let topic = bench.topic("empty", 1, &[]);
        let found = bench.asking.offsets_for_times(at(&topic, 0, Offset::Offset(0)), WAIT).expect("ListOffsets");
        assert_eq!(Offset::End, found.elements()[0].offset(), "the offset for time 0");
        assert_eq!((0, 0), bench.asking.fetch_watermarks(&topic, 0, WAIT).expect("ListOffsets"), "the ends");
    });

    report.check("reading starts at the offset asked for, also inside a compressed batch", move || {
        let topic = bench.topic("middle", 1, &[]);
        bench.send_run(&topic, 0, 0..500, &[("compression.type", "lz4"), ("linger.ms", "50")]);
        for from in [1, 250, 499] {
            expect_run(&bench.read_from(&topic, 0, Offset::Offset(from as i64), 500 - from, &[]), from as i64, from);
        }
    });

    report.check("small fetches see every record", move || {
        let topic = bench.topic("small-fetches", 1, &[]);
        bench.send_run(&topic, 0, 0..500, &[("batch.num.messages", "20")]);
        // The limit of a whole fetch may not be below message.max.bytes, which may not be below 1,000.
        let limits = [("fetch.message.max.bytes", "300"), ("fetch.max.bytes", "1000"), ("message.max.bytes", "1000")];
        expect_run(&bench.read_from(&topic, 0, Offset::Beginning, 500, &limits), 0, 0);
    });

    report.check("a waiting fetch is answered when a record arrives", move || {
        let topic = bench.topic("waiting", 1, &[]);
        let consumer = bench.consumer(&[("fetch.wait.max.ms", "8000")]);
        consumer.assign(&at(&topic, 0, Offset::Offset(0))).expect("assigning");
        assert!(consumer.poll(Duration::from_millis(300)).is_none(), "a record before any was sent"); // the fetch waits now
        bench.send_run(&topic, 0, 0..1, &[]);
        let found = consumer.poll(Duration::from_secs(4)).expect("a record within 4 s of its arrival").expect("reading");
        expect_run(&[found.detach()], 0, 0);
    });

    report.check("reading beyond the end is out of range, or starts over where the client is told to reset", move || {
        let topic = bench.topic("beyond", 1, &[]);
        bench.send_run(&topic, 0, 0..10, &[]);
        let consumer = bench.consumer(&[("auto.offset.reset", "error")]);
        consumer.assign(&at(&topic, 0, Offset::Offset(1000))).expect("assigning");
        let mut refusal = None;
        eventually("the fetch is answered", || {
            refusal = consumer.poll(Duration::from_millis(100)).map(|answer| answer.map(|found| found.offset()));
            refusal.is_some()
        });
        // The library's word for OFFSET_OUT_OF_RANGE where it may not reset.
        let error = refusal.expect("an answer").expect_err("reading beyond the end");
        assert_eq!(RDKafkaErrorCode::AutoOffsetReset, code(&error), "the error");
        let beyond = Offset::Offset(1000);
        expect_run(&bench.read_from(&topic, 0, beyond, 10, &[("auto.offset.reset", "earliest")]), 0, 0);
        bench.read_from(&topic, 0, beyond, 0, &[("auto.offset.reset", "latest")]);
    });
}
