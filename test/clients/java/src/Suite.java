// The Java suite: Apache Kafka's own client library against the broker whose address it is given.
// Chooses the levels and prints the report; what is checked stands in the files of the levels.
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.utils.AppInfoParser;

final class Suite {
    private Suite() {}

    /** Arguments: bootstrap address, highest level to run. Exit code 0 when every check held. */
    public static void main(String[] arguments) {
        String brokers = arguments[0];
        int level = Integer.parseInt(arguments[1]);
        System.out.println("client kafka-clients " + AppInfoParser.getVersion());
        Report report = new Report();
        try (Admin admin = Admin.create(
                Map.of("bootstrap.servers", brokers, "request.timeout.ms", 10_000, "default.api.timeout.ms", 15_000))) {
            Bench bench = new Bench(brokers, admin);
            System.out.println("level 1");
            boolean usable = FirstLight.run(report, bench);
            if (usable && level >= 2) {
                System.out.println("level 2");
                Records.run(report, bench);
                Offsets.run(report, bench);
                Refusals.run(report, bench);
                Topics.run(report, bench);
                Settings.run(report, bench);
                Groups.run(report, bench);
            }
            if (usable && level >= 3) {
                System.out.println("level 3");
                Settings.trim(report, bench);
            }
        }
        System.out.flush();
        // Not a return: a client that hangs in a thread of its own must not keep the process.
        Runtime.getRuntime().halt(report.failed() == 0 ? 0 : 1);
    }
}
