//! What all levels work with: clients with bounded waits, topics with names of this run, and data that follows from an index.
//! Knows nothing of what is checked.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pollster::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

use crate::report::same_bytes;

/// Bounds every wait for one answer or one batch of records.
pub const WAIT: Duration = Duration::from_secs(20);

pub type Settings<'a> = &'a [(&'a str, &'a str)];

pub struct Bench {
    brokers: String,
    run: u128,
    pub admin: AdminClient<DefaultClientContext>,
    /// Asks for metadata and offsets; reads nothing.
    pub asking: BaseConsumer,
}

/// Keeps what became of each record, in the order of the answers.
pub struct Deliveries(Mutex<Vec<(usize, Delivery)>>);

/// The offset and timestamp that the broker acknowledged.
pub type Delivery = Result<(i64, Option<i64>), RDKafkaErrorCode>;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, index: Box<usize>) {
        let delivery = match result {
            Ok(message) => Ok((message.offset(), message.timestamp().to_millis())),
            Err((error, _)) => Err(code(error)),
        };
        self.0.lock().unwrap().push((*index, delivery));
    }
}

/// A record to be sent; the key and the value may be null.
#[derive(Clone, Default)]
pub struct Record {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub timestamp: Option<i64>,
    pub headers: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Bench {
    pub fn new(brokers: &str) -> Bench {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("socket.timeout.ms", "10000");
        Bench {
            brokers: brokers.to_string(),
            run: SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis(),
            admin: config.create().expect("making an admin client"),
            asking: config.create().expect("making a consumer"),
        }
    }

    /// The library's own defaults, so without idempotence and with acks=all, unless told otherwise.
    pub fn config(&self, settings: Settings) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("socket.timeout.ms", "10000");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config
    }

    /// A topic or group name that no other run uses, so that suites can share a broker and be repeated.
    pub fn name(&self, what: &str) -> String {
        format!("rdkafka-{}-{what}", self.run)
    }

    /// Asks for a topic of the name as it is; `topic` makes one with a name of this run and expects it to work.
    pub fn create(&self, name: &str, partitions: i32, settings: Settings, options: &AdminOptions) -> Result<(), RDKafkaErrorCode> {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (setting, value) in settings {
            topic = topic.set(setting, value);
        }
        self.create_topic(&topic, options)
    }

    pub fn create_topic(&self, topic: &NewTopic, options: &AdminOptions) -> Result<(), RDKafkaErrorCode> {
        let answers = block_on(self.admin.create_topics([topic], options)).expect("CreateTopics");
        answers[0].clone().map(|_| ()).map_err(|(_, code)| code)
    }

    pub fn topic(&self, what: &str, partitions: i32, settings: Settings) -> String {
        let name = self.name(what);
        self.create(&name, partitions, settings, &AdminOptions::new()).expect("creating a topic");
        self.known(&name, partitions as usize);
        name
    }

    /// Waits until metadata has the topic: the controller answers before every broker has heard of it.
    pub fn known(&self, topic: &str, partitions: usize) {
        eventually("the topic is in metadata", || self.partitions(topic) == Ok(partitions));
    }

    /// How many partitions metadata says the topic has; asking does not create it.
    pub fn partitions(&self, topic: &str) -> Result<usize, RDKafkaErrorCode> {
        let metadata = self.asking.fetch_metadata(Some(topic), WAIT).expect("Metadata");
        let found = &metadata.topics()[0];
        match found.error() {
            None => Ok(found.partitions().len()),
            Some(error) => Err(error.into()),
        }
    }

    /// Sends all at once with a producer of its own, and gives what became of each, in the order given.
    pub fn send(&self, topic: &str, records: &[Record], settings: Settings) -> Vec<Delivery> {
        let mut config = self.config(&[("linger.ms", "5"), ("message.timeout.ms", "15000")]);
        for (name, value) in settings {
            config.set(*name, *value);
        }
        let context = Deliveries(Mutex::new(Vec::with_capacity(records.len())));
        let producer: BaseProducer<Deliveries> = config.create_with_context(context).expect("making a producer");
        let mut refused = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let headers =
                record.headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: value.as_deref() }));
            let wire = BaseRecord::<[u8], [u8], Box<usize>> {
                topic,
                partition: Some(record.partition),
                payload: record.value.as_deref(),
                key: record.key.as_deref(),
                timestamp: record.timestamp,
                headers: if record.headers.is_empty() { None } else { Some(headers) },
                delivery_opaque: Box::new(index),
            };
            if let Err((error, _)) = producer.send(wire) {
                refused.push((index, Err(code(&error))));
            }
        }
        let end = Instant::now() + WAIT;
        let mut answers = loop {
            producer.poll(Duration::from_millis(20));
            let mut known = rdkafka::producer::Producer::context(&producer).0.lock().unwrap();
            if known.len() + refused.len() == records.len() {
                break std::mem::take(&mut *known);
            }
            assert!(Instant::now() < end, "{} of {} records are answered after {WAIT:?}", known.len(), records.len());
        };
        answers.append(&mut refused);
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, delivery)| delivery).collect()
    }

    /// Sends records of the indexes in a range and gives the acknowledged offsets.
    pub fn send_run(&self, topic: &str, partition: i32, range: std::ops::Range<usize>, settings: Settings) -> Vec<i64> {
        let records: Vec<Record> = range.map(|index| Record { partition, ..record(index) }).collect();
        let answers = self.send(topic, &records, settings);
        answers.into_iter().map(|answer| answer.expect("producing").0).collect()
    }

    pub fn consumer(&self, settings: Settings) -> BaseConsumer {
        // The library assigns nothing without a group's name, even where the group is never asked.
        let own = [
            ("group.id", "reads by assignment"),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "100"),
        ];
        self.config(&[&own, settings].concat()).create().expect("making a consumer")
    }

    /// Reads `count` records of one partition from its first on, by assignment.
    pub fn read(&self, topic: &str, partition: i32, count: usize) -> Vec<OwnedMessage> {
        self.read_from(topic, partition, Offset::Beginning, count, &[])
    }

    pub fn read_from(&self, topic: &str, partition: i32, from: Offset, count: usize, settings: Settings) -> Vec<OwnedMessage> {
        let consumer = self.consumer(settings);
        // Assigned before it has a connection the library would try its first fetch half a second later.
        consumer.fetch_metadata(Some(topic), WAIT).expect("Metadata");
        consumer.assign(&at(topic, partition, from)).expect("assigning");
        poll(&consumer, count)
    }
}

pub fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

pub fn at(topic: &str, partition: i32, offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, offset).expect("an offset");
    list
}

pub fn key(index: usize) -> Vec<u8> {
    format!("key-{index}").into_bytes()
}

/// "value-INDEX-" and then up to 199 bytes that follow from the index.
pub fn value(index: usize) -> Vec<u8> {
    let mut bytes = format!("value-{index}-").into_bytes();
    let start = bytes.len();
    bytes.extend((start..start + index % 200).map(|at| (index * 31 + at) as u8));
    bytes
}

pub fn large(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| (seed * 7 + at * 13 + (at >> 8)) as u8).collect()
}

pub fn record(index: usize) -> Record {
    Record { key: Some(key(index)), value: Some(value(index)), ..Record::default() }
}

/// Polls until there are `count` records; a little more waiting shows that there are no others.
pub fn poll(consumer: &BaseConsumer, count: usize) -> Vec<OwnedMessage> {
    let end = Instant::now() + WAIT;
    let mut found = Vec::with_capacity(count);
    while found.len() < count && Instant::now() < end {
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            found.push(message.expect("reading").detach());
        }
    }
    if let Some(Ok(more)) = consumer.poll(Duration::from_millis(150)) {
        found.push(more.detach());
    }
    assert_eq!(count, found.len(), "the number of records read");
    found
}

/// The records are those of the indexes from `first` on, at offsets that start at `base` and have no gaps.
#[track_caller]
pub fn expect_run(records: &[OwnedMessage], base: i64, first: usize) {
    for (at, found) in records.iter().enumerate() {
        assert_eq!(base + at as i64, found.offset(), "the offset of record {at}");
        same_bytes(Some(&key(first + at)), found.key(), &format!("the key at offset {}", found.offset()));
        same_bytes(Some(&value(first + at)), found.payload(), &format!("the value at offset {}", found.offset()));
    }
}

/// Waits for what the broker promises soon but not in its answer, such as a topic's deletion to reach metadata.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + WAIT;
    while !holds() {
        assert!(Instant::now() < end, "after {WAIT:?} still not: {what}");
        thread::sleep(Duration::from_millis(25));
    }
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis() as i64
}
