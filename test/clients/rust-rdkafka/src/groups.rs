//! Level 2, consumer groups, run once for the classic protocol and once for the consumer protocol (KIP-848):
//! commits and what a group resumes from, partitions shared by two members, static members, administration of groups.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pollster::block_on;
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::OwnedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::bench::{Bench, Settings, WAIT, at, eventually, expect_run, poll};
use crate::report::{Check, Report};

#[derive(Clone, Copy)]
struct Groups {
    bench: &'static Bench,
    protocol: &'static str,
}

pub fn run(report: &mut Report, bench: &'static Bench) {
    let mut all: Vec<(String, Check)> = Vec::new();
    for protocol in ["classic", "consumer"] {
        let groups = Groups { bench, protocol };
        let mut add =
            |sentence: &str, check: fn(Groups)| all.push((format!("{sentence}, {protocol} protocol"), Box::new(move || check(groups))));
        add("a group reads every record once and resumes from its commit", Groups::resumes);
        add("two members share the partitions, and the one that stays takes over", Groups::shares);
        add("committed offsets are read back with their metadata", Groups::commits);
        add("a group is listed and described, kept while it has a member, and deleted when empty", Groups::administration);
        add("a static member that comes back finds its partitions without a rebalance", Groups::static_member);
    }
    report.together(all);
}

impl Groups {
    fn name(self, what: &str) -> String {
        self.bench.name(&format!("{}-{what}", self.protocol))
    }

    fn topic(self, what: &str, partitions: i32) -> String {
        self.bench.topic(&format!("{}-{what}", self.protocol), partitions, &[])
    }

    fn member(self, group: &str, topic: &str, settings: Settings) -> BaseConsumer {
        let own = [("group.id", group), ("client.id", group), ("group.protocol", self.protocol)];
        // By the consumer protocol the broker sets the pace, and the library refuses these.
        let pace: Settings =
            if self.protocol == "classic" { &[("heartbeat.interval.ms", "1000"), ("session.timeout.ms", "15000")] } else { &[] };
        let consumer = self.bench.consumer(&[&own, pace, settings].concat());
        consumer.subscribe(&[topic]).expect("subscribing");
        consumer
    }

    fn resumes(self) {
        let (topic, group) = (self.topic("resume", 3), self.name("resume"));
        let send = |range: std::ops::Range<usize>| {
            for partition in 0..3 {
                self.bench.send_run(&topic, partition, range.clone(), &[]);
            }
        };
        let read = |count: usize, commit: bool| {
            let consumer = self.member(&group, &topic, &[]);
            let found = poll(&consumer, count);
            if commit {
                consumer.commit_consumer_state(CommitMode::Sync).expect("committing");
            }
            found
        };
        send(0..300);
        expect_each(&read(900, true), 0, 300);
        send(300..350);
        expect_each(&read(150, false), 300, 350);
        // The second one left without a commit, so the third starts where the first committed.
        expect_each(&read(150, false), 300, 350);
    }

    fn shares(self) {
        let (topic, group) = (self.topic("share", 4), self.name("share"));
        let (first, second) = (self.member(&group, &topic, &[]), self.member(&group, &topic, &[]));
        let both_have_two = || assigned(&first).len() == 2 && assigned(&second).len() == 2;
        poll_until("both have two partitions", &[&first, &second], both_have_two);
        let all: BTreeSet<i32> = assigned(&first).union(&assigned(&second)).copied().collect();
        assert_eq!(BTreeSet::from([0, 1, 2, 3]), all, "the partitions the two have between them");
        for partition in 0..4 {
            self.bench.send_run(&topic, partition, 0..100, &[]);
        }
        for member in [&first, &second] {
            let found = poll(member, 200);
            for partition in assigned(member) {
                let own = of_partition(&found, partition);
                assert_eq!(100, own.len(), "the number of records of partition {partition}");
                expect_run(&own, 0, 0);
            }
            member.commit_consumer_state(CommitMode::Sync).expect("committing");
        }
        drop(first);
        poll_until("the one that stays has all", &[&second], || assigned(&second).len() == 4);
        for partition in 0..4 {
            self.bench.send_run(&topic, partition, 100..110, &[]);
        }
        for found in poll(&second, 40) {
            assert!(found.offset() >= 100, "offset {} was read again after its commit", found.offset());
        }
    }

    fn commits(self) {
        let (topic, group) = (self.topic("commits", 2), self.name("commits"));
        self.bench.send_run(&topic, 0, 0..50, &[]);
        let consumer = self.member(&group, &topic, &[]);
        poll(&consumer, 50);
        let note = "to here, ¾ of the way";
        let noted = at(&topic, 0, Offset::Offset(33));
        noted.find_partition(&topic, 0).expect("the partition").set_metadata(note);
        consumer.commit(&noted, CommitMode::Sync).expect("committing");
        let mut asked = at(&topic, 0, Offset::Invalid);
        asked.add_partition(&topic, 1);
        let found = consumer.committed_offsets(asked, WAIT).expect("fetching offsets");
        let zero = found.find_partition(&topic, 0).expect("the partition");
        assert_eq!(Offset::Offset(33), zero.offset(), "the committed offset");
        assert_eq!(note, zero.metadata(), "the metadata");
        let one = found.find_partition(&topic, 1).expect("the partition");
        assert_eq!(Offset::Invalid, one.offset(), "the commit of a partition without one");
        drop(consumer);
        let again = self.member(&group, &topic, &[]);
        expect_run(&poll(&again, 17), 33, 33);
    }

    fn administration(self) {
        let (topic, group) = (self.topic("admin", 2), self.name("admin"));
        let delete = || {
            let answers = block_on(self.bench.admin.delete_groups(&[&group], &AdminOptions::new())).expect("DeleteGroups");
            answers[0].clone().map(|_| ()).map_err(|(_, code)| code)
        };
        let consumer = self.member(&group, &topic, &[]);
        poll_until("the member has its partitions", &[&consumer], || assigned(&consumer).len() == 2);
        // The library's list asks ListGroups and DescribeGroups, which knows groups of the classic protocol alone.
        if self.protocol == "classic" {
            let listed = self.bench.asking.fetch_group_list(Some(&group), WAIT).expect("listing groups");
            let found = listed.groups().iter().find(|found| found.name() == group).expect("the group is listed");
            assert_eq!("Stable", found.state(), "the group's state");
            assert_eq!("consumer", found.protocol_type(), "the protocol type");
            assert_eq!(1, found.members().len(), "the number of members");
            assert_eq!(group, found.members()[0].client_id(), "the member's client id");
            let all = self.bench.asking.fetch_group_list(None, WAIT).expect("listing groups");
            assert!(all.groups().iter().any(|found| found.name() == group), "the group is not among all");
        }
        assert_eq!(Err(RDKafkaErrorCode::NonEmptyGroup), delete(), "deleting a group with a member");
        drop(consumer);
        eventually("the empty group is deleted", || delete().is_ok());
        assert_eq!(Err(RDKafkaErrorCode::GroupIdNotFound), delete(), "deleting it again");
    }

    fn static_member(self) {
        let (topic, group) = (self.topic("static", 4), self.name("static"));
        let member = |id: &str| self.member(&group, &topic, &[("group.instance.id", id)]);
        let (stays, leaves) = (member("stays"), member("leaves"));
        let both_have_two = || assigned(&stays).len() == 2 && assigned(&leaves).len() == 2;
        poll_until("both have two partitions", &[&stays, &leaves], both_have_two);
        let (kept, before) = (assigned(&stays), assigned(&leaves));
        drop(leaves);
        let again = member("leaves");
        poll_until("the one that came back has partitions", &[&stays, &again], || !assigned(&again).is_empty());
        assert_eq!(before, assigned(&again), "what the one that came back has");
        assert_eq!(kept, assigned(&stays), "what the other has");
    }
}

fn assigned(member: &BaseConsumer) -> BTreeSet<i32> {
    let list: TopicPartitionList = member.assignment().expect("an assignment");
    list.elements().iter().map(|element| element.partition()).collect()
}

/// Polls members by turns until a condition holds; nothing is due to be read meanwhile.
#[track_caller]
fn poll_until(what: &str, members: &[&BaseConsumer], mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + 2 * WAIT;
    while !holds() {
        assert!(Instant::now() < end, "after {:?} still not: {what}", 2 * WAIT);
        for member in members {
            if let Some(Ok(found)) = member.poll(Duration::from_millis(50)) {
                panic!("offset {} was read before it was due", found.offset());
            }
        }
    }
}

/// Each of three partitions gave exactly the records `from` to `to` (exclusive), in order.
#[track_caller]
fn expect_each(records: &[OwnedMessage], from: usize, to: usize) {
    for partition in 0..3 {
        let found = of_partition(records, partition);
        assert_eq!(to - from, found.len(), "the number of records of partition {partition}");
        expect_run(&found, from as i64, from);
    }
}

fn of_partition(records: &[OwnedMessage], partition: i32) -> Vec<OwnedMessage> {
    records.iter().filter(|found| found.partition() == partition).cloned().collect()
}
