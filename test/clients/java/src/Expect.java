// The few assertions the suite needs, with messages that say what was found.
// An expected failure names Kafka's exception class: the right refusal is part of the protocol.
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ExecutionException;

final class Expect {
    private Expect() {}

    static void that(boolean holds, String otherwise) {
        if (!holds) throw new AssertionError(otherwise);
    }

    static void equal(Object expected, Object found, String what) {
        if (!Objects.equals(expected, found))
            throw new AssertionError(what + " is " + found + ", expected " + expected);
    }

    static void sameBytes(byte[] expected, byte[] found, String what) {
        if (Arrays.equals(expected, found)) return;
        throw new AssertionError(what + " is " + describe(found) + ", expected " + describe(expected));
    }

    private static String describe(byte[] bytes) {
        return bytes == null
                ? "null"
                : bytes.length + " bytes with hash " + Integer.toHexString(Arrays.hashCode(bytes));
    }

    static void refused(Class<? extends Throwable> with, Report.Check check) {
        try {
            check.run();
        } catch (Throwable thrown) {
            Throwable cause =
                    thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause() : thrown;
            if (with.isInstance(cause)) return;
            throw new AssertionError("refused with " + cause + ", expected " + with.getSimpleName(), cause);
        }
        throw new AssertionError("not refused, expected " + with.getSimpleName());
    }
}
