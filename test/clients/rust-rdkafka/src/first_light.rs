//! Level 1: topics are created, records go in and come back the same, offsets and metadata tell the truth.
//! No consumer group, no idempotence, no compression: the least that makes a broker.

use rdkafka::admin::AdminOptions;
use rdkafka::consumer::Consumer;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::bench::{Bench, WAIT, expect_run, poll, value};
use crate::report::{Report, same_bytes};

const COUNT: usize = 20_000;

/// False when not even a topic could be made: then each further check would only wait in vain.
pub fn run(report: &mut Report, bench: &'static Bench) -> bool {
    let one: &'static str = bench.name("first-light-1").leak();
    let three: &'static str = bench.name("first-light-3").leak();

    report.check("the admin client creates a topic with one partition and a topic with three", move || {
        for (name, partitions) in [(one, 1), (three, 3)] {
            bench.create(name, partitions, &[], &AdminOptions::new()).expect("creating a topic");
            bench.known(name, partitions as usize);
        }
    });
    if report.failed > 0 {
        return false;
    }

    report.check("metadata lists both topics with every partition and its leader", move || {
        let metadata = bench.asking.fetch_metadata(None, WAIT).expect("Metadata");
        let nodes: Vec<i32> = metadata.brokers().iter().map(|broker| broker.id()).collect();
        for (name, partitions) in [(one, 1), (three, 3)] {
            let topic = metadata.topics().iter().find(|topic| topic.name() == name).expect("the topic is listed");
            assert_eq!(partitions, topic.partitions().len(), "the number of partitions of {name}");
            for partition in topic.partitions() {
                assert!(nodes.contains(&partition.leader()), "the leader {} is not listed", partition.leader());
                assert_eq!([partition.leader()], partition.isr(), "the in-sync replicas");
            }
        }
    });

    report.check("20,000 records with acks=all are acknowledged at contiguous offsets", move || {
        for (at, offset) in bench.send_run(one, 0, 0..COUNT, &[("acks", "all")]).into_iter().enumerate() {
            assert_eq!(at as i64, offset, "the acknowledged offset");
        }
    });

    report.check("20,000 records read by assignment come back byte for byte, in order, at contiguous offsets", move || {
        expect_run(&bench.read(one, 0, COUNT), 0, 0);
    });

    report.check("records sent to each of three partitions come back from that partition", move || {
        for partition in 0..3 {
            bench.send_run(three, partition as i32, partition * 1000..partition * 1000 + 500, &[("acks", "all")]);
        }
        for partition in 0..3 {
            expect_run(&bench.read(three, partition as i32, 500), 0, partition * 1000);
        }
    });

    report.check("one consumer reads three partitions at once", move || {
        let consumer = bench.consumer(&[]);
        let mut all = TopicPartitionList::new();
        for partition in 0..3 {
            all.add_partition_offset(three, partition, Offset::Beginning).expect("an offset");
        }
        consumer.fetch_metadata(Some(three), WAIT).expect("Metadata");
        consumer.assign(&all).expect("assigning");
        let mut next = [0, 0, 0];
        for found in poll(&consumer, 1500) {
            let partition = found.partition() as usize;
            assert_eq!(next[partition], found.offset(), "the offset in partition {partition}");
            same_bytes(Some(&value(partition * 1000 + found.offset() as usize)), found.payload(), "the value");
            next[partition] += 1;
        }
    });

    report.check("earliest and latest offsets are those of the log", move || {
        assert_eq!((0, COUNT as i64), bench.asking.fetch_watermarks(one, 0, WAIT).expect("ListOffsets"));
        for partition in 0..3 {
            assert_eq!((0, 500), bench.asking.fetch_watermarks(three, partition, WAIT).expect("ListOffsets"));
        }
    });
    true
}
