//! Level 2, administration beyond making topics: settings that change while records lie there, and the log's start moved on.
//! The binding alters settings by the older AlterConfigs alone, which replaces all of a topic's own.

use pollster::block_on;
use rdkafka::Offset;
use rdkafka::admin::{AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;

use crate::bench::{Bench, Record, WAIT, at, code, eventually, expect_run, large, record};
use crate::report::Report;
use crate::topics::settings_of;

pub fn run(report: &mut Report, bench: &'static Bench) {
    let setting = move |topic: &str, name: &str| {
        let found = settings_of(bench, ResourceSpecifier::Topic(topic));
        found.get(name).and_then(|entry| entry.value.clone())
    };
    let alter = move |topic: &str, name: &str, value: &str, validate_only: bool| {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
        let options = AdminOptions::new().validate_only(validate_only);
        // The binding answers that each setting is changed even where the broker refuses: it loses a resource's error.
        block_on(bench.admin.alter_configs([&change], &options)).expect("AlterConfigs");
    };

    report.check("all of a topic's settings are replaced by the older AlterConfigs", move || {
        let topic = bench.topic("replaced", 1, &[("segment.ms", "7200000")]);
        alter(&topic, "retention.ms", "3600000", false);
        eventually("the settings are changed", || setting(&topic, "retention.ms").as_deref() == Some("3600000"));
        assert_eq!(Some("604800000".to_string()), setting(&topic, "segment.ms"), "segment.ms, which the request left out,");
    });

    report.check("invalid settings and a change that is only validated change nothing", move || {
        let topic = bench.topic("unaltered", 1, &[("segment.ms", "7200000")]);
        alter(&topic, "retention.ms", "soon", false);
        alter(&topic, "no.such.setting", "1", false);
        alter(&topic, "retention.ms", "3600000", true);
        // Any of the three would have taken the topic's own setting away too.
        assert_eq!(Some("7200000".to_string()), setting(&topic, "segment.ms"), "segment.ms");
        assert_eq!(Some("604800000".to_string()), setting(&topic, "retention.ms"), "retention.ms");
    });

    report.check("a changed max.message.bytes holds for the next record", move || {
        let topic = bench.topic("tightened", 1, &[]);
        let wide = Record { value: Some(large(20_000, 0)), ..record(0) };
        bench.send(&topic, std::slice::from_ref(&wide), &[]).remove(0).expect("producing");
        alter(&topic, "max.message.bytes", "10000", false);
        eventually("the setting is changed", || setting(&topic, "max.message.bytes").as_deref() == Some("10000"));
        assert_eq!(Err(RDKafkaErrorCode::MessageSizeTooLarge), bench.send(&topic, &[wide], &[]).remove(0), "20,000 bytes");
    });
}

/// Level 3.
pub fn trim(report: &mut Report, bench: &'static Bench) {
    report.check("records before an offset are deleted, and offsets go on from where they were", move || {
        let topic = bench.topic("trimmed", 1, &[]);
        bench.send_run(&topic, 0, 0..100, &[]);
        let delete_before = |offset: Offset| {
            let answer = block_on(bench.admin.delete_records(&at(&topic, 0, offset), &AdminOptions::new())).expect("DeleteRecords");
            let element = &answer.elements()[0];
            element.error().map(|_| element.offset()).map_err(|error| code(&error))
        };
        assert_eq!(Ok(Offset::Offset(40)), delete_before(Offset::Offset(40)), "the low watermark");
        expect_run(&bench.read(&topic, 0, 60), 40, 40);
        assert_eq!(Err(RDKafkaErrorCode::OffsetOutOfRange), delete_before(Offset::Offset(101)), "deleting beyond the end");
        assert_eq!(Ok(Offset::Offset(100)), delete_before(Offset::End), "the low watermark when all is deleted");
        assert_eq!((100, 100), bench.asking.fetch_watermarks(&topic, 0, WAIT).expect("ListOffsets"), "the ends");
        assert_eq!(vec![100], bench.send_run(&topic, 0, 0..1, &[]), "the next offset");
    });
}
