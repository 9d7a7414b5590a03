import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams: three good counts and all, by service and pane of 10 s, in one store.
 *
 * <p>Arguments: ADDRESS TOPIC EVENTS GUARANTEE WARM, where GUARANTEE is that of processing and the
 * first WARM events are for the JVM to compile on. One thread, changelog on, state in memory behind
 * the record cache, without what a windowed aggregation of the DSL adds. Prints what the other paths
 * print, the same of the time since the first event as `whole`, and the name of the changelog, in
 * which the last entry of a key, `service@paneEnd`, is four longs.
 */
public final class KafkaStreamsCount {
    private static final String STORE = "counts";
    private static final long PANE_MS = 10_000;
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        long events = Long.parseLong(args[2]);
        String guarantee = args[3];
        Clock clock = new Clock(events, Long.parseLong(args[4]));
        String name = "streams-" + guarantee + "-" + System.currentTimeMillis();

        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.inMemoryKeyValueStore(STORE),
                                Serdes.String(),
                                serde(Counts::bytes, Counts::of))
                        .withCachingEnabled());
        builder.stream(topic, Consumed.with(Serdes.String(), serde(null, KafkaStreamsCount::parse)))
                .process(() -> new Counting(clock), STORE);
        KafkaStreams streams = new KafkaStreams(builder.build(), properties(args[0], name, guarantee));
        streams.start();
        clock.done.await();
        streams.close(Duration.ofSeconds(60));
        System.out.printf(Locale.ROOT, "{%s,\"whole\":{%s},\"changelog\":\"%s-counts-changelog\"}%n",
                clock.between(clock.warm, clock.last), clock.between(clock.first, clock.last), name);
    }

    /** Adds each event to the counts of its service and pane. */
    static final class Counting extends ContextualProcessor<String, Request, Void, Void> {
        private final Clock clock;
        private KeyValueStore<String, Counts> store;

        Counting(Clock clock) {
            this.clock = clock;
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            super.init(context);
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, Request> record) {
            long paneEnd = -Math.floorDiv(-record.value().time, PANE_MS) * PANE_MS;
            String key = record.key() + "@" + paneEnd;
            Counts counts = store.get(key);
            if (counts == null) counts = new Counts();
            counts.add(record.value());
            store.put(key, counts);
            clock.tick();
        }
    }

    private static Properties properties(String address, String name, String guarantee)
            throws IOException {
        Properties found = new Properties();
        found.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, address);
        found.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
        found.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        found.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        found.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams-").toString());
        found.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200); // as servicelevel flushes
        found.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 << 20);
        found.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        found.put("auto.offset.reset", "earliest");
        found.put("max.poll.records", 10_000);
        found.put("max.partition.fetch.bytes", 4 << 20);
        return found;
    }

    /** What is counted of an event. */
    record Request(long time, int status, double durationMs) {}

    private static final JsonFactory JSON = new JsonFactory();

    private static Request parse(byte[] raw) {
        long time = 0;
        int status = 0;
        double durationMs = 0;
        try (JsonParser parser = JSON.createParser(raw)) {
            parser.nextToken();
            for (String field; (field = parser.nextFieldName()) != null; ) {
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "time" -> time = parser.getLongValue();
                    case "status_code" -> status = parser.getIntValue();
                    case "duration_ms" -> durationMs = parser.getDoubleValue();
                    default -> {
                        if (value.isStructStart()) parser.skipChildren();
                    }
                }
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return new Request(time, status, durationMs);
    }

    /** Good events of the three indicators, and all. */
    static final class Counts {
        long available, fast, served, total;

        void add(Request request) {
            boolean up = request.status < 500;
            total++;
            if (up) available++;
            if (request.durationMs < 250.0) fast++;
            if (up && request.durationMs < 1000.0) served++;
        }

        byte[] bytes() {
            return ByteBuffer.allocate(32)
                    .putLong(available).putLong(fast).putLong(served).putLong(total).array();
        }

        static Counts of(byte[] raw) {
            ByteBuffer buffer = ByteBuffer.wrap(raw);
            Counts found = new Counts();
            found.available = buffer.getLong();
            found.fast = buffer.getLong();
            found.served = buffer.getLong();
            found.total = buffer.getLong();
            return found;
        }
    }

    private static <T> Serde<T> serde(
            Function<T, byte[]> write, Function<byte[], T> read) {
        Serializer<T> serializer = (topic, value) -> value == null ? null : write.apply(value);
        Deserializer<T> deserializer = (topic, raw) -> raw == null ? null : read.apply(raw);
        return Serdes.serdeFrom(serializer, deserializer);
    }

    /** Events, wall and processor time at the first event, the last warm-up one and the last. */
    static final class Clock {
        private final long events, warmUp;
        final CountDownLatch done = new CountDownLatch(1);
        long[] first, warm, last;
        private long seen;

        Clock(long events, long warmUp) {
            this.events = events;
            this.warmUp = Math.max(1, warmUp);
        }

        void tick() {
            seen++;
            if (seen == 1) first = now();
            if (seen == warmUp) warm = now();
            if (seen == events) {
                last = now();
                done.countDown();
            }
        }

        private long[] now() {
            return new long[] {seen, System.nanoTime(), PROCESS.getProcessCpuTime()};
        }

        String between(long[] from, long[] to) {
            return String.format(Locale.ROOT, "\"events\":%d,\"wall_s\":%.6f,\"cpu_s\":%.6f",
                    to[0] - from[0], (to[1] - from[1]) / 1e9, (to[2] - from[2]) / 1e9);
        }
    }
}
