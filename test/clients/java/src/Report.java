// One line a check, in the form every client suite prints: "ok - sentence" or "not ok - sentence: why".
// Runs each check on a thread of its own, so that one that hangs fails after its time and the rest still run.
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

final class Report {
    private static final int SECONDS_A_CHECK = 60;
    private int failed;

    interface Check {
        void run() throws Exception;
    }

    int failed() {
        return failed;
    }

    void check(String sentence, Check check) {
        settle(sentence, start(check));
    }

    /**
     * Runs checks side by side that mostly wait, such as for rebalances; the lines come in the order
     * given.
     */
    void together(Map<String, Check> checks) {
        Map<String, CompletableFuture<Void>> outcomes = new LinkedHashMap<>();
        checks.forEach((sentence, check) -> outcomes.put(sentence, start(check)));
        outcomes.forEach(this::settle);
    }

    private static CompletableFuture<Void> start(Check check) {
        CompletableFuture<Void> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                check.run();
                outcome.complete(null);
            } catch (Throwable thrown) {
                outcome.completeExceptionally(thrown);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return outcome;
    }

    private void settle(String sentence, CompletableFuture<Void> outcome) {
        try {
            outcome.get(SECONDS_A_CHECK, TimeUnit.SECONDS);
            System.out.println("ok - " + sentence);
        } catch (TimeoutException late) {
            failed++;
            System.out.println("not ok - " + sentence + ": no end after " + SECONDS_A_CHECK + " s");
        } catch (ExecutionException | InterruptedException thrown) {
            failed++;
            System.out.println("not ok - " + sentence + ": " + oneLine(thrown));
        }
    }

    private static String oneLine(Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException)
                && cause.getCause() != null) cause = cause.getCause();
        // The first frame of the suite that is not one of its helpers says which line of which check it was.
        String where = Arrays.stream(cause.getStackTrace())
                .filter(frame -> !frame.getClassName().contains(".")
                        && !frame.getClassName().startsWith("Bench")
                        && !frame.getClassName().startsWith("Expect"))
                .findFirst()
                .map(frame -> " (" + frame.getFileName() + ":" + frame.getLineNumber() + ")")
                .orElse("");
        return (cause instanceof AssertionError ? cause.getMessage() : cause.toString()).replaceAll("\\s+", " ")
                + where;
    }
}
