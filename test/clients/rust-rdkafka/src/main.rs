//! The rdkafka suite: librdkafka through its Rust binding, against the broker whose address it is given.
//! Chooses the levels and prints the report; what is checked stands in the files of the levels.

mod bench;
mod first_light;
mod groups;
mod offsets;
mod records;
mod refusals;
mod report;
mod settings;
mod topics;

/// Arguments: bootstrap address, highest level to run. Exit code 0 when every check held.
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let level: u8 = arguments[2].parse().expect("the level is a number");
    println!("client librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    let mut report = report::Report::new();
    // Lives as long as the process: a check that hangs must not keep the others from it.
    let bench: &'static bench::Bench = Box::leak(Box::new(bench::Bench::new(&arguments[1])));
    println!("level 1");
    let usable = first_light::run(&mut report, bench);
    if usable && level >= 2 {
        println!("level 2");
        records::run(&mut report, bench);
        offsets::run(&mut report, bench);
        refusals::run(&mut report, bench);
        topics::run(&mut report, bench);
        settings::run(&mut report, bench);
        groups::run(&mut report, bench);
    }
    if usable && level >= 3 {
        println!("level 3");
        settings::trim(&mut report, bench);
    }
    // Not a return: a client that hangs in a thread of its own must not keep the process.
    std::process::exit(if report.failed == 0 { 0 } else { 1 });
}
