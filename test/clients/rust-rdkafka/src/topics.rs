//! Level 2, topic administration: create, list, describe, grow, delete, the cluster, and what must be refused.

use pollster::block_on;
use rdkafka::admin::{AdminOptions, ConfigResource, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;

use crate::bench::{Bench, WAIT, eventually, expect_run};
use crate::report::Report;

pub fn run(report: &mut Report, bench: &'static Bench) {
    report.check("the cluster is described with its id and its nodes", move || {
        let id = bench.admin.inner().fetch_cluster_id(WAIT).expect("a cluster id");
        assert!(!id.is_empty(), "the cluster id is empty");
        let metadata = bench.asking.fetch_metadata(None, WAIT).expect("Metadata");
        assert_eq!(1, metadata.brokers().len(), "the number of nodes");
        assert!(!metadata.brokers()[0].host().is_empty() && metadata.brokers()[0].port() > 0, "the node has no address");
        assert_eq!(metadata.brokers()[0].id(), metadata.orig_broker_id(), "the node that answered");
    });

    report.check("a topic whose size is left to the broker is created", move || {
        let name = bench.name("by-default");
        let topic = NewTopic::new(&name, -1, TopicReplication::Fixed(-1));
        bench.create_topic(&topic, &AdminOptions::new()).expect("creating a topic");
        eventually("the topic is in metadata", || bench.partitions(&name).is_ok_and(|count| count >= 1));
    });

    report.check("a topic with assigned replicas is created", move || {
        let node = [bench.asking.fetch_metadata(None, WAIT).expect("Metadata").orig_broker_id()];
        let name = bench.name("assigned");
        let assignment: [&[i32]; 2] = [&node, &node];
        let topic = NewTopic::new(&name, 2, TopicReplication::Variable(&assignment));
        bench.create_topic(&topic, &AdminOptions::new()).expect("creating a topic");
        bench.known(&name, 2);
    });

    report.check("a topic is listed and described by name", move || {
        let topic = bench.topic("described", 7, &[]);
        for asked in [None, Some(topic.as_str())] {
            let metadata = bench.asking.fetch_metadata(asked, WAIT).expect("Metadata");
            let found = metadata.topics().iter().find(|found| found.name() == topic).expect("the topic is listed");
            let mut partitions: Vec<i32> = found.partitions().iter().map(|partition| partition.id()).collect();
            partitions.sort();
            assert_eq!(vec![0, 1, 2, 3, 4, 5, 6], partitions, "the partitions");
            for partition in found.partitions() {
                assert_eq!([partition.leader()], partition.replicas(), "the replicas");
                assert_eq!([partition.leader()], partition.isr(), "the in-sync replicas");
            }
        }
    });

    report.check("a topic that is not there is refused as unknown", move || {
        let missing = bench.name("missing");
        assert_eq!(Err(RDKafkaErrorCode::UnknownTopicOrPartition), bench.partitions(&missing), "describing");
        assert_eq!(Err(RDKafkaErrorCode::UnknownTopicOrPartition), delete(bench, &missing), "deleting");
    });

    report.check("partitions are added to a topic and take records; fewer or as many are refused", move || {
        let topic = bench.topic("grown", 1, &[]);
        bench.send_run(&topic, 0, 0..10, &[]);
        grow(bench, &topic, 4, true).expect("validating");
        assert_eq!(Ok(1), bench.partitions(&topic), "the number of partitions after a request that only validates");
        grow(bench, &topic, 3, false).expect("adding partitions");
        bench.known(&topic, 3);
        bench.send_run(&topic, 2, 0..20, &[]);
        expect_run(&bench.read(&topic, 0, 10), 0, 0);
        expect_run(&bench.read(&topic, 2, 20), 0, 0);
        for count in [3, 2] {
            assert_eq!(Err(RDKafkaErrorCode::InvalidPartitions), grow(bench, &topic, count, false), "growth to {count}");
        }
        let missing = grow(bench, &bench.name("missing"), 2, false);
        assert_eq!(Err(RDKafkaErrorCode::UnknownTopicOrPartition), missing, "growth of no topic");
    });

    report.check("a topic's settings are described with value and source", move || {
        let topic = bench.topic("configured", 1, &[("retention.ms", "86400000"), ("cleanup.policy", "compact,delete")]);
        let found = settings_of(bench, ResourceSpecifier::Topic(&topic));
        let entry = |name: &str| found.get(name).expect("the setting is described");
        assert_eq!(Some("86400000"), entry("retention.ms").value.as_deref(), "retention.ms");
        assert_eq!(ConfigSource::DynamicTopic, entry("retention.ms").source, "the source of retention.ms");
        assert_eq!(Some("compact,delete"), entry("cleanup.policy").value.as_deref(), "cleanup.policy");
        assert_eq!(Some("1073741824"), entry("segment.bytes").value.as_deref(), "segment.bytes");
        assert!(entry("segment.bytes").is_default, "segment.bytes is no default");
        assert!(!entry("segment.bytes").is_read_only && !entry("segment.bytes").is_sensitive, "segment.bytes is read-only or sensitive");
        assert!(found.entries.len() >= 25, "only {} settings", found.entries.len());
        // The binding loses a resource's error; what is left of the refusal is that there are no settings.
        let missing = settings_of(bench, ResourceSpecifier::Topic(&bench.name("missing")));
        assert_eq!(0, missing.entries.len(), "the number of settings of no topic");
    });

    report.check("the broker's settings are described", move || {
        let node = bench.asking.fetch_metadata(None, WAIT).expect("Metadata").orig_broker_id();
        let found = settings_of(bench, ResourceSpecifier::Broker(node));
        for name in ["auto.create.topics.enable", "num.partitions", "message.max.bytes", "log.retention.ms", "listeners"] {
            assert!(found.get(name).is_some(), "{name} is not described");
        }
        let creation = found.get("auto.create.topics.enable").expect("the setting is described");
        assert_eq!(Some("true"), creation.value.as_deref(), "auto.create.topics.enable");
    });

    report.check("a topic creation that is only validated creates nothing and refuses what creation would", move || {
        let name = bench.name("validated");
        let only = AdminOptions::new().validate_only(true);
        bench.create(&name, 3, &[], &only).expect("validating");
        assert_eq!(Err(RDKafkaErrorCode::UnknownTopicOrPartition), bench.partitions(&name), "describing what was only validated");
        assert_eq!(Err(RDKafkaErrorCode::InvalidTopic), bench.create("no good", 1, &[], &only), "validating an invalid name");
    });

    report.check("a topic that exists is refused, and what was asked beside it is done", move || {
        let there = bench.topic("there", 1, &[]);
        let beside = bench.name("beside");
        let topics = [&there, &beside].map(|name| NewTopic::new(name, 1, TopicReplication::Fixed(1)));
        let answers = block_on(bench.admin.create_topics(&topics, &AdminOptions::new())).expect("CreateTopics");
        assert!(answers.contains(&Err((there, RDKafkaErrorCode::TopicAlreadyExists))), "the answers are {answers:?}");
        assert!(answers.contains(&Ok(beside.clone())), "the answers are {answers:?}");
        bench.known(&beside, 1);
    });

    report.check("invalid topic names are refused", move || {
        for name in ["no good", "a/b", "..", ".", &"x".repeat(250), "ä", "a:b", "line\nbreak"] {
            assert_eq!(Err(RDKafkaErrorCode::InvalidTopic), bench.create(name, 1, &[], &AdminOptions::new()), "{name:?}");
        }
        bench.topic(&"y".repeat(249 - bench.name("").len()), 1, &[]);
    });

    report.check("a topic name that differs from another only in dots and underscores is refused", move || {
        bench.topic("col.lides", 1, &[]);
        let other = bench.create(&bench.name("col_lides"), 1, &[], &AdminOptions::new());
        assert_eq!(Err(RDKafkaErrorCode::InvalidTopic), other, "the other name");
    });

    report.check("invalid sizes and settings of a topic are refused", move || {
        let name = bench.name("invalid");
        let three = NewTopic::new(&name, 1, TopicReplication::Fixed(3));
        let refused = bench.create_topic(&three, &AdminOptions::new());
        assert_eq!(Err(RDKafkaErrorCode::InvalidReplicationFactor), refused, "three replicas on one node");
        for (setting, value) in [("no.such.setting", "1"), ("retention.ms", "soon"), ("cleanup.policy", "burn")] {
            let refused = bench.create(&name, 1, &[(setting, value)], &AdminOptions::new());
            assert_eq!(Err(RDKafkaErrorCode::InvalidConfig), refused, "{setting}={value}");
        }
        assert_eq!(Err(RDKafkaErrorCode::UnknownTopicOrPartition), bench.partitions(&name), "describing {name}");
    });

    report.check("a deleted topic is gone, and can be made anew", move || {
        let topic = bench.topic("deleted", 3, &[]);
        bench.send_run(&topic, 0, 0..10, &[]);
        delete(bench, &topic).expect("deleting");
        eventually("the topic is gone", || bench.partitions(&topic) == Err(RDKafkaErrorCode::UnknownTopicOrPartition));
        bench.create(&topic, 1, &[], &AdminOptions::new()).expect("creating the topic anew");
        bench.known(&topic, 1);
        bench.read(&topic, 0, 0);
    });
}

fn delete(bench: &Bench, topic: &str) -> Result<(), RDKafkaErrorCode> {
    let answers = block_on(bench.admin.delete_topics(&[topic], &AdminOptions::new())).expect("DeleteTopics");
    answers[0].clone().map(|_| ()).map_err(|(_, code)| code)
}

fn grow(bench: &Bench, topic: &str, count: usize, validate_only: bool) -> Result<(), RDKafkaErrorCode> {
    let options = AdminOptions::new().validate_only(validate_only);
    let answers = block_on(bench.admin.create_partitions(&[NewPartitions::new(topic, count)], &options)).expect("CreatePartitions");
    answers[0].clone().map(|_| ()).map_err(|(_, code)| code)
}

pub fn settings_of(bench: &Bench, resource: ResourceSpecifier) -> ConfigResource {
    let mut answers = block_on(bench.admin.describe_configs([&resource], &AdminOptions::new())).expect("DescribeConfigs");
    answers.remove(0).expect("describing settings")
}
